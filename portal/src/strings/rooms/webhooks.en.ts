// The pages of webhooks, in English.
export * from '../en/entries';
export * from '../en/webhook';
