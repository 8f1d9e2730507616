-- A change that was made under a key of its caller's, so that the same request again gets the same answer and changes nothing.
CREATE TABLE idempotency_keys (
  -- hash of who, what and the key
  id TEXT NOT NULL PRIMARY KEY,
  -- hash of the key and the body
  body_hash TEXT NOT NULL,
  action TEXT NOT NULL,
  resource_id TEXT NOT NULL,
  -- none while the answer is on its way, or was lost
  status BIGINT,
  answer TEXT,
  created_at BIGINT NOT NULL
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
