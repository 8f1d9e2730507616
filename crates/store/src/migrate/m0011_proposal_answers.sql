-- When the answer of a carried out proposal was dealt with. Until then a retry knows that it was lost.
ALTER TABLE proposals ADD COLUMN answered_at BIGINT;
UPDATE proposals SET answered_at = settled_at;
