// The pages of settings, in German.
export * from '../de/account';
export * from '../de/agent';
export * from '../de/installation';
export * from '../de/login';
export * from '../de/oidc';
export * from '../de/people';
export * from '../de/provider';
export * from '../de/skills';
export * from '../de/tokens';
export * from '../de/usage';
