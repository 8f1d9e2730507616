// The pages of proposals, in English.
export * from '../en/entries';
export * from '../en/proposal';
