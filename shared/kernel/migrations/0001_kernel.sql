-- The kernel's own tables: they stand beside each service's, in the service's database.

CREATE TABLE florin_operations (
    id text PRIMARY KEY,
    tenant text NOT NULL,
    client text NOT NULL,
    idempotency_key text,
    fingerprint text,
    function text NOT NULL,
    subject text,
    state text NOT NULL CHECK (state IN ('open', 'closed')),
    status bigint,
    content_type text,
    location text,
    body bytea,
    created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX florin_operations_by_key ON florin_operations (tenant, client, idempotency_key);
CREATE INDEX florin_operations_by_age ON florin_operations (created_at);

CREATE TABLE florin_outbox (
    id text PRIMARY KEY,
    tenant text NOT NULL,
    event text NOT NULL,
    due_at timestamptz NOT NULL,
    attempts bigint NOT NULL,
    created_at timestamptz NOT NULL,
    published_at timestamptz
);
CREATE INDEX florin_outbox_due ON florin_outbox (due_at, id) WHERE published_at IS NULL;
CREATE INDEX florin_outbox_by_age ON florin_outbox (published_at) WHERE published_at IS NOT NULL;

CREATE TABLE florin_inbox (
    function text NOT NULL,
    source text NOT NULL,
    event_id text NOT NULL,
    tenant text NOT NULL,
    state text NOT NULL CHECK (state IN ('done', 'failing', 'dead')),
    attempts bigint NOT NULL,
    last_error text,
    seen_at timestamptz NOT NULL,
    PRIMARY KEY (function, source, event_id)
);
CREATE INDEX florin_inbox_by_age ON florin_inbox (seen_at);

CREATE TABLE florin_dead_letters (
    id text PRIMARY KEY,
    tenant text NOT NULL,
    function text NOT NULL,
    source text NOT NULL,
    event_id text NOT NULL,
    event text NOT NULL,
    code text NOT NULL,
    detail text NOT NULL,
    attempts bigint NOT NULL,
    dead_at timestamptz NOT NULL,
    UNIQUE (function, source, event_id)
);
CREATE INDEX florin_dead_letters_by_age ON florin_dead_letters (dead_at, id);

CREATE TABLE florin_effects (
    id text PRIMARY KEY,
    tenant text NOT NULL,
    function text NOT NULL,
    input text NOT NULL,
    subject text NOT NULL,
    operation_id text,
    operation_function text,
    traceparent text,
    state text NOT NULL CHECK (state IN ('wanted', 'done', 'needs_review')),
    attempts bigint NOT NULL,
    due_at timestamptz NOT NULL,
    last_error text,
    created_at timestamptz NOT NULL,
    done_at timestamptz
);
CREATE INDEX florin_effects_due ON florin_effects (due_at, id) WHERE state = 'wanted';
CREATE INDEX florin_effects_by_age ON florin_effects (done_at) WHERE state = 'done';

-- A missing or empty tenant matches nothing; the system's role sees the kernel's tables, to find what is due.
--pg: DO $$
--pg: DECLARE name text;
--pg: BEGIN
--pg:     FOREACH name IN ARRAY ARRAY['florin_operations', 'florin_outbox', 'florin_inbox', 'florin_dead_letters', 'florin_effects'] LOOP
--pg:         EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
--pg:         EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
--pg:         EXECUTE format('CREATE POLICY tenant ON %I TO florin_app USING (tenant = nullif(current_setting(''app.tenant'', true), ''''))', name);
--pg:         EXECUTE format('CREATE POLICY system ON %I TO florin_system USING (true)', name);
--pg:         EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %I TO florin_app', name);
--pg:         EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO florin_system', name);
--pg:     END LOOP;
--pg: END $$;
