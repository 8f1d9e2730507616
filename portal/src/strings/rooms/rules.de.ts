// The page of access rules, in German.
export * from '../de/entries';
export * from '../de/policy';
