// The wizard, in English.
export * from '../en/agent';
export * from '../en/login';
export * from '../en/oidc';
export * from '../en/provider';
export * from '../en/setup';
