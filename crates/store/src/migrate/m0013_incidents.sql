-- Something found broken, from its finding to its end.
CREATE TABLE incidents (
  id TEXT NOT NULL PRIMARY KEY,
  organization_id TEXT NOT NULL REFERENCES organizations (id),
  -- no reference: whose thing it is about; absent for what belongs to everybody
  user_id TEXT,
  check_id TEXT NOT NULL,
  -- check and thing while it is open, so that two who look at once open one
  open_key TEXT UNIQUE,
  resource_kind TEXT NOT NULL,
  resource_id TEXT NOT NULL,
  severity TEXT NOT NULL,
  state TEXT NOT NULL,
  finding TEXT NOT NULL,
  remedy TEXT,
  patch TEXT,
  attempts BIGINT NOT NULL,
  acknowledged_by TEXT,
  acknowledged_at BIGINT,
  note TEXT,
  opened_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL,
  resolved_at BIGINT
);
CREATE INDEX incidents_organization ON incidents (organization_id, state, id);
CREATE INDEX incidents_user ON incidents (user_id, state);
CREATE INDEX incidents_resource ON incidents (resource_id, id);
