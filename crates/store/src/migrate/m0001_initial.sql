-- Ids are text in their prefixed, time-ordered form. Times are microseconds since 1970. Documents are JSON text.
-- Values marked "sealed" are encrypted with the owner's key; hashes are SHA-256.
-- History (usage, evidence) refers to nothing by constraint: it outlives what it tells about.

CREATE TABLE organizations (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE TABLE users (
  id TEXT NOT NULL PRIMARY KEY,
  organization_id TEXT NOT NULL REFERENCES organizations (id),
  username TEXT NOT NULL,
  display_name TEXT NOT NULL,
  role TEXT NOT NULL,
  active BOOLEAN NOT NULL,
  breakglass BOOLEAN NOT NULL,
  locale TEXT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  last_seen_at BIGINT,
  UNIQUE (organization_id, username)
);

CREATE TABLE credentials (
  id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  secret_hash TEXT,
  issuer TEXT,
  subject TEXT,
  created_at BIGINT NOT NULL,
  UNIQUE (issuer, subject)
);
CREATE INDEX credentials_user ON credentials (user_id);
-- A person has one password.
CREATE UNIQUE INDEX credentials_password ON credentials (user_id) WHERE kind = 'password';

CREATE TABLE browser_sessions (
  id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  token_hash BYTES NOT NULL UNIQUE,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  last_used_at BIGINT NOT NULL,
  user_agent TEXT,
  address TEXT,
  revoked_at BIGINT
);
CREATE INDEX browser_sessions_user ON browser_sessions (user_id);

CREATE TABLE api_tokens (
  id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  token_hash BYTES NOT NULL UNIQUE,
  hint TEXT NOT NULL,
  scopes TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT,
  last_used_at BIGINT,
  revoked_at BIGINT,
  rotated_from TEXT
);
CREATE INDEX api_tokens_user ON api_tokens (user_id);

CREATE TABLE invitations (
  id TEXT NOT NULL PRIMARY KEY,
  organization_id TEXT NOT NULL REFERENCES organizations (id),
  token_hash BYTES NOT NULL UNIQUE,
  role TEXT NOT NULL,
  username TEXT,
  created_by TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at BIGINT,
  used_by TEXT,
  revoked_at BIGINT
);
CREATE INDEX invitations_organization ON invitations (organization_id);

-- One row per failed try; the key is an address or an account. Rows may repeat.
CREATE TABLE login_attempts (
  key TEXT NOT NULL,
  at BIGINT NOT NULL
);
CREATE INDEX login_attempts_key ON login_attempts (key, at);
CREATE INDEX login_attempts_at ON login_attempts (at);

CREATE TABLE system_config (
  key TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE TABLE identity_providers (
  id TEXT NOT NULL PRIMARY KEY,
  organization_id TEXT NOT NULL REFERENCES organizations (id),
  name TEXT NOT NULL,
  issuer TEXT NOT NULL,
  client_id TEXT NOT NULL,
  -- sealed
  client_secret BYTES,
  scopes TEXT NOT NULL,
  enabled BOOLEAN NOT NULL,
  auto_provision BOOLEAN NOT NULL,
  allow_private_network BOOLEAN NOT NULL DEFAULT FALSE,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE (organization_id, issuer, client_id)
);

CREATE TABLE oidc_flows (
  state_hash TEXT NOT NULL PRIMARY KEY,
  identity_provider_id TEXT NOT NULL REFERENCES identity_providers (id) ON DELETE CASCADE,
  nonce TEXT NOT NULL,
  -- sealed
  pkce_verifier BYTES NOT NULL,
  return_to TEXT NOT NULL,
  link_user_id TEXT REFERENCES users (id) ON DELETE CASCADE,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX oidc_flows_expires ON oidc_flows (expires_at);

CREATE TABLE owner_keys (
  id TEXT NOT NULL PRIMARY KEY,
  owner TEXT NOT NULL,
  version BIGINT NOT NULL,
  wrapped BYTES NOT NULL,
  created_at BIGINT NOT NULL,
  retired_at BIGINT,
  UNIQUE (owner, version)
);

CREATE TABLE providers (
  id TEXT NOT NULL PRIMARY KEY,
  organization_id TEXT NOT NULL REFERENCES organizations (id),
  -- none: the organization's
  user_id TEXT REFERENCES users (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  wire TEXT NOT NULL,
  base_url TEXT,
  -- sealed
  api_key BYTES,
  key_version BIGINT,
  key_hint TEXT,
  models TEXT NOT NULL,
  mode TEXT NOT NULL,
  enabled BOOLEAN NOT NULL,
  private_network BOOLEAN NOT NULL,
  provider_ok BOOLEAN,
  provider_checked_at BIGINT,
  provider_error TEXT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX providers_owner ON providers (organization_id, user_id);

CREATE TABLE profiles (
  id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL UNIQUE REFERENCES users (id) ON DELETE CASCADE,
  agent_name TEXT NOT NULL,
  persona TEXT NOT NULL,
  provider_id TEXT REFERENCES providers (id) ON DELETE SET NULL,
  model TEXT,
  heartbeat_every TEXT,
  cron_enabled BOOLEAN NOT NULL,
  tools TEXT NOT NULL,
  idle_timeout_min BIGINT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  version BIGINT NOT NULL
);

CREATE TABLE runtime_assets (
  id TEXT NOT NULL PRIMARY KEY,
  asset_key TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  executor_url TEXT,
  public_url TEXT,
  capabilities TEXT NOT NULL,
  health TEXT NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE TABLE engines (
  id TEXT NOT NULL PRIMARY KEY,
  version TEXT NOT NULL,
  node_version TEXT NOT NULL,
  digest TEXT NOT NULL,
  path TEXT NOT NULL,
  state TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (version, node_version, digest)
);

CREATE TABLE instances (
  id TEXT NOT NULL PRIMARY KEY,
  organization_id TEXT NOT NULL REFERENCES organizations (id),
  user_id TEXT NOT NULL REFERENCES users (id),
  name TEXT NOT NULL,
  runtime_asset_id TEXT NOT NULL REFERENCES runtime_assets (id),
  engine_id TEXT NOT NULL REFERENCES engines (id),
  wanted TEXT NOT NULL,
  stop_reason TEXT,
  seen TEXT NOT NULL,
  seen_reason TEXT,
  generation BIGINT NOT NULL,
  revision_id TEXT,
  proved_hash TEXT,
  boot_id TEXT,
  instance_token_hash BYTES NOT NULL UNIQUE,
  -- sealed
  instance_token BYTES NOT NULL,
  -- sealed
  gateway_token BYTES NOT NULL,
  idle_timeout_min BIGINT NOT NULL,
  last_active_at BIGINT NOT NULL,
  next_wake_at BIGINT,
  restarts TEXT NOT NULL,
  failure_count BIGINT NOT NULL,
  next_attempt_at BIGINT,
  limits TEXT NOT NULL,
  memory_bytes BIGINT,
  cpu_ms BIGINT,
  disk_bytes BIGINT,
  seen_at BIGINT,
  volumes TEXT NOT NULL,
  held_by TEXT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  deleted_at BIGINT
);
CREATE UNIQUE INDEX instances_name ON instances (user_id, name) WHERE deleted_at IS NULL;
CREATE INDEX instances_organization ON instances (organization_id);
CREATE INDEX instances_live ON instances (id) WHERE deleted_at IS NULL;

CREATE TABLE revisions (
  id TEXT NOT NULL PRIMARY KEY,
  instance_id TEXT NOT NULL REFERENCES instances (id) ON DELETE CASCADE,
  number BIGINT NOT NULL,
  config TEXT NOT NULL,
  hash TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (instance_id, number)
);

CREATE TABLE jobs (
  id TEXT NOT NULL PRIMARY KEY,
  queue TEXT NOT NULL,
  payload TEXT NOT NULL,
  run_at BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  max_attempts BIGINT NOT NULL,
  lease_owner TEXT,
  lease_until BIGINT,
  lease_fence BIGINT NOT NULL,
  last_error TEXT,
  created_at BIGINT NOT NULL,
  done_at BIGINT,
  dead_at BIGINT
);
CREATE INDEX jobs_due ON jobs (queue, run_at, id) WHERE done_at IS NULL AND dead_at IS NULL;

CREATE TABLE leases (
  name TEXT NOT NULL PRIMARY KEY,
  holder TEXT NOT NULL,
  fence BIGINT NOT NULL,
  until BIGINT NOT NULL
);

CREATE TABLE usage_records (
  id TEXT NOT NULL PRIMARY KEY,
  organization_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  instance_id TEXT NOT NULL,
  provider_id TEXT,
  model TEXT NOT NULL,
  alias TEXT NOT NULL,
  wire TEXT NOT NULL,
  input_tokens BIGINT NOT NULL,
  output_tokens BIGINT NOT NULL,
  cache_read_tokens BIGINT NOT NULL,
  cache_write_tokens BIGINT NOT NULL,
  status BIGINT NOT NULL,
  error_code TEXT,
  started_at BIGINT NOT NULL,
  duration_ms BIGINT NOT NULL
);
CREATE INDEX usage_records_user ON usage_records (user_id, started_at);
CREATE INDEX usage_records_organization ON usage_records (organization_id, started_at);

CREATE TABLE evidence (
  id TEXT NOT NULL PRIMARY KEY,
  -- given by the sealer, never at insert: positions taken at insert commit out of order and lose rows
  seq BIGINT UNIQUE,
  organization_id TEXT NOT NULL,
  at BIGINT NOT NULL,
  actor_kind TEXT NOT NULL,
  actor_id TEXT NOT NULL,
  via TEXT NOT NULL,
  action TEXT NOT NULL,
  resource_kind TEXT NOT NULL,
  resource_id TEXT NOT NULL,
  outcome TEXT NOT NULL,
  decision TEXT NOT NULL,
  commitments TEXT NOT NULL,
  request_id TEXT
);
CREATE INDEX evidence_unsealed ON evidence (id) WHERE seq IS NULL;
CREATE INDEX evidence_organization ON evidence (organization_id, seq);

-- What opens a commitment; erased when the value must be forgotten.
CREATE TABLE evidence_openings (
  evidence_id TEXT NOT NULL,
  field TEXT NOT NULL,
  salt BYTES NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (evidence_id, field)
);
