// The log of the scripted server: a real Merkle tree (RFC 6962) under really signed heads (C2SP signed-note), and ways to
// tamper with each, so that what the browser verifies can pass and fail.
import { createHash, createPrivateKey, createPublicKey, randomBytes, sign } from 'node:crypto';

const sha256 = (...parts) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};
const leafHash = (leaf) => sha256(Buffer.of(0), leaf);
const nodeHash = (left, right) => sha256(Buffer.of(1), left, right);
const hex = (hash) => hash.toString('hex');

/** The largest power of two below `n`. */
const split = (n) => 2 ** Math.floor(Math.log2(n - 1));
function root(hashes) {
  if (hashes.length === 0) return sha256();
  if (hashes.length === 1) return hashes[0];
  const middle = split(hashes.length);
  return nodeHash(root(hashes.slice(0, middle)), root(hashes.slice(middle)));
}
/** RFC 6962 section 2.1.1. */
function path(index, hashes) {
  if (hashes.length <= 1) return [];
  const middle = split(hashes.length);
  const [left, right] = [hashes.slice(0, middle), hashes.slice(middle)];
  return index < middle ? [...path(index, left), root(right)] : [...path(index - middle, right), root(left)];
}
/** RFC 6962 section 2.1.2. */
function growth(old, hashes, known = true) {
  if (old === hashes.length) return known ? [] : [root(hashes)];
  const middle = split(hashes.length);
  const [left, right] = [hashes.slice(0, middle), hashes.slice(middle)];
  return old <= middle
    ? [...growth(old, left, known), root(right)]
    : [...growth(old - middle, right, false), root(left)];
}
/** The complete subtrees before a position, largest first. */
function frontier(hashes) {
  const peaks = [];
  for (let at = 0; at < hashes.length; ) {
    const size = 2 ** Math.floor(Math.log2(hashes.length - at));
    peaks.push(root(hashes.slice(at, at + size)));
    at += size;
  }
  return peaks;
}

function canonical(value) {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const members = Object.keys(value).sort();
  return `{${members.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(',')}}`;
}

/** A key as signed notes spell it; the same number is the same key. */
export function makeKey(name, number) {
  const pkcs8 = Buffer.concat([
    Buffer.from('302e020100300506032b657004220420', 'hex'),
    sha256(`portal ${number}`),
  ]);
  const secret = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  const raw = createPublicKey(secret).export({ format: 'der', type: 'spki' }).subarray(-32);
  const id = sha256(name, '\n', Buffer.of(1), raw).subarray(0, 4);
  return {
    text: `${name}+${hex(id)}+${Buffer.concat([Buffer.of(1), raw]).toString('base64')}`,
    sign: (text) => {
      const signature = Buffer.concat([id, sign(null, Buffer.from(text), secret)]);
      return `${text}\n\u2014 ${name} ${signature.toString('base64')}\n`;
    },
  };
}

const digits = (n) => n.toString(32).padStart(10, '0');

