// Before somebody is signed in, in German.
export * from '../de/login';
