-- What the provider knows: charges, every movement of money, and every request by its idempotency key.
CREATE TABLE charges (
    id text PRIMARY KEY,
    status text NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    amount_captured bigint NOT NULL CHECK (amount_captured BETWEEN 0 AND amount),
    amount_refunded bigint NOT NULL DEFAULT 0 CHECK (amount_refunded BETWEEN 0 AND amount_captured),
    currency text NOT NULL,
    payment_method text NOT NULL,
    capture boolean NOT NULL,
    decline_code text,
    action_url text,
    reference text,
    return_url text,
    created_at timestamptz NOT NULL
);
CREATE INDEX charges_by_reference ON charges (reference);

-- One row each time money was taken or given back, or an authorization was let go.
CREATE TABLE movements (
    id text PRIMARY KEY,
    charge text NOT NULL REFERENCES charges (id),
    kind text NOT NULL CHECK (kind IN ('capture', 'refund', 'void')),
    amount bigint NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX movements_by_charge ON movements (charge);

-- status and body are empty until there is an answer to repeat.
CREATE TABLE requests (
    idempotency_key text PRIMARY KEY,
    operation text NOT NULL,
    input text NOT NULL,
    reference text,
    charge text,
    seen bigint NOT NULL,
    mismatched bigint NOT NULL DEFAULT 0,
    status bigint,
    body text,
    created_at timestamptz NOT NULL
);
CREATE INDEX requests_by_reference ON requests (reference);
CREATE INDEX requests_by_charge ON requests (charge);
