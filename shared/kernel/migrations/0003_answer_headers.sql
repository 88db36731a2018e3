-- A stored answer says again what header fields and cookies it said the first time.

ALTER TABLE florin_operations ADD COLUMN headers text;
