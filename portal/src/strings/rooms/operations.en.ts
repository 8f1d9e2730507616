// The pages of operations, in English.
export * from '../en/entries';
export * from '../en/operation';