/** An empty log; `names` gives the sign-in names of people who are still there. */
export function makeLog(names = {}) {
  const origin = 'fractal/01k9w3v5x7q2m4n6';
  const rows = [];
  const readers = new Set();
  let key = makeKey(origin, 1);
  /** What a position is told to hold, other than what was sealed there. */
  let forged = { seq: 0, change: {} };
  const told = (seq) => ({ ...rows[seq - 1].entry, ...(forged.seq === seq ? forged.change : {}) });

  const hashesOf = (size) => rows.slice(0, size).map((row) => leafHash(row.leaf));
  const noteOf = (size) => key.sign(`${origin}\n${size}\n${root(hashesOf(size)).toString('base64')}\n`);

  /** Appends and seals an entry; whoever follows hears of it. */
  function append({ at = new Date(), actor = '', action, kind, id = '', outcome = 'done', ...more }) {
    const seq = rows.length + 1;
    const values = more.values ?? {};
    const openings = {};
    const commitments = {};
    for (const [field, value] of Object.entries(values)) {
      const salt = randomBytes(32);
      openings[field] = { salt: hex(salt), value };
      commitments[field] = hex(sha256('fractal commitment 1', salt, canonical(value)));
    }
    const entry = {
      id: `ev_01k9w3v5x7${digits(seq * 7919)}000000`,
      organization_id: 'org_01k9',
      at: new Date(at).toISOString(),
      actor_kind: actor === '' ? 'system' : actor.split('_')[0] === 'inst' ? 'instance' : 'user',
      actor_id: actor,
      via: more.via ?? (actor === '' ? 'internal' : actor.startsWith('inst') ? 'instance_token' : 'browser'),
      action,
      resource_kind: kind,
      resource_id: id,
      outcome,
      decision: more.policies ? { allowed: outcome !== 'refused', policies: more.policies } : null,
      commitments,
      request_id: actor === '' ? null : `req_01k9w3v5x7${digits(seq * 104729)}000000`,
    };
    const row = { entry, openings, private: more.private ?? false, leaf: canonical({ seq, ...entry }) };
    rows.push(row);
    for (const reader of readers) reader(view(seq));
    return seq;
  }

  function view(seq) {
    const { openings, private: hidden } = rows[seq - 1];
    const { organization_id, request_id, ...rest } = told(seq);
    const shown = hidden ? [] : Object.entries(openings);
    return {
      seq,
      ...rest,
      ...(names[rest.actor_id] ? { actor_name: names[rest.actor_id] } : {}),
      values: Object.fromEntries(shown.map(([field, { value }]) => [field, value])),
      ...(request_id ? { request_id } : {}),
    };
  }

  function list(params) {
    const wanted = (name, has) => !params.has(name) || has(params.get(name));
    const limit = Number(params.get('limit') ?? 50);
    const found = rows
      .map((_, i) => view(i + 1))
      .filter(
        (one) =>
          wanted('actor', (id) => (id === 'system' ? one.actor_kind === 'system' : one.actor_id === id)) &&
          wanted('action', (text) =>
            text.endsWith('.') ? one.action.startsWith(text) : one.action === text,
          ) &&
          wanted('resource_kind', (kind) => one.resource_kind === kind) &&
          wanted('resource_id', (id) => one.resource_id === id) &&
          wanted('outcome', (outcome) => one.outcome === outcome) &&
          wanted('from', (from) => Date.parse(one.at) >= Date.parse(from)) &&
          wanted('to', (to) => Date.parse(one.at) < Date.parse(to)) &&
          wanted('cursor', (cursor) => one.seq < Number(cursor)),
      )
      .reverse();
    const items = found.slice(0, limit);
    return { items, ...(found.length > limit ? { next_cursor: String(items.at(-1).seq) } : {}) };
  }

  return {
    append,
    view,
    list,
    size: () => rows.length,
    head: () => ({
      size: rows.length,
      ...(rows.length > 0 ? { note: noteOf(rows.length), signed_at: rows.at(-1).entry.at } : {}),
      key: key.text,
      waiting: 0,
    }),
    proof(seq, size = rows.length) {
      const leaf = canonical({ seq, ...told(seq) });
      return {
        seq,
        leaf,
        leaf_hash: hex(leafHash(leaf)),
        size,
        hashes: path(seq - 1, hashesOf(size)).map(hex),
        note: noteOf(size),
      };
    },
    consistency: (from, to = rows.length) => ({
      from,
      to,
      hashes: growth(from, hashesOf(to)).map(hex),
      note: noteOf(to),
    }),
    export(first = 1, values = false) {
      const header = {
        fractal_evidence: 1,
        origin,
        key: key.text,
        first,
        frontier: frontier(hashesOf(first - 1)).map(hex),
      };
      const lines = rows.slice(first - 1).map((row) => {
        const opened = values && !row.private && Object.keys(row.openings).length > 0;
        const rest = opened ? `,"openings":${JSON.stringify(row.openings)}` : '';
        return `{"hash":"${hex(leafHash(row.leaf))}","leaf":${row.leaf}${rest}}`;
      });
      const end = JSON.stringify({ checkpoint: noteOf(rows.length) });
      return `${[JSON.stringify(header), ...lines, end].join('\n')}\n`;
    },
    /** Hands over entries after a position, then those that come; gives back how to stop. */
    follow(after, reader) {
      for (let seq = after + 1; seq <= rows.length; seq++) reader(view(seq));
      readers.add(reader);
      return () => readers.delete(reader);
    },
    /** From now on this position is told differently than it was sealed, with a hash that fits what is told. */
    forge: (seq, change) => {
      forged = { seq, change };
    },
    /** Another key signs, as after a new installation, or a theft. */
    rekey: () => {
      key = makeKey(origin, 2);
    },
    /** History itself is changed, and every head and proof fits the new one. */
    rewrite(seq, change) {
      const row = rows[seq - 1];
      Object.assign(row.entry, change);
      row.leaf = canonical({ seq, ...row.entry });
    },
    /** The newest entries are gone, as after an older backup was put back. */
    cut: (size) => {
      rows.length = size;
    },
  };
}

