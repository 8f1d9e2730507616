// The proposals of the scripted server: kept in memory, carried out when a test says so.
const ago = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();
const DAY = 60 * 24;
const RANKS = ['member', 'auditor', 'admin', 'owner'];
export const ADA = { id: 'user_01k9w3v5x7ada', username: 'ada' };
const GRACE = { id: 'user_2', username: 'grace' };
const ALAN = { id: 'user_3', username: 'alan' };

export const SECRET = 'frk_api_1vt3n0pq8r5s7w2x4y6z9a1b3c5d7e9f';

const WEEKENDS = `@id("weekends")
permit (
  principal is User,
  action == Action::"instance.start",
  resource is Instance
)
when { principal has role && principal.role == "member" };

// Nobody deletes an agent on a weekend, whoever they are.
@id("weekends-keep")
forbid (
  principal,
  action == Action::"instance.delete",
  resource is Instance
)
when { context.weekday > 5 };

@id("weekends-limits")
forbid (
  principal,
  action == Action::"instance.limits",
  resource is Instance
)
when { context.weekday > 5 };`;

export function makeProposals() {
  const list = [];
  /** Changes that a rule asks approval for: what the request looks like, and the proposal it becomes. */
  const held = [];
  let made = 0;

  const counts = (one, role) => RANKS.indexOf(role) >= RANKS.indexOf(one.demands[0].role);
  const mayDecide = (one, me) =>
    one.state === 'open' &&
    one.requester.id !== me.id &&
    counts(one, me.role) &&
    !one.votes.some((vote) => vote.by?.id === me.id);
  const view = (one, me) => {
    const { answer, now, ...rest } = one;
    const own = one.requester.id === me.id;
    const hidden = one.private && !own;
    return {
      ...rest,
      request: hidden ? null : one.request,
      simulation: hidden ? null : one.simulation,
      resource_name: hidden ? null : (one.simulation?.values.name ?? one.simulation?.values.username ?? null),
      can: {
        approve: mayDecide(one, me),
        reject: mayDecide(one, me),
        withdraw: one.state === 'open' && own,
        collect: own && answer !== undefined,
      },
    };
  };
  /** What was asked for; tests that do not look at it say nothing. */
  const requestOf = (one, given) => {
    const [noun, verb] = one.action.split('.');
    return {
      operation: verb + noun[0].toUpperCase() + noun.slice(1),
      method: 'DELETE',
      address: `/api/v1/${noun}s/${one.resource_id ?? ''}`,
      body: null,
      secrets: [],
      ...given,
    };
  };
  const add = ({ values = {}, fresh = [], instances = [], steps = [], request, ...more }) => {
    made += 1;
    const demands = more.demands ?? [{ role: 'admin', count: 1 }];
    const policies = more.policies ?? ['ask-an-admin'];
    const created = more.created_at ?? ago(20);
    const one = {
      id: `prop_01k9w3v5x7q2m4n6p8r0s2t4${String(made).padStart(2, '0')}`,
      state: 'open',
      requester: GRACE,
      action: 'provider.delete',
      resource_kind: 'provider',
      resource_id: null,
      private: false,
      votes: [],
      digest: String(made).padStart(64, '0'),
      reason: null,
      created_at: created,
      expires_at: new Date(Date.parse(created) + 7 * DAY * 60_000).toISOString(),
      approved_at: null,
      settled_at: null,
      ...more,
      demands,
      policies,
    };
    one.request = requestOf(one, request);
    one.simulation = {
      action: one.action,
      resource_kind: one.resource_kind,
      resource_id: one.resource_id,
      private: one.private,
      decision: { outcome: 'needs_approval', reason: null, policies, approvals: demands },
      values,
      fresh,
      steps,
      instances,
    };
    list.push(one);
    return one;
  };
  const vote = (one, by, role, verdict, comment, at = ago(0)) => {
    one.votes.push({ by, role, verdict, comment, at });
    if (verdict === 'reject')
      return Object.assign(one, { state: 'rejected', reason: comment, settled_at: at });
    const enough = one.demands.every(
      (demand) =>
        one.votes.filter((said) => RANKS.indexOf(said.role) >= RANKS.indexOf(demand.role)).length >=
        demand.count,
    );
    return enough ? Object.assign(one, { state: 'approved', approved_at: at }) : one;
  };
  const finish = (one, state, more = {}) => Object.assign(one, { state, settled_at: ago(0), ...more });

  /** The change is kept instead of being made. */
  const ask = (pattern, proposal) => held.push({ pattern, proposal });
  const hold = (key, me, body) => {
    const found = held.find((one) => one.pattern.test(key));
    if (!found) return undefined;
    const [method, address] = key.split(' ');
    const requester = { id: me.id, username: me.username };
    return view(add({ requester, request: { method, address, body: body ?? null }, ...found.proposal }), me);
  };

  const conflict = (detail) => ({
    status: 409,
    code: 'conflict',
    title: 'That does not fit its present state',
    more: { detail },
  });
  function answer(method, path, query, body, me) {
    const [id, what] = path.split('/').slice(4);
    const by = { id: me.id, username: me.username };
    if (!id) {
      const found = list
        .filter((one) => query.get('awaiting_me') !== 'true' || mayDecide(one, me))
        .filter((one) => query.get('mine') !== 'true' || one.requester.id === me.id)
        .filter((one) => !query.get('state') || one.state === query.get('state'))
        .sort((a, b) => b.created_at.localeCompare(a.created_at));
      return { status: 200, body: { items: found.map((one) => view(one, me)) } };
    }
    const one = list.find((other) => other.id === id);
    if (!one) return { status: 404, code: 'not-found', title: 'Not found' };
    if (method === 'GET') return { status: 200, body: view(one, me) };
    if (what === 'simulate') {
      const then = one.simulation;
      const { values = then.values, instances = then.instances, problem } = one.now ?? {};
      if (problem) return { status: 200, body: { problem, then, changed: true } };
      const now = { ...then, values, instances };
      return { status: 200, body: { now, then, changed: one.now !== undefined } };
    }
    if (what === 'collect') {
      const { answer: given } = one;
      if (given === undefined) return conflict('the answer was fetched already');
      delete one.answer;
      return { status: 200, body: { answer: given } };
    }
    if (one.state !== 'open') return conflict(`this proposal is ${one.state} already`);
    if (what === 'approve' && body.digest !== one.digest) return conflict('this is not what you saw');
    if (what === 'approve') vote(one, by, me.role, 'approve', body.comment ?? '');
    if (what === 'reject') vote(one, by, me.role, 'reject', body.comment);
    if (what === 'withdraw') finish(one, 'withdrawn');
    return { status: 200, body: view(one, me), did: `proposal.${what}`, id };
  }
  return { list, add, vote, finish, ask, hold, answer };
}

