-- Audit records: append only, for whoever it is.

CREATE TABLE audit_records (
    id text PRIMARY KEY,
    tenant text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('event', 'operation')),
    name text NOT NULL,
    actor text,
    client text,
    resource text,
    outcome text,
    code text,
    request_id text,
    trace_id text,
    source text NOT NULL,
    event_id text NOT NULL,
    sequence bigint,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    data text NOT NULL
);
CREATE UNIQUE INDEX audit_records_once ON audit_records (tenant, source, event_id);
CREATE INDEX audit_records_by_age ON audit_records (tenant, id);
CREATE INDEX audit_records_by_time ON audit_records (tenant, occurred_at);
CREATE INDEX audit_records_by_resource ON audit_records (tenant, resource, id);
CREATE INDEX audit_records_by_name ON audit_records (tenant, name, id);
CREATE INDEX audit_records_by_actor ON audit_records (tenant, actor, id);

--sqlite: CREATE TRIGGER audit_records_stay BEFORE UPDATE ON audit_records BEGIN SELECT raise(ABORT, 'audit records are append only'); END;
--sqlite: CREATE TRIGGER audit_records_are_kept BEFORE DELETE ON audit_records BEGIN SELECT raise(ABORT, 'audit records are append only'); END;
-- REPLACE deletes without firing the trigger above: what stands already is skipped before it comes to that.
--sqlite: CREATE TRIGGER audit_records_are_not_replaced BEFORE INSERT ON audit_records WHEN EXISTS (SELECT 1 FROM audit_records WHERE id = NEW.id OR (tenant = NEW.tenant AND source = NEW.source AND event_id = NEW.event_id)) BEGIN SELECT raise(IGNORE); END;

--pg: CREATE FUNCTION audit_records_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'audit records are append only'; END $$;
--pg: CREATE TRIGGER audit_records_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_records FOR EACH STATEMENT EXECUTE FUNCTION audit_records_refuse();
--pg: ALTER TABLE audit_records ENABLE ROW LEVEL SECURITY;
--pg: ALTER TABLE audit_records FORCE ROW LEVEL SECURITY;
--pg: CREATE POLICY tenant ON audit_records TO florin_app USING (tenant = nullif(current_setting('app.tenant', true), ''));
--pg: GRANT SELECT, INSERT ON audit_records TO florin_app;
