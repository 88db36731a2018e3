-- What tells most stands first, and the tenant only where all of a tenant's records are listed in order: see the
-- kernel's migration of this name.

CREATE UNIQUE INDEX audit_records_of_event ON audit_records (event_id, source, tenant);
CREATE INDEX audit_records_of_resource ON audit_records (resource, tenant, id);
CREATE INDEX audit_records_of_name ON audit_records (name, tenant, id);
CREATE INDEX audit_records_of_actor ON audit_records (actor, tenant, id);
-- Of two that begin with the tenant PostgreSQL takes the younger one while the table is empty: a record is looked for
-- by its id, and this one must win.
CREATE INDEX audit_records_in_order ON audit_records (tenant, id);

DROP INDEX audit_records_once;
DROP INDEX audit_records_by_resource;
DROP INDEX audit_records_by_name;
DROP INDEX audit_records_by_actor;
DROP INDEX audit_records_by_age;
