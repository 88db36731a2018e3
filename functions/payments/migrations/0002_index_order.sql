-- What tells most stands first, and the tenant only where all of a tenant's rows are listed in order: see the kernel's
-- migration of this name.

DROP INDEX payments_by_reference;
DROP INDEX payments_by_status;
CREATE UNIQUE INDEX payments_by_reference ON payments (reference, tenant);
CREATE INDEX payments_by_status ON payments (status, tenant, id);

DROP INDEX payment_attempts_by_payment;
CREATE INDEX payment_attempts_by_payment ON payment_attempts (payment, tenant, id);

DROP INDEX refunds_by_reference;
DROP INDEX refunds_by_payment;
CREATE UNIQUE INDEX refunds_by_reference ON refunds (reference, tenant);
CREATE INDEX refunds_by_payment ON refunds (payment, tenant, id);
CREATE INDEX refunds_by_age ON refunds (tenant, id);