const ADA = 'user_01k9w3v5x7ada';
const GRACE = 'user_2';
const OWN = 'inst_01k9w3v5x7q2m4n6';

/** What happened in a small installation until now: enough for two pages. */
export function fillLog(log) {
  const now = Date.now();
  const minutes = (n) => new Date(now - n * 60_000);
  const people = ['admin-people'];
  const life = ['own'];
  log.append({
    at: minutes(14_000),
    via: 'setup_token',
    action: 'setup.claim',
    kind: 'user',
    outcome: 'refused',
  });
  log.append({
    at: minutes(13_999),
    via: 'setup_token',
    action: 'setup.claim',
    kind: 'user',
    id: ADA,
    policies: ['system-admits-people'],
    values: { username: 'ada', role: 'owner', breakglass: true },
  });
  log.append({
    at: minutes(13_995),
    actor: ADA,
    action: 'provider.create',
    kind: 'provider',
    id: 'prov_01k9demo',
    policies: ['own'],
    private: true,
    values: { name: 'Demo', type: 'demo', shared: true },
  });
  log.append({
    at: minutes(13_990),
    actor: ADA,
    action: 'instance.create',
    kind: 'instance',
    id: OWN,
    policies: life,
    values: { name: 'Ada', engine_id: 'eng_01k9w3v5x7', wanted: 'running' },
  });
  for (let day = 9; day > 0; day--) {
    const at = (n) => minutes(day * 1440 - n);
    log.append({
      at: at(0),
      actor: ADA,
      action: 'session.sign_in',
      kind: 'browser_session',
      id: `sess_01k9w3v5x7${digits(day)}`,
      values: { how: 'password', address: '192.0.2.7' },
    });
    log.append({
      at: at(1),
      action: 'instance.seen',
      kind: 'instance',
      id: OWN,
      outcome: 'starting',
      values: { from: 'frozen' },
    });
    log.append({
      at: at(1.2),
      action: 'instance.seen',
      kind: 'instance',
      id: OWN,
      outcome: 'ready',
      values: { from: 'starting' },
    });
    log.append({
      at: at(60),
      actor: GRACE,
      action: 'profile.update',
      kind: 'profile',
      id: 'prof_2',
      policies: ['own'],
      private: true,
      values: { model: 'large-1', tools: 'ask' },
    });
    log.append({
      at: at(95),
      actor: ADA,
      action: 'token.create',
      kind: 'api_token',
      id: `tok_${day}`,
      policies: ['own'],
      values: { name: 'Backup script', scopes: ['read'] },
    });
    log.append({
      at: at(240),
      action: 'instance.seen',
      kind: 'instance',
      id: OWN,
      outcome: 'frozen',
      values: { from: 'ready' },
    });
  }
  log.append({
    at: minutes(190),
    actor: GRACE,
    via: 'api_token',
    action: 'key.rotate',
    kind: 'settings',
    outcome: 'refused',
    policies: [],
  });
  log.append({
    at: minutes(124),
    action: 'session.sign_in',
    via: 'browser',
    kind: 'user',
    id: GRACE,
    outcome: 'refused',
  });
  log.append({
    at: minutes(121),
    actor: GRACE,
    action: 'session.sign_in',
    kind: 'browser_session',
    id: 'sess_grace',
    values: { how: 'oidc', address: '198.51.100.4' },
  });
  log.append({
    at: minutes(74),
    actor: ADA,
    action: 'user.set_role',
    kind: 'user',
    id: GRACE,
    policies: people,
    values: { role: 'admin' },
  });
  log.append({
    at: minutes(50),
    action: 'instance.seen',
    kind: 'instance',
    id: OWN,
    outcome: 'crash_looping',
    values: { from: 'starting', reason: 'not enough memory' },
  });
  log.append({
    at: minutes(42),
    actor: ADA,
    action: 'instance.start',
    kind: 'instance',
    id: OWN,
    policies: life,
    values: { wanted: 'running', generation: 3 },
  });
  log.append({
    at: minutes(41),
    action: 'instance.seen',
    kind: 'instance',
    id: OWN,
    outcome: 'ready',
    values: { from: 'starting' },
  });
  log.append({
    at: minutes(6),
    actor: GRACE,
    action: 'provider.update',
    kind: 'provider',
    id: 'prov_01k9grace',
    policies: ['own'],
    private: true,
    values: { name: 'Mine', type: 'anthropic', key_version: 2 },
  });
  log.append({
    at: minutes(2),
    actor: ADA,
    action: 'settings.update',
    kind: 'settings',
    policies: ['admin-installation'],
    values: { allowed_hosts: ['agents.local'] },
  });
  return log;
}
