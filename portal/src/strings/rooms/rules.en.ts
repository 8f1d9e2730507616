// The page of access rules, in English.
export * from '../en/entries';
export * from '../en/policy';
