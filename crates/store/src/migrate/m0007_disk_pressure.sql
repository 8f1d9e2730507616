-- How near an instance's files are to their limit, as it was last noted: ok, near or full.
ALTER TABLE instances ADD COLUMN disk_pressure TEXT NOT NULL DEFAULT 'ok';
