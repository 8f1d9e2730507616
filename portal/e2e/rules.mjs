// The access rules of the scripted server: the built-in ones as they are released, versions in memory, and just enough of a judge
// that findings, tests and answers are those of the text that was sent.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const released = (file) => readFileSync(join(import.meta.dirname, '..', '..', 'policies', file), 'utf8');
const ago = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();

export const NO_MEMBERS = `@id("no-members")
forbid (principal is User, action == Action::"instance.create", resource)
when { principal has role && principal.role == "member" };
`;
export const TWO_OWNERS = `// Keys leave the house only when another owner agrees.
@id("keys-need-two")
@approval("owner:1")
forbid (principal is User, action == Action::"key.export", resource)
unless { context.approved };
`;

/** Rules by their annotations; enough for texts that are well written. */
function read(text) {
  return [...text.matchAll(/(?:@\w+\("[^"]*"\)\s*)*\b(permit|forbid)\s*\([^;]*;/g)].map((match) => ({
    id: /@id\("([^"]*)"\)/.exec(match[0])?.[1],
    description: /@description\("([^"]*)"\)/.exec(match[0])?.[1] ?? '',
    effect: match[1],
    text: match[0],
    at: match.index,
  }));
}

const BUILTIN = ['breakglass.cedar', 'builtin.cedar'].flatMap((file) => read(released(file)));

function place(text, at) {
  const before = text.slice(0, at).split('\n');
  return { line: before.length, column: before.at(-1).length + 1 };
}

function check(text, tests) {
  const findings = [];
  const say = (severity, at, message, more = {}) =>
    findings.push({ severity, ...place(text, at), policy: null, message, help: null, ...more });
  const rules = read(text);
  for (const rule of rules) {
    if (!rule.id) say('error', rule.at, 'this rule has no name', { help: 'begin it with @id("…")' });
    else if (BUILTIN.some((one) => one.id === rule.id))
      say('error', rule.at, `the name ${rule.id} is taken`, { policy: rule.id });
    const typo = /principal\.rol\b/.exec(rule.text);
    if (typo)
      say('error', rule.at + typo.index, 'attribute `rol` on entity type `User` not found', {
        policy: rule.id ?? null,
        help: 'did you mean `role`?',
      });
    const never = /\bfalse\b/.exec(rule.text);
    if (never) say('warning', rule.at + never.index, 'this rule never applies', { policy: rule.id ?? null });
  }
  const open = /\b(permit|forbid)\b(?![^;]*;)/.exec(text);
  if (open) say('error', text.trimEnd().length, 'unexpected end of input', { help: 'expected `;`' });
  findings.sort((a, b) => a.line - b.line || a.column - b.column);
  const sound = findings.every((one) => one.severity !== 'error');
  const results = !sound
    ? []
    : tests.map((test) => {
        const decision = decide(text, test.request);
        return { name: test.name, expect: test.expect, ok: decision.outcome === test.expect, decision };
      });
  return {
    ok: sound && results.every((one) => one.ok),
    policies: rules.map((one) => one.id).filter(Boolean),
    findings,
    tests: results,
  };
}

/** The roles as the built-in rules give them, as far as questions here go; then what was added. */
function decide(text, { actor, action, resource, approved }) {
  const role = actor.user ? 'member' : (actor.role ?? 'member');
  const decision = (outcome, policies, more = {}) => ({
    outcome,
    reason: outcome === 'deny' ? (policies.length > 0 ? 'forbidden' : 'not_permitted') : null,
    policies,
    approvals: [],
    ...more,
  });
  for (const rule of read(text).filter((one) => one.effect === 'forbid')) {
    const about = /action == Action::"([^"]+)"/.exec(rule.text)?.[1];
    const whom = /principal\.role == "(\w+)"/.exec(rule.text)?.[1];
    if (about !== action || (whom && whom !== role)) continue;
    if (!rule.text.includes('@approval')) return decision('deny', [rule.id]);
    if (!approved) return decision('needs_approval', [rule.id], { approvals: [{ role: 'owner', count: 1 }] });
  }
  const own = (resource.owner ?? 'self') === 'self';
  if (/^(chat|profile|token|session)\./.test(action) && !own) return decision('deny', ['privacy']);
  if (own && /^(instance|chat|profile|provider|token|session)\./.test(action))
    return decision('allow', ['own']);
  if (action.startsWith('key.') && role === 'owner') return decision('allow', ['owner-keys']);
  if (['admin', 'owner'].includes(role) && /^instance\.(start|stop|restart|delete|view)/.test(action))
    return decision('allow', ['admin-lifecycle']);
  return decision('deny', []);
}

