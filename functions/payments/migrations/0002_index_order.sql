-- What tells most stands first, and the tenant only where all of a tenant's rows are listed in order: see the kernel's
-- migration of this name.

CREATE UNIQUE INDEX payments_by_own_reference ON payments (reference, tenant);
CREATE INDEX payments_by_state ON payments (status, tenant, id);
CREATE INDEX payment_attempts_of_payment ON payment_attempts (payment, tenant, id);
CREATE UNIQUE INDEX refunds_by_own_reference ON refunds (reference, tenant);
CREATE INDEX refunds_of_payment ON refunds (payment, tenant, id);
CREATE INDEX refunds_by_age ON refunds (tenant, id);

DROP INDEX payments_by_reference;
DROP INDEX payments_by_status;
DROP INDEX payment_attempts_by_payment;
DROP INDEX refunds_by_reference;
DROP INDEX refunds_by_payment;
