CREATE TABLE witnesses (
  id TEXT NOT NULL PRIMARY KEY,
  organization_id TEXT NOT NULL REFERENCES organizations (id),
  -- the name in its key
  name TEXT NOT NULL,
  url TEXT NOT NULL,
  verify_key TEXT NOT NULL,
  private_network BOOLEAN NOT NULL,
  -- the size it cosigned last; 0 before the first
  size BIGINT NOT NULL,
  cosigned_at BIGINT,
  outcome TEXT,
  last_error TEXT,
  failures BIGINT NOT NULL,
  failing_since BIGINT,
  next_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX witnesses_name ON witnesses (organization_id, name);

-- Outlive the witness that gave them: what was vouched for once stays so.
CREATE TABLE evidence_cosignatures (
  -- size with leading zeros, then the witness's name and its key's id
  id TEXT NOT NULL PRIMARY KEY,
  size BIGINT NOT NULL,
  witness TEXT NOT NULL,
  line TEXT NOT NULL,
  given_at BIGINT NOT NULL
);
CREATE INDEX evidence_cosignatures_size ON evidence_cosignatures (size);
