// The pages of operations, in German.
export * from '../de/entries';
export * from '../de/operation';
