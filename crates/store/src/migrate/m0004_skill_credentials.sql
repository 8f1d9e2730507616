-- Environment variables people give to the skills of their agents.
CREATE TABLE skill_credentials (
  id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  skill TEXT NOT NULL,
  name TEXT NOT NULL,
  -- sealed
  value BYTES NOT NULL,
  hint TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE (user_id, skill, name)
);