/** One of each kind, two of which wait for Ada. */
export function fillProposals(proposals) {
  const { add, vote, finish } = proposals;
  add({
    state: 'expired',
    requester: ALAN,
    action: 'settings.update',
    resource_kind: 'settings',
    created_at: ago(9 * DAY),
    settled_at: ago(2 * DAY),
    values: { idle_timeout_minutes: 240 },
    request: { method: 'PATCH', address: '/api/v1/settings', body: { idle_timeout_minutes: 240 } },
  });
  const mistaken = add({
    action: 'user.set_role',
    resource_kind: 'user',
    resource_id: 'user_3',
    demands: [{ role: 'owner', count: 1 }],
    policies: ['owners-make-owners'],
    created_at: ago(3 * DAY),
    values: { username: 'alan', role: 'owner' },
    request: { method: 'PATCH', address: '/api/v1/users/user_3', body: { role: 'owner' } },
  });
  vote(mistaken, ADA, 'owner', 'reject', 'Alan leaves at the end of the month', ago(2.9 * DAY));
  const failed = add({
    action: 'provider.create',
    created_at: ago(2 * DAY),
    values: { name: 'Local models', type: 'openai_compatible', base_url: 'http://models.internal:8080/v1' },
    request: {
      method: 'POST',
      address: '/api/v1/providers',
      body: {
        allow_private_network: true,
        base_url: 'http://models.internal:8080/v1',
        models: ['qwen3-coder-480b', 'gemma-4-27b', 'embedding-large'],
        name: 'Local models',
        shared: true,
        type: 'openai_compatible',
        wire: null,
      },
      secrets: ['/api_key'],
    },
  });
  vote(failed, ADA, 'owner', 'approve', '', ago(1.9 * DAY));
  finish(failed, 'failed', { reason: 'the name is taken', settled_at: ago(1.9 * DAY) });
  const token = add({
    requester: ADA,
    action: 'token.create',
    resource_kind: 'api_token',
    private: true,
    policies: ['tokens-that-write'],
    created_at: ago(300),
    values: { name: 'Nightly import', scopes: ['read', 'write'], expires_at: '2027-01-23T02:00:00Z' },
    fresh: ['expires_at'],
    request: {
      method: 'POST',
      address: '/api/v1/tokens',
      body: { expires_in_days: 90, name: 'Nightly import', scopes: ['read', 'write'] },
    },
    answer: {
      token: { id: 'tok_01k9w3v5x7', name: 'Nightly import', scopes: ['read', 'write'] },
      secret: SECRET,
    },
  });
  vote(token, GRACE, 'admin', 'approve', 'as agreed on Tuesday', ago(200));
  finish(token, 'done', { settled_at: ago(200) });
  const own = add({
    requester: ADA,
    action: 'policy.update',
    resource_kind: 'settings',
    demands: [
      { role: 'admin', count: 2 },
      { role: 'auditor', count: 3 },
    ],
    policies: ['rules-need-many', 'auditors-look'],
    created_at: ago(95),
    values: {
      version: 3,
      comment: 'members may start agents at weekends',
      text: WEEKENDS,
    },
    request: {
      method: 'PUT',
      address: '/api/v1/policy',
      body: {
        base_version: 2,
        comment: 'members may start agents at weekends',
        tests: [
          {
            name: 'a member starts an agent',
            principal: { role: 'member' },
            action: 'instance.start',
            expect: 'allow',
          },
        ],
        text: WEEKENDS,
      },
    },
  });
  vote(own, GRACE, 'admin', 'approve', 'I tried them on last week: nothing else changes.', ago(60));
  add({
    requester: GRACE,
    action: 'profile.update',
    resource_kind: 'profile',
    private: true,
    policies: ['personas-are-read'],
    created_at: ago(41),
    values: { persona: 'Knows the payroll.' },
    request: { method: 'PATCH', address: '/api/v1/profile', body: { persona: 'Knows the payroll.' } },
  });
  add({
    resource_id: 'prov_01k9w3v5x7',
    requester: GRACE,
    created_at: ago(12),
    values: {
      name: 'Shared',
      type: 'openai_compatible',
      base_url: 'https://models.example.org/v1',
      shared: true,
    },
    instances: ['inst_01k9w3v5x7q2m4n6', 'inst_01k9w3v5x7grace'],
  });
}

/** The one of these words. */
export const nameOf = (proposals, action) => proposals.list.find((one) => one.action === action);
