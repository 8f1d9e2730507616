// The webhooks of the scripted server: kept in memory, told nothing; a test says how their receivers answer.
const ago = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();

export const SECRET = 'whsec_bm90IGEgc2VjcmV0LCBvbmx5IGFuIGV4YW1wbGU=';

/** What a real receiver's refusal looks like. */
const REFUSAL = { last_status: 503, last_error: 'it answered 503 Service Unavailable' };

export function makeWebhooks() {
  const hooks = [];
  const deliveries = [];
  let made = 0;
  /** The bodies are counted from the messages, as the real server does. */
  const view = (hook) => {
    const of = (state) => deliveries.filter((one) => one.hook === hook.id && one.state === state).length;
    const { healthy, ...rest } = hook;
    return { ...rest, waiting: of('pending'), dead: of('dead') };
  };
  const delivery = ({ hook, ...rest }) => rest;
  const wrong = (field, message) => ({
    status: 422,
    code: 'invalid-fields',
    title: 'Some fields are not valid',
    more: { errors: [{ field, message }] },
  });
  const refused = (body, id) => {
    if (body.url !== undefined && !body.url.startsWith('https://') && !body.allow_private_network)
      return wrong('/url', 'must be https; plain http needs allow_private_network');
    const bad = body.events?.findIndex((one) => !/^(\*|[a-z_]+\.[a-z_]*)$/.test(one)) ?? -1;
    if (bad >= 0) return wrong(`/events/${bad}`, 'must be an action like instance.start');
    if (hooks.some((one) => one.id !== id && one.name === body.name))
      return {
        status: 409,
        code: 'already-exists',
        title: 'It exists already',
        more: { detail: 'the name is taken' },
      };
  };
  const add = (more) => {
    made += 1;
    const hook = {
      id: `hook_01k9w3v5x7q2m4n${made}`,
      name: 'Webhook',
      url: 'https://example.org/hooks/fractal',
      events: ['*'],
      enabled: true,
      allow_private_network: false,
      last_status: null,
      last_error: null,
      last_delivered_at: null,
      created_at: ago(0),
      updated_at: ago(0),
      healthy: true,
      ...more,
    };
    hooks.push(hook);
    return hook;
  };
  /** Newest last. */
  const queue = (hook, more) => {
    const one = {
      hook: hook.id,
      id: `dlv_01k9w3v5x7q2m4n${deliveries.length + 1}`,
      seq: 40 + deliveries.length,
      event: 'instance.start',
      resource: 'instance:inst_01k9w3v5x7q2m4n6',
      state: 'delivered',
      attempts: 1,
      last_status: 204,
      last_error: null,
      created_at: ago(5),
      done_at: null,
      ...more,
    };
    deliveries.push(one);
    return one;
  };
  /** Attempts everything that is due, as the receiver answers now. */
  const attempt = () => {
    for (const one of deliveries.filter((other) => other.state === 'pending')) {
      const hook = hooks.find((other) => other.id === one.hook);
      one.attempts += 1;
      const told = hook.healthy ? { last_status: 204, last_error: null } : REFUSAL;
      Object.assign(one, told);
      Object.assign(hook, told);
      if (!hook.healthy) continue;
      Object.assign(one, { state: 'delivered', done_at: ago(0), next_at: undefined });
      hook.last_delivered_at = ago(0);
    }
  };

  function answer(method, path, query, body) {
    const [, id, what, which] = path.slice('/api/v1/'.length).split('/');
    if (!id && method === 'GET') return { status: 200, body: { items: hooks.map(view) } };
    if (!id) {
      const problem = refused(body);
      if (problem) return problem;
      const hook = add(body);
      return {
        status: 201,
        body: { webhook: view(hook), secret: SECRET },
        did: 'webhook.create',
        id: hook.id,
      };
    }
    const hook = hooks.find((one) => one.id === id);
    if (!hook) return { status: 404, code: 'not-found', title: 'Not found' };
    if (!what && method === 'GET') return { status: 200, body: view(hook) };
    if (!what && method === 'DELETE') {
      hooks.splice(hooks.indexOf(hook), 1);
      return { status: 204, did: 'webhook.delete', id };
    }
    if (!what) {
      const problem = refused(body, id);
      if (problem) return problem;
      Object.assign(hook, body);
      return { status: 200, body: view(hook), did: 'webhook.update', id };
    }
    if (what === 'rotate-secret')
      return { status: 200, body: { webhook: view(hook), secret: SECRET }, did: 'webhook.update', id };
    if (what === 'test') {
      const { last_status: status, last_error: error } = REFUSAL;
      return {
        status: 200,
        body: hook.healthy
          ? { ok: true, status: 204, latency_ms: 84, error: null }
          : { ok: false, status, latency_ms: 31, error },
      };
    }
    if (!which) {
      const state = query.get('state');
      const limit = Number(query.get('limit') ?? 50);
      const from = Number(query.get('cursor') ?? 0);
      const all = deliveries.filter((one) => one.hook === id && (!state || one.state === state)).reverse();
      return {
        status: 200,
        body: {
          items: all.slice(from, from + limit).map(delivery),
          next_cursor: from + limit < all.length ? String(from + limit) : null,
        },
      };
    }
    const one = deliveries.find((other) => other.id === which);
    if (one.state === 'pending')
      return {
        status: 409,
        code: 'conflict',
        title: 'That does not fit its present state',
        more: { detail: 'it is on its way already' },
      };
    Object.assign(one, { state: 'pending', attempts: 0, next_at: ago(0), done_at: null });
    return { status: 202, body: delivery(one), did: 'webhook.replay', id };
  }
  return { hooks, deliveries, add, queue, attempt, answer };
}

