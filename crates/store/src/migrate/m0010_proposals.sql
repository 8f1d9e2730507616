-- Changes that wait for approval. What was asked for and what would happen are sealed: a request may hold a key or a password.
CREATE TABLE proposals (
  id TEXT NOT NULL PRIMARY KEY,
  organization_id TEXT NOT NULL REFERENCES organizations (id),
  user_id TEXT NOT NULL REFERENCES users (id),
  actor TEXT NOT NULL,
  -- no reference: a token that is gone ends what was asked for with it, and the proposal says so
  token_id TEXT,
  request_id TEXT,
  action TEXT NOT NULL,
  resource_kind TEXT NOT NULL,
  resource_id TEXT,
  private BOOLEAN NOT NULL,
  request BYTES,
  simulation BYTES,
  digest TEXT NOT NULL,
  demands TEXT NOT NULL,
  policies TEXT NOT NULL,
  approver TEXT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT,
  answer BYTES,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  approved_at BIGINT,
  settled_at BIGINT
);
CREATE INDEX proposals_organization ON proposals (organization_id, state, id);
CREATE INDEX proposals_user ON proposals (user_id, id);

CREATE TABLE proposal_votes (
  id TEXT NOT NULL PRIMARY KEY,
  proposal_id TEXT NOT NULL REFERENCES proposals (id),
  -- no reference: what was said stays when who said it is deleted
  user_id TEXT NOT NULL,
  role TEXT NOT NULL,
  verdict TEXT NOT NULL,
  comment TEXT NOT NULL,
  digest TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (proposal_id, user_id)
);
