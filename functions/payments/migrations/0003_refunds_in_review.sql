-- A refund that needs a person says so itself: no capture or release of its payment takes that back.

ALTER TABLE refunds ADD COLUMN needs_review boolean NOT NULL DEFAULT false;
ALTER TABLE payments ADD COLUMN refunds_in_review bigint NOT NULL DEFAULT 0 CHECK (refunds_in_review >= 0);
