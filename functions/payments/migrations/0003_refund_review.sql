-- A refund that needs a person says so itself: no capture or release of its payment takes that back.

ALTER TABLE refunds ADD COLUMN needs_review boolean NOT NULL DEFAULT false;
