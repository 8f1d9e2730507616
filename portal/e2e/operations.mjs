// The operations of the scripted server: kept in memory, and carried on step by step when a test says so.
import { ADA } from './proposals.mjs';

const ago = (seconds) => new Date(Date.now() - seconds * 1000).toISOString();
const MINUTE = 60;
const DAY = 60 * 60 * 24;
export const GRACE = { id: 'user_2', username: 'grace' };
export const CHANGE = ['stop', 'switch', 'start', 'restore'];
export const ROTATE = ['move', 'retire'];
export const OWN = 'inst_01k9w3v5x7q2m4n6';
export const LASTS =
  'it does not come up with engine 2026.10.1: it ended five times within a minute; the last words were “cannot find module ‘sharp’”';

const conflict = (detail) => ({
  status: 409,
  code: 'conflict',
  title: 'That does not fit its present state',
  more: { detail },
});

export function makeOperations() {
  const list = [];
  let made = 0;

  const isBack = (one) => one.state === 'undoing' || one.stuckUndoing === true;
  const mayChoose = (one, me) => one.owner?.id === me.id || me.permissions.includes('operation.list');
  const view = ({ stuckUndoing, ...one }, me) => {
    const choose = mayChoose(one, me);
    const stuck = one.state === 'stuck';
    const hasWayBack = one.kind !== 'key.rotate';
    return {
      ...one,
      can: {
        cancel: choose && hasWayBack && ['pending', 'running'].includes(one.state) && !one.cancelled_by,
        retry: choose && stuck,
        skip: choose && stuck,
        undo: choose && hasWayBack && stuck && !stuckUndoing,
      },
    };
  };

  const step = (name) => ({
    name,
    state: 'pending',
    output: null,
    error: null,
    attempts: 0,
    started_at: null,
    ended_at: null,
    undone_at: null,
  });
  const add = ({ steps = CHANGE, ...more }) => {
    made += 1;
    const one = {
      id: `op_01k9w3v5x7q2m4n6p8r0s2t4${String(made).padStart(2, '0')}`,
      kind: 'instance.change_engine',
      state: 'pending',
      resource_kind: 'instance',
      resource_id: OWN,
      owner: ADA,
      by: ADA,
      proposal_id: null,
      input: {
        engine_id: 'eng_01k9w3v5x9',
        engine_version: '2026.10.1',
        from_engine_id: 'eng_01k9w3v5x7',
        from_engine_version: '2026.9.6',
        wanted: 'running',
      },
      cancelled_by: null,
      reason: null,
      created_at: ago(20),
      started_at: null,
      settled_at: null,
      ...more,
      steps: steps.map(step),
    };
    list.push(one);
    return one;
  };
  const here = (one) =>
    one.steps.find((other) => ['running', 'undoing', 'failed'].includes(other.state)) ?? one.steps[0];
  const settle = (one, state, at) => Object.assign(one, { state, settled_at: at, stuckUndoing: false });
  const enter = (one, at) => {
    const next = one.steps.find((other) => other.state === 'pending');
    if (!next) return settle(one, 'done', at);
    Object.assign(next, { state: 'running', started_at: at, attempts: 0 });
    return one;
  };
  const begin = (one, at = ago(0)) => enter(Object.assign(one, { state: 'running', started_at: at }), at);
  const takeBack = (one, at) => {
    const before = one.steps.findLast((other) => ['done', 'running', 'failed'].includes(other.state));
    if (!before) return settle(one, 'undone', at);
    Object.assign(before, { state: 'undoing', ended_at: at, attempts: 0 });
    return one;
  };
  /** The step on its way is done, or taken back; the next one begins. */
  const next = (one, { at = ago(0), output = null, as } = {}) => {
    const now = here(one);
    if (isBack(one)) {
      Object.assign(now, { state: as ?? 'undone', undone_at: at, error: null });
      Object.assign(one, { state: 'undoing', stuckUndoing: false });
      return takeBack(one, at);
    }
    Object.assign(now, { state: as ?? 'done', ended_at: at, error: null, output });
    return enter(Object.assign(one, { state: 'running' }), at);
  };
  /** A try fails and is made again. */
  const stumble = (one, error, attempts = 1) => Object.assign(here(one), { error, attempts });
  const back = (one, reason, at = ago(0), error = null) => {
    if (error) Object.assign(here(one), { error, attempts: 1 });
    Object.assign(one, { state: 'undoing', reason, stuckUndoing: false });
    return takeBack(one, at);
  };
  const stick = (one, error, { at = ago(0), attempts = 1 } = {}) => {
    const undoing = one.state === 'undoing';
    Object.assign(here(one), { state: 'failed', error, attempts, ended_at: at });
    return Object.assign(one, {
      state: 'stuck',
      stuckUndoing: undoing,
      reason: undoing ? one.reason : error,
    });
  };

  /** Somebody gives an agent another engine. */
  const change = (instance, engine, me) =>
    begin(
      add({
        resource_id: instance.id,
        owner: instance.owner,
        by: { id: me.id, username: me.username },
        created_at: ago(0),
        input: {
          engine_id: engine.id,
          engine_version: engine.version,
          from_engine_id: instance.engine_id,
          from_engine_version: instance.engine_version,
          wanted: instance.wanted,
        },
      }),
    );

  /** Somebody replaced the secret key; of this nothing waits for a turn. */
  const rotate = (generation, by, at = ago(0)) =>
    begin(
      add({
        kind: 'key.rotate',
        steps: ROTATE,
        resource_kind: 'settings',
        resource_id: '',
        owner: by,
        by,
        input: { generation },
        created_at: at,
      }),
      at,
    );

  function answer(method, path, query, me) {
    const [id, what] = path.split('/').slice(4);
    const seen = list.filter((one) => mayChoose(one, me));
    if (!id) {
      const found = seen
        .filter((one) => query.get('mine') !== 'true' || one.owner?.id === me.id)
        .filter((one) => !query.get('state') || one.state === query.get('state'))
        .filter((one) => !query.get('resource_id') || one.resource_id === query.get('resource_id'))
        .sort((a, b) => b.created_at.localeCompare(a.created_at));
      return { status: 200, body: { items: found.map((one) => view(one, me)) } };
    }
    const one = seen.find((other) => other.id === id);
    if (!one) return { status: 404, code: 'not-found', title: 'Not found' };
    if (method === 'GET') return { status: 200, body: view(one, me) };
    if (!view(one, me).can[what])
      return conflict(
        one.state === 'done' || one.state === 'undone'
          ? 'this operation is over'
          : 'this operation is not stuck',
      );
    if (what === 'cancel') {
      one.cancelled_by = me.username;
      if (one.state === 'pending') settle(one, 'undone', ago(0)).reason = `cancelled by ${me.username}`;
    }
    if (what === 'retry') {
      const now = here(one);
      const undoing = one.stuckUndoing === true;
      Object.assign(one, { state: undoing ? 'undoing' : 'running', stuckUndoing: false });
      Object.assign(
        now,
        undoing ? { state: 'undoing', ended_at: ago(0) } : { state: 'running', started_at: ago(0) },
        { attempts: 0 },
      );
    }
    if (what === 'skip') next(one, { as: 'skipped' });
    if (what === 'undo') back(one, one.reason);
    const did = what === 'cancel' ? 'operation.cancel' : 'operation.resolve';
    return { status: 200, body: view(one, me), did, id };
  }
  return { list, add, begin, next, stumble, back, stick, change, rotate, view, answer };
}

