-- The embedded queue's own tables: who wants which events, and one row for each message of each queue.

CREATE TABLE queue_subscriptions (
    function text PRIMARY KEY,
    patterns text NOT NULL
);

-- `due_at` is when it may be delivered, or when the lease of its `holder` ends. The event stands last, so that
-- counting rows reads none of them.
CREATE TABLE queue_messages (
    id integer PRIMARY KEY AUTOINCREMENT,
    queue text NOT NULL,
    due_at timestamptz NOT NULL,
    enqueued_at timestamptz NOT NULL,
    holder text,
    lost bigint NOT NULL,
    set_aside text,
    event text NOT NULL
);
CREATE INDEX queue_messages_due ON queue_messages (queue, due_at, enqueued_at) WHERE set_aside IS NULL;
CREATE INDEX queue_messages_set_aside ON queue_messages (queue, id) WHERE set_aside IS NOT NULL;
CREATE INDEX queue_messages_by_holder ON queue_messages (holder) WHERE holder IS NOT NULL;
