-- What tells most stands first, and the tenant only where all of a tenant's records are listed in order: see the
-- kernel's migration of this name.

DROP INDEX audit_records_once;
DROP INDEX audit_records_by_resource;
DROP INDEX audit_records_by_name;
DROP INDEX audit_records_by_actor;
CREATE UNIQUE INDEX audit_records_once ON audit_records (event_id, source, tenant);
CREATE INDEX audit_records_by_resource ON audit_records (resource, tenant, id);
CREATE INDEX audit_records_by_name ON audit_records (name, tenant, id);
CREATE INDEX audit_records_by_actor ON audit_records (actor, tenant, id);

-- Of two that begin with the tenant PostgreSQL takes the younger one while the table is empty: a record is looked for
-- by its id, and this one must win.
DROP INDEX audit_records_by_age;
CREATE INDEX audit_records_by_age ON audit_records (tenant, id);
