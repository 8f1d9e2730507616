// The pages of proposals, in German.
export * from '../de/entries';
export * from '../de/proposal';
