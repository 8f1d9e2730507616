// The pages of incidents, in English.
export * from '../en/entries';
export * from '../en/incident';
export * from '../en/operation';
