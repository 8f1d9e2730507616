-- Versions are only added; the one with the largest number is in force.
CREATE TABLE policy_versions (
  id TEXT NOT NULL PRIMARY KEY,
  organization_id TEXT NOT NULL REFERENCES organizations (id),
  number BIGINT NOT NULL,
  text TEXT NOT NULL,
  tests TEXT NOT NULL,
  comment TEXT NOT NULL,
  -- no reference: who wrote it may be deleted, and it stays
  author TEXT,
  created_at BIGINT NOT NULL,
  UNIQUE (organization_id, number)
);

-- The newest decisions about changes, as they were asked, to try other rules on.
CREATE TABLE decisions (
  id TEXT NOT NULL PRIMARY KEY,
  organization_id TEXT NOT NULL REFERENCES organizations (id),
  question TEXT NOT NULL,
  outcome TEXT NOT NULL,
  policies TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX decisions_organization ON decisions (organization_id, id);
