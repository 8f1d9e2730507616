-- Linking an identity belongs to the browser session that began it, and ends with it.
ALTER TABLE oidc_flows ADD COLUMN link_session_id TEXT REFERENCES browser_sessions (id) ON DELETE CASCADE;
