// Before somebody is signed in, in English.
export * from '../en/login';
