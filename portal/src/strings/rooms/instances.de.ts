// The pages of agents, in German.
export * from '../de/entries';
export * from '../de/incident';
export * from '../de/instance';
export * from '../de/instances';
export * from '../de/operation';
