-- Payments, their attempts and their refunds. Amounts are minor units of the currency.

CREATE TABLE payments (
    id text PRIMARY KEY,
    tenant text NOT NULL,
    status text NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    amount_capturable bigint NOT NULL CHECK (amount_capturable >= 0),
    amount_received bigint NOT NULL CHECK (amount_received BETWEEN 0 AND amount),
    amount_refunded bigint NOT NULL CHECK (amount_refunded BETWEEN 0 AND amount_received),
    currency text NOT NULL,
    capture_method text NOT NULL,
    payment_method text,
    reference text,
    description text,
    metadata text NOT NULL,
    return_url text,
    action_url text,
    error_code text,
    decline_code text,
    error_message text,
    needs_review boolean NOT NULL,
    cancel_reason text,
    attempt text,
    charge text,
    capture_before timestamptz,
    action_since timestamptz,
    look_up_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    version bigint NOT NULL
);
CREATE UNIQUE INDEX payments_by_reference ON payments (tenant, reference);
CREATE INDEX payments_by_age ON payments (tenant, id);
CREATE INDEX payments_by_status ON payments (tenant, status, id);
CREATE INDEX payments_to_expire ON payments (capture_before, id) WHERE status = 'requires_capture';
CREATE INDEX payments_to_look_up ON payments (look_up_at, id) WHERE status = 'requires_action';

CREATE TABLE payment_attempts (
    id text PRIMARY KEY,
    tenant text NOT NULL,
    payment text NOT NULL REFERENCES payments (id),
    payment_method text NOT NULL,
    outcome text,
    charge text,
    started_at timestamptz NOT NULL,
    finished_at timestamptz
);
CREATE INDEX payment_attempts_by_payment ON payment_attempts (tenant, payment, id);

CREATE TABLE refunds (
    id text PRIMARY KEY,
    tenant text NOT NULL,
    payment text NOT NULL REFERENCES payments (id),
    amount bigint NOT NULL CHECK (amount > 0),
    currency text NOT NULL,
    reason text,
    reference text,
    status text NOT NULL,
    metadata text NOT NULL,
    created_at timestamptz NOT NULL,
    version bigint NOT NULL
);
CREATE UNIQUE INDEX refunds_by_reference ON refunds (tenant, reference);
CREATE INDEX refunds_by_payment ON refunds (tenant, payment, id);

--pg: DO $$
--pg: DECLARE name text;
--pg: BEGIN
--pg:     FOREACH name IN ARRAY ARRAY['payments', 'payment_attempts', 'refunds'] LOOP
--pg:         EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
--pg:         EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
--pg:         EXECUTE format('CREATE POLICY tenant ON %I TO florin_app USING (tenant = nullif(current_setting(''app.tenant'', true), ''''))', name);
--pg:         EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %I TO florin_app', name);
--pg:     END LOOP;
--pg: END $$;
-- What the jobs that expire authorizations and look up actions may see to find their work.
--pg: CREATE POLICY due ON payments FOR SELECT TO florin_system USING (status IN ('requires_capture', 'requires_action'));
--pg: GRANT SELECT (tenant, id, status, capture_before, look_up_at) ON payments TO florin_system;
