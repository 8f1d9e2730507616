-- The Merkle tree over the sealed log, in tiles of up to 256 neighbouring hashes (32 bytes each).
CREATE TABLE evidence_tiles (
  -- level/position
  id TEXT NOT NULL PRIMARY KEY,
  hashes BYTES NOT NULL
);

-- Signed tree heads. The id is the size with leading zeros, so that it sorts by size.
CREATE TABLE evidence_checkpoints (
  id TEXT NOT NULL PRIMARY KEY,
  size BIGINT NOT NULL UNIQUE,
  note TEXT NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE TABLE signing_keys (
  id TEXT NOT NULL PRIMARY KEY,
  organization_id TEXT NOT NULL REFERENCES organizations (id),
  name TEXT NOT NULL UNIQUE,
  verify_key TEXT NOT NULL,
  -- sealed
  secret BYTES NOT NULL,
  created_at BIGINT NOT NULL
);

-- How far each reader of the log is.
CREATE TABLE reader_cursors (
  name TEXT NOT NULL PRIMARY KEY,
  seq BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX evidence_action ON evidence (organization_id, action, seq);
CREATE INDEX evidence_actor ON evidence (organization_id, actor_id, seq);
CREATE INDEX evidence_resource ON evidence (resource_kind, resource_id, id);
