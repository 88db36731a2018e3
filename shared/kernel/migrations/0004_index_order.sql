-- What tells most stands first. A row is looked for by its tenant and its id, and of an index that begins with the
-- tenant PostgreSQL walks the whole tenant instead, by a plan that it made while the table was empty.
--
-- The new one is built before the old one goes: reading never waits for the build.

CREATE UNIQUE INDEX florin_operations_by_client_key ON florin_operations (idempotency_key, client, tenant);
DROP INDEX florin_operations_by_key;
