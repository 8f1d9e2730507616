// The pages of agents, in English.
export * from '../en/entries';
export * from '../en/incident';
export * from '../en/instance';
export * from '../en/instances';
export * from '../en/operation';
