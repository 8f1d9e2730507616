// The pages of settings, in English.
export * from '../en/account';
export * from '../en/agent';
export * from '../en/installation';
export * from '../en/login';
export * from '../en/oidc';
export * from '../en/people';
export * from '../en/provider';
export * from '../en/skills';
export * from '../en/tokens';
export * from '../en/usage';