/** One of each state, and one that this release knows no words for. */
export function fillOperations({ add, begin, next, stumble, back, stick, rotate }) {
  const RESEARCHER = 'inst_01k9w3v5x7zzzzzz';
  const COLLECTOR = 'inst_01k9w3v5x7almost';
  const OTHERS = { resource_id: 'inst_01k9w3v5x7grace', owner: GRACE, by: GRACE };
  const answered = { output: { engine_version: '2026.10.1' } };

  const rotated = rotate(3, ADA, ago(8 * DAY));
  next(rotated, { at: ago(8 * DAY - 4) });
  next(rotated, { at: ago(8 * DAY - 11 * MINUTE) });

  const done = begin(
    add({ created_at: ago(2 * DAY), proposal_id: 'prop_01k9w3v5x7q2m4n6p8r0s2t401' }),
    ago(2 * DAY - 1),
  );
  next(done, { at: ago(2 * DAY - 5) });
  next(done, { at: ago(2 * DAY - 5.4) });
  next(done, { at: ago(2 * DAY - 74), ...answered });
  next(done, { at: ago(2 * DAY - 74.3) });

  const undone = begin(add({ ...OTHERS, created_at: ago(DAY) }), ago(DAY - 1));
  next(undone, { at: ago(DAY - 4) });
  next(undone, { at: ago(DAY - 5) });
  back(undone, LASTS, ago(DAY - 300), LASTS);
  next(undone, { at: ago(DAY - 303) });
  next(undone, { at: ago(DAY - 304) });
  next(undone, { at: ago(DAY - 306) });

  const moved = begin(
    add({
      kind: 'instance.provision',
      steps: ['place', 'folder', 'token', 'start', 'greet'],
      ...OTHERS,
      by: null,
      input: { template: 'standard', asset: 'This machine' },
      created_at: ago(9 * MINUTE),
    }),
    ago(9 * MINUTE - 1),
  );
  next(moved, { at: ago(9 * MINUTE - 2), output: { asset: 'This machine', slots: 2 } });
  next(moved, { at: ago(9 * MINUTE - 9) });
  next(moved, { at: ago(9 * MINUTE - 9.2), as: 'skipped' });

  const stuck = begin(
    add({ resource_id: COLLECTOR, created_at: ago(31 * MINUTE), by: GRACE }),
    ago(31 * MINUTE - 2),
  );
  next(stuck, { at: ago(31 * MINUTE - 8) });
  next(stuck, { at: ago(31 * MINUTE - 9) });
  back(stuck, LASTS, ago(26 * MINUTE), LASTS);
  next(stuck, { at: ago(26 * MINUTE - 3) });
  stick(stuck, 'the engine 2026.9.6 cannot be read: its folder is gone', {
    at: ago(25 * MINUTE),
    attempts: 5,
  });

  const undoing = begin(
    add({ resource_id: RESEARCHER, created_at: ago(6 * MINUTE), cancelled_by: 'ada' }),
    ago(6 * MINUTE - 1),
  );
  next(undoing, { at: ago(6 * MINUTE - 4) });
  next(undoing, { at: ago(6 * MINUTE - 5) });
  back(undoing, 'cancelled by ada', ago(75));
  next(undoing, { at: ago(8) });

  const running = begin(add({ created_at: ago(52) }), ago(51));
  next(running, { at: ago(47) });
  next(running, { at: ago(46) });
  stumble(running, 'its machine did not answer in time', 2);

  add({ ...OTHERS, created_at: ago(5) });
}

/** The newest one of a state. */
export const inState = (operations, state) => operations.list.findLast((one) => one.state === state);
