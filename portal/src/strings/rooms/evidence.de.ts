// The page of the log, in German.
export * from '../de/entries';
export * from '../de/evidence';
export * from '../de/proof';
export * from '../de/witness';