/** One that works, one that fails, one that is paused. */
export function fillWebhooks(webhooks) {
  const { add, queue } = webhooks;
  const works = add({
    name: 'Chat room of operations',
    url: 'https://chat.example.org/hooks/7f3a',
    events: ['instance.seen', 'instance.stop', 'engine.', 'user.'],
    last_status: 204,
    last_delivered_at: ago(4),
  });
  for (const [i, event] of ['user.create', 'instance.seen', 'instance.stop', 'instance.start'].entries())
    queue(works, { event, created_at: ago(90 - i * 20), done_at: ago(89 - i * 20) });
  const fails = add({
    name: 'Inventory',
    url: 'http://inventory.internal:8080/fractal/events?source=installation-in-the-basement',
    allow_private_network: true,
    healthy: false,
    last_delivered_at: ago(60 * 31),
    ...REFUSAL,
  });
  for (let i = 0; i < 34; i++)
    queue(fails, {
      event: ['token.create', 'instance.seen'][i % 2],
      created_at: ago(60 * 40 - i),
      done_at: ago(60 * 40 - i),
    });
  const dead = { ...REFUSAL, state: 'dead', attempts: 30 };
  queue(fails, {
    ...dead,
    event: 'user.create',
    resource: 'user:user_2',
    created_at: ago(60 * 30),
    done_at: ago(60),
  });
  queue(fails, { ...dead, event: 'instance.create', created_at: ago(60 * 29), done_at: ago(50) });
  queue(fails, {
    ...REFUSAL,
    event: 'settings.update',
    resource: 'settings:installation',
    state: 'pending',
    attempts: 7,
    created_at: ago(9),
    next_at: ago(-5),
  });
  queue(fails, {
    event: 'provider.update',
    resource: 'provider:prov_01k9w3v5x7',
    state: 'pending',
    attempts: 0,
    last_status: null,
    created_at: ago(0),
    next_at: ago(0),
  });
  add({
    name: 'Old monitoring',
    url: 'https://monitoring.example.org/in',
    events: ['instance.'],
    enabled: false,
  });
}
