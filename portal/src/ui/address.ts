/** Where identity providers send browsers back to. */
const CALLBACK = '/api/v1/auth/oidc/callback';

/** The whole redirect address: without a public address the server knows only its path, and we know where the Portal was opened. */
export function redirectAddress(uri: string = CALLBACK): string {
  return uri.startsWith('/') ? location.origin + uri : uri;
}
