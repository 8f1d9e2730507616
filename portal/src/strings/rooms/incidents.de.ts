// The pages of incidents, in German.
export * from '../de/entries';
export * from '../de/incident';
export * from '../de/operation';
