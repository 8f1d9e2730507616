// The pages of webhooks, in German.
export * from '../de/entries';
export * from '../de/webhook';
