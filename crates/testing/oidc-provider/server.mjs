// A real OpenID provider on a free port of loopback: `node server.mjs REDIRECT_URI...`. It knows everybody, by whatever
// name they enter; only ada's mail address is verified, and only `*.hopper` have a name to sign in with of their own.
// Prints its issuer on the first line and lives as long as its standard input is open. With OIDC_HOST it goes by another name
// of this machine, such as `localhost`: to a browser, a site of its own.
import http from 'node:http';
import Provider from 'oidc-provider';

const server = http.createServer();
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const issuer = `http://${process.env.OIDC_HOST ?? '127.0.0.1'}:${server.address().port}`;

const client = (client_id) => ({
  client_id,
  client_secret: 'the-client-secret-of-a-test',
  redirect_uris: process.argv.slice(2),
  grant_types: ['authorization_code'],
  response_types: ['code'],
});

const provider = new Provider(issuer, {
  clients: [client('fractal'), client('tampered')],
  cookies: { keys: ['a key for the cookies of a test'] },
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'preferred_username'] },
  pkce: { required: () => true },
  ttl: { IdToken: 600, AccessToken: 600, AuthorizationCode: 60, Session: 600, Interaction: 600, Grant: 600 },
  async findAccount(_, sub) {
    return {
      accountId: sub,
      claims: async () => ({
        sub,
        email: `${sub}@example.test`,
        email_verified: sub === 'ada',
        name: `${sub} of the test`,
        ...(sub.endsWith('.hopper') ? { preferred_username: 'Hopper@Corp.test' } : {}),
      }),
    };
  },
});

// What somebody between us and the provider could do: the claims stay, the signature does not.
provider.use(async (ctx, next) => {
  await next();
  const token = ctx.body?.id_token;
  if (token && ctx.oidc?.client?.clientId === 'tampered') {
    const [head, claims, signature] = token.split('.');
    const turned = (signature[0] === 'A' ? 'B' : 'A') + signature.slice(1);
    ctx.body = { ...ctx.body, id_token: [head, claims, turned].join('.') };
  }
});

server.on('request', provider.callback());
console.log(issuer);
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
