-- Who gave a person their present password in their place, and when; empty once they choose their own.
ALTER TABLE credentials ADD COLUMN reset_by TEXT;
ALTER TABLE credentials ADD COLUMN reset_at BIGINT;
