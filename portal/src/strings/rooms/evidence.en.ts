// The page of the log, in English.
export * from '../en/entries';
export * from '../en/evidence';
export * from '../en/proof';
export * from '../en/witness';
