-- Operations: ordered steps with undo, carried out durably.
CREATE TABLE operations (
  id TEXT NOT NULL PRIMARY KEY,
  organization_id TEXT NOT NULL REFERENCES organizations (id),
  -- no reference: what was done outlives who it was done for, until they are gone with everything
  user_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  resource_kind TEXT NOT NULL,
  resource_id TEXT NOT NULL,
  runtime_asset_id TEXT,
  actor TEXT NOT NULL,
  proposal_id TEXT,
  request_id TEXT,
  input TEXT NOT NULL,
  state TEXT NOT NULL,
  -- the direction it was going in when it got stuck
  stuck_undoing BOOLEAN NOT NULL,
  step BIGINT NOT NULL,
  fence BIGINT NOT NULL,
  cancelled_by TEXT,
  reason TEXT,
  created_at BIGINT NOT NULL,
  started_at BIGINT,
  settled_at BIGINT
);
CREATE INDEX operations_organization ON operations (organization_id, state, id);
CREATE INDEX operations_user ON operations (user_id, state);
CREATE INDEX operations_resource ON operations (resource_id, id);

CREATE TABLE operation_steps (
  id TEXT NOT NULL PRIMARY KEY,
  operation_id TEXT NOT NULL REFERENCES operations (id),
  number BIGINT NOT NULL,
  name TEXT NOT NULL,
  state TEXT NOT NULL,
  output TEXT NOT NULL,
  error TEXT,
  attempts BIGINT NOT NULL,
  started_at BIGINT,
  ended_at BIGINT,
  undone_at BIGINT,
  UNIQUE (operation_id, number)
);
