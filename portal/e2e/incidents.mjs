// The incidents of the scripted server: kept in memory; found and mended when a test says so.
import { GRACE } from './operations.mjs';
import { ADA } from './proposals.mjs';

const ago = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();
const DAY = 60 * 24;
export const COLLECTOR = 'inst_01k9w3v5x7almost';

const forbidden = { status: 403, code: 'forbidden', title: 'You may not do this' };

export function makeIncidents() {
  const list = [];
  const checks = [];
  let made = 0;

  const mine = (one, me) => one.owner?.id === me.id;
  const maySee = (one, me) => mine(one, me) || me.permissions.includes('incident.list');
  const view = (one, me) => ({
    ...one,
    can_acknowledge: one.state === 'open' && me.permissions.includes('incident.acknowledge'),
  });
  const open = (more) => {
    made += 1;
    const at = more.opened_at ?? ago(0);
    const one = {
      id: `incd_01k9w3v5x7q2m4n6p8r0s2t4${String(made).padStart(2, '0')}`,
      check: 'instance-failed',
      severity: 'failed',
      state: 'open',
      finding: 'it ended five times within a minute: not enough memory',
      remedy: null,
      patch: null,
      attempts: 0,
      resource_kind: 'instance',
      resource_id: COLLECTOR,
      owner: ADA,
      acknowledged_by: null,
      acknowledged_at: null,
      note: null,
      opened_at: at,
      seen_at: ago(1),
      resolved_at: null,
      ...more,
    };
    list.push(one);
    return one;
  };
  /** It is not found any more. */
  const resolve = (one, at = ago(0)) =>
    Object.assign(one, { state: 'resolved', seen_at: at, resolved_at: at });
  /** A check, and when it looked. */
  const check = (id, about, looked_at, error = null) => checks.push({ id, about, looked_at, error });
  const look = () => {
    for (const one of checks) Object.assign(one, { looked_at: ago(0), error: null });
  };
  const found = ({ id, about, looked_at, error }) => {
    const now = list.filter((one) => one.check === id && one.state === 'open');
    const worst = now.some((one) => one.severity === 'failed') ? 'failed' : now[0]?.severity;
    return {
      id,
      about,
      outcome: looked_at ? (worst ?? 'good') : null,
      findings: now.length,
      looked_at,
      error,
    };
  };

  function answer(method, path, query, body, me) {
    const may = (action) => me.permissions.includes(action);
    const [noun, id, what] = path.split('/').slice(3);
    if (noun === 'checks') {
      if (!may(id === 'run' ? 'check.run' : 'check.view')) return forbidden;
      if (id === 'run') look();
      return { status: 200, body: checks.map(found) };
    }
    if (!may('incident.view')) return forbidden;
    const seen = list.filter((one) => maySee(one, me));
    if (!id) {
      const limit = Number(query.get('limit') ?? 50);
      const from = Number(query.get('cursor') ?? 0);
      const all = seen
        .filter((one) => !query.get('state') || one.state === query.get('state'))
        .filter((one) => !query.get('resource_id') || one.resource_id === query.get('resource_id'))
        .sort((a, b) => b.opened_at.localeCompare(a.opened_at));
      const items = all.slice(from, from + limit).map((one) => view(one, me));
      const next = from + limit < all.length ? String(from + limit) : null;
      return { status: 200, body: { items, next_cursor: next } };
    }
    const one = seen.find((other) => other.id === id);
    if (!one) return { status: 404, code: 'not-found', title: 'Not found' };
    if (method === 'GET') return { status: 200, body: view(one, me) };
    if (what !== 'acknowledge' || !may('incident.acknowledge')) return forbidden;
    if (one.state === 'resolved')
      return {
        status: 409,
        code: 'conflict',
        title: 'That does not fit its present state',
        more: { detail: 'it is resolved already' },
      };
    Object.assign(one, {
      acknowledged_by: { id: me.id, username: me.username },
      acknowledged_at: ago(0),
      note: body?.note ?? null,
    });
    return { status: 200, body: view(one, me), did: 'incident.acknowledge', id };
  }
  return { list, checks, open, resolve, check, look, answer };
}

/** Some of each kind, open and over, and one that this release knows no words for. */
export function fillIncidents({ open, resolve, check }, operations, webhooks) {
  check('instance-disk', 'how near the files of each agent are to their limit', ago(2));
  check('instance-failed', 'agents that should run and do not', ago(1));
  check('jobs-failing', 'work that failed for good', ago(1));
  check('log-unsealed', 'entries that are not sealed', ago(2));
  check('operation-stuck', 'operations that wait for a choice', ago(1));
  check('webhook-failing', 'webhooks whose messages were given up', ago(3));

  const before = open({
    check: 'log-unsealed',
    finding: '214 entries of the log are not sealed, the oldest since 12 minutes',
    resource_kind: 'evidence',
    resource_id: 'log',
    owner: null,
    opened_at: ago(3 * DAY + 12),
  });
  resolve(before, ago(3 * DAY));
  const slept = open({
    finding: 'it does not answer: its address is taken by another program',
    patch: 'it was started again on another port',
    attempts: 2,
    acknowledged_by: GRACE,
    acknowledged_at: ago(DAY + 20),
    note: 'The printer service had its port. Moved that one.',
    opened_at: ago(DAY + 64),
  });
  resolve(slept, ago(DAY));

  open({
    check: 'instance-disk',
    severity: 'attention',
    finding: 'its files take 4.6 GiB of the 5.0 GiB they may (93 %)',
    remedy: 'have it delete what it does not need, or have an administrator raise the limit',
    opened_at: ago(4 * DAY),
  });
  open({
    check: 'webhook-failing',
    severity: 'attention',
    finding: '3 messages to it were given up; it answered 503 Service Unavailable',
    remedy: 'mend the receiver, send a test, then send again what was given up',
    resource_kind: 'webhook',
    resource_id: webhooks.hooks[1].id,
    owner: null,
    acknowledged_by: ADA,
    acknowledged_at: ago(35),
    note: 'The monitoring moves to another machine today.\nBack by the evening.',
    opened_at: ago(80),
  });
  open({
    check: 'operation-stuck',
    finding: 'it can neither go on nor be undone: the engine 2026.9.6 cannot be read, its folder is gone',
    remedy: 'open it and choose whether to try again or to skip the step',
    resource_kind: 'operation',
    resource_id: operations.list.find((one) => one.state === 'stuck').id,
    opened_at: ago(25),
  });
  open({
    finding: 'it ended five times within a minute: not enough memory',
    remedy: 'raise its limit, then start it',
    patch: 'it was started again, a little later each time',
    attempts: 5,
    resource_id: 'inst_01k9w3v5x7grace',
    owner: GRACE,
    opened_at: ago(12),
  });
}