export function makeRules() {
  const versions = [];
  const latest = () => versions.at(-1);
  const view = () => ({
    version: latest()?.version ?? 0,
    text: latest()?.text ?? '',
    tests: latest()?.tests ?? [],
    builtin: BUILTIN.map(({ id, effect, description, text }) => ({ id, effect, description, text })),
    schema: released('fractal.cedarschema'),
  });
  const shown = (one) => ({ ...one, in_force: one === latest() });
  const put = (text, tests, comment, author, minutes = 0) =>
    versions.push({ version: versions.length + 1, comment, author, text, tests, created_at: ago(minutes) });
  const wrong = (field, message) => ({
    status: 422,
    code: 'invalid-fields',
    title: 'Some fields are not valid',
    more: { errors: [{ field, message }] },
  });
  const askable = (tests) => {
    const bad = tests.findIndex((test) => !/^[a-z_]+\.[a-z_]+$/.test(test.request?.action ?? ''));
    if (bad >= 0)
      return wrong(
        `/tests/${bad}/request/action`,
        'there is no such action; the schema lists them, like instance.delete',
      );
  };

  /** What members did with agents, and how it would come out. */
  function impact(text) {
    const made = [
      ['grace', 'user_2', 'instance.create', 'instance', null, 'member', 14],
      ['alan', 'user_3', 'instance.create', 'instance', 'inst_01k9w3v5x7grace', 'member', 3],
      ['ada', 'user_01k9w3v5x7ada', 'key.export', 'settings', null, 'owner', 1],
      ['ada', 'user_01k9w3v5x7ada', 'instance.start', 'instance', 'inst_01k9w3v5x7q2m4n6', 'owner', 210],
    ];
    const changes = made.flatMap(([username, id, action, kind, resource_id, role, times], i) => {
      const after = decide(text, { actor: { role }, action, resource: { kind } });
      if (after.outcome === 'allow') return [];
      return [
        {
          who: { id, username },
          action,
          resource_kind: kind,
          resource_id,
          before: 'allow',
          after,
          times,
          last_at: ago(90 * (i + 1)),
        },
      ];
    });
    const sum = (outcome) =>
      changes.filter((one) => one.after.outcome === outcome).reduce((n, one) => n + one.times, 0);
    return {
      asked: 228,
      since: ago(60 * 24 * 12),
      refused: sum('deny'),
      allowed: 0,
      held: sum('needs_approval'),
      changes,
    };
  }

  function answer(method, path, body, author) {
    const key = `${method} ${path.slice('/api/v1/policy'.length)}`;
    if (key === 'GET ') return { status: 200, body: view() };
    if (key === 'GET /versions') return { status: 200, body: { items: versions.map(shown).reverse() } };
    const one = /^GET \/versions\/(\d+)$/.exec(key);
    if (one) {
      const found = versions[Number(one[1]) - 1];
      return found
        ? { status: 200, body: shown(found) }
        : { status: 404, code: 'not-found', title: 'Not found' };
    }
    const tests = body?.tests ?? latest()?.tests ?? [];
    if (key === 'POST /check') return askable(tests) ?? { status: 200, body: check(body.text, tests) };
    if (key === 'POST /simulate') {
      const text = body.text ?? latest()?.text ?? '';
      return {
        status: 200,
        body: body.request
          ? { decision: decide(text, body.request), impact: null }
          : { decision: null, impact: impact(text) },
      };
    }
    if (key === 'POST /reset') {
      put('', [], 'reset', author);
      return { status: 200, body: view(), did: 'policy.reset' };
    }
    if (body.base_version !== (latest()?.version ?? 0))
      return {
        status: 409,
        code: 'conflict',
        title: 'That does not fit its present state',
        more: { detail: `version ${latest().version} of the access rules was put in force meanwhile` },
      };
    if (body.text.includes('policy.update'))
      return wrong('/text', 'would lock you out: no-policies would keep you from changing the rules again');
    if (!check(body.text, tests).ok) return wrong('/text', 'is not sound');
    put(body.text, tests, body.comment, author);
    return { status: 200, body: view(), did: 'policy.update' };
  }
  return { versions, put, answer };
}

/** Two versions: a rule, then a second one with a test. */
export function fillRules(rules) {
  const ada = { id: 'user_01k9w3v5x7ada', username: 'ada' };
  rules.put(NO_MEMBERS, [], 'agents by request only', ada, 60 * 24 * 20);
  rules.put(
    `${NO_MEMBERS}\n${TWO_OWNERS}`,
    [
      {
        name: 'members ask for agents',
        expect: 'deny',
        request: {
          actor: { role: 'member', breakglass: false },
          action: 'instance.create',
          resource: { kind: 'instance' },
          approved: false,
        },
      },
      {
        name: 'nobody reads the chats of others',
        expect: 'deny',
        request: {
          actor: { role: 'owner', breakglass: false },
          action: 'chat.read',
          resource: { kind: 'instance', owner: 'other' },
          approved: false,
        },
      },
    ],
    'keys leave only with two',
    { id: 'user_2', username: 'grace' },
    60 * 30,
  );
}
