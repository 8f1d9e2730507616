// The witnesses of the scripted server: kept in memory, asked nothing; a test says what they answered.
const ago = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();

export const KEY = 'witness.example.org/w3+4a98ebc3+BNdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea';

export function makeWitnesses() {
  const witnesses = [];
  let made = 0;
  const add = (more) => {
    made += 1;
    const one = {
      id: `wit_01k9w3v5x7q2m4n${made}`,
      name: 'witness.example.org/w1',
      url: 'https://witness.example.org',
      key: KEY,
      allow_private_network: false,
      state: 'new',
      size: 0,
      cosigned_at: null,
      last_error: null,
      failing_since: null,
      next_at: ago(0),
      created_at: ago(0),
      ...more,
    };
    witnesses.push(one);
    return one;
  };
  const wrong = (field, message) => ({
    status: 422,
    code: 'invalid-fields',
    title: 'Some fields are not valid',
    more: { errors: [{ field, message }] },
  });

  function answer(method, path, body) {
    const [, , id] = path.slice('/api/v1/'.length).split('/');
    if (!id && method === 'GET') return { status: 200, body: { items: witnesses } };
    if (!id) {
      if (!body.url.startsWith('https://') && !body.allow_private_network)
        return wrong('/url', 'must be https; plain http needs allow_private_network');
      const [name, , key] = body.key.split('+');
      if (!key?.startsWith('B'))
        return wrong('/key', 'cannot be used: a witness’s key has the form NAME+ID+KEY');
      if (witnesses.some((one) => one.name === name))
        return {
          status: 409,
          code: 'already-exists',
          title: 'It exists already',
          more: { detail: 'a witness of this name is taken' },
        };
      const one = add({ ...body, name });
      return { status: 201, body: one, did: 'witness.add', id: one.id };
    }
    const one = witnesses.find((other) => other.id === id);
    if (!one) return { status: 404, code: 'not-found', title: 'Not found' };
    witnesses.splice(witnesses.indexOf(one), 1);
    return { status: 204, did: 'witness.remove', id };
  }
  return { witnesses, add, answer };
}

/** One that cosigns and one that is down. */
export function fillWitnesses({ add }, size) {
  add({ state: 'cosigned', size, cosigned_at: ago(1) });
  add({
    name: 'transparency.example.net/fractal-installations',
    url: 'https://transparency.example.net/fractal-installations/of-the-public-network',
    state: 'unreachable',
    size: size - 20,
    cosigned_at: ago(60 * 26),
    last_error: 'it answered 503 Service Unavailable',
    failing_since: ago(60 * 25),
  });
}
