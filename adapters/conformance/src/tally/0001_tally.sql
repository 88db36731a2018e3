-- How often each event was counted: nothing here keeps an event from being counted again.

CREATE TABLE tallies (
    id text PRIMARY KEY,
    tenant text NOT NULL,
    source text NOT NULL,
    event_id text NOT NULL,
    times bigint NOT NULL,
    attempts bigint NOT NULL,
    retries bigint NOT NULL,
    UNIQUE (tenant, source, event_id)
);
CREATE INDEX tallies_by_age ON tallies (tenant, id);

--pg: ALTER TABLE tallies ENABLE ROW LEVEL SECURITY;
--pg: ALTER TABLE tallies FORCE ROW LEVEL SECURITY;
--pg: CREATE POLICY tenant ON tallies TO florin_app USING (tenant = nullif(current_setting('app.tenant', true), ''));
--pg: GRANT SELECT, INSERT, UPDATE ON tallies TO florin_app;
