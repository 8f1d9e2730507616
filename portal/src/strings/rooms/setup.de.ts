// The wizard, in German.
export * from '../de/agent';
export * from '../de/login';
export * from '../de/oidc';
export * from '../de/provider';
export * from '../de/setup';
