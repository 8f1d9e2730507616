// A scripted stand-in for the server: serves `dist/` with the real content security policy, and enough of the
// HTTP surface, kept in memory, that every page can be walked before (and without) the real one.
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { WebSocketServer } from 'ws';
import { fillLog, makeLog } from './evidence.mjs';
import { fillIncidents, makeIncidents } from './incidents.mjs';
import { makeKeys } from './keys.mjs';
import { fillOperations, makeOperations } from './operations.mjs';
import { fillProposals, makeProposals } from './proposals.mjs';
import { fillRules, makeRules } from './rules.mjs';
import { fillWebhooks, makeWebhooks } from './webhooks.mjs';
import { fillWitnesses, makeWitnesses } from './witnesses.mjs';

// With a number of milliseconds, answers come late and in another order each time: shows what a test does not wait for.
const JITTER = Number(process.env.FRACTAL_E2E_JITTER ?? 0);
const dist = join(import.meta.dirname, '..', 'dist');
const TYPES = {
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
  '.svg': 'image/svg+xml',
};
export const CSP =
  "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";
export const SETUP_TOKEN = 'frk_setup_0123456789abcdef';

const ago = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();
const page = (items) => ({ items });

function engine(id, version, minutes, more = {}) {
  return {
    id,
    version,
    node_version: '22.22.2',
    state: 'installed',
    progress: null,
    error: null,
    digest: 'sha256:abc',
    created_at: ago(minutes),
    ...more,
  };
}

function instance(id, name, owner, more) {
  return {
    id,
    name,
    owner,
    wanted: 'running',
    stop_reason: null,
    seen: 'ready',
    reason: null,
    queue_position: null,
    engine_progress: null,
    runtime_asset_id: 'asset_01k9w3v5x7',
    engine_id: 'eng_01k9w3v5x7',
    engine_version: '2026.9.6',
    revision_id: 'rev_01k9',
    generation: 3,
    provider_ok: true,
    memory_bytes: 412_000_000,
    cpu_ms: 61_000,
    disk_bytes: 88_000_000,
    disk_pressure: 'ok',
    limits: {
      memory_bytes: 2_147_483_648,
      cpu_millis: 2000,
      processes: 512,
      disk_bytes: 5_368_709_120,
      open_files: 8192,
    },
    restarts: 0,
    idle_timeout_minutes: 30,
    operation_id: null,
    last_active_at: ago(3),
    started_at: ago(42),
    created_at: ago(60 * 24 * 9),
    ...more,
  };
}

const ANSWER = `Here is a small script that renames photos by the date they were taken:

\`\`\`python
from pathlib import Path
from datetime import datetime

def rename(folder: Path) -> int:
    """Renames every picture; gives back how many."""
    count = 0
    for photo in sorted(folder.glob("*.jpg")):
        taken = datetime.fromtimestamp(photo.stat().st_mtime)
        photo.rename(folder / f"{taken:%Y-%m-%d_%H%M%S}.jpg")
        count += 1
    return count
\`\`\`

| Option | Meaning |
|---|---|
| \`--dry-run\` | only shows what would happen |
| \`--recursive\` | walks into folders |

- It **never** overwrites a file.
- Run it with \`python rename.py\`.

![tracker](https://example.org/pixel.png?secret=1) <img src="https://example.org/raw.png"> <script>window.hacked = 1</script>
`;

/** What does not fit a narrow screen: a wide table, a long word, long lines of code, and many of them. */
const WIDE = `### Releases by region

| Region | January | February | March | April | May | June | Owner of the region | Remarks on the figures |
|---|---|---|---|---|---|---|---|---|
| North | 1,204 | 1,310 | 1,455 | 1,502 | 1,611 | 1,702 | Grace Hopper | Counted on the last day of the month |
| South | 980 | 1,002 | 1,100 | 1,180 | 1,204 | 1,260 | Alan Turing | \`estimate\` |

The log lies at /var/lib/fractal/instances/inst_01k9w3v5x7q2m4n6/logs/2026-11-21/gateway-stdout-and-stderr.log now.

1. First step
2. Second step with an inner list
   - one
   - two

> A calm remark, quoted from the manual.

\`\`\`sh
curl --fail --silent --show-error --location https://example.org/releases/2026/11/fractal-linux-x86_64.tar.gz | tar --extract --gzip --directory /opt/fractal
${Array.from({ length: 40 }, (_, i) => `echo "line ${i + 1} of a long script"`).join('\n')}
\`\`\`
`;

/** Starts it; `fresh` means: before the wizard. */
export async function startMock({ fresh = false, onboarded = !fresh, sockets: withSockets = true } = {}) {
  const sockets = new WebSocketServer({ noServer: true });
  const state = {
    log: [],
    signedIn: !fresh,
    status: {
      completed: onboarded,
      steps: { breakglass: onboarded, oidc: onboarded, provider: onboarded, agent: onboarded },
    },
    me: {
      id: 'user_01k9w3v5x7ada',
      organization_id: 'org_01k9',
      username: 'ada',
      display_name: 'Ada',
      role: 'owner',
      locale: null,
      breakglass: true,
      has_password: true,
      identity_providers: [],
      permissions: [
        'instance.list',
        'instance.set_limits',
        'instance.change_engine',
        'engine.list',
        'operation.list',
        'user.list',
        'user.erase',
        'evidence.view',
        'evidence.head',
        'incident.view',
        'incident.list',
        'incident.acknowledge',
        'check.view',
        'check.run',
        'key.rotate',
        'policy.view',
        'policy.update',
        'policy.reset',
        'webhook.create',
        'webhook.view',
        'webhook.update',
        'webhook.delete',
        'webhook.replay',
        'witness.add',
        'witness.view',
        'witness.remove',
      ],
    },
    providers: [],
    instances: [],
    sessions: [],
    history: new Map(),
    runs: new Map(),
    /** Whether a WebSocket can be opened, and the streams that were read over it. */
    sockets: withSockets,
    streamed: [],
    tokens: [],
    skillCredentials: [],
    /** What the next answers do: `plain`, `rich`, `ask`, `error`, `held`; `working`, `installing` and `asleep` stay in the middle. */
    script: 'plain',
    /** Lets the answers that `held` keeps after their third word go on to their end. */
    release: () => {
      for (const run of state.runs.values()) run.release();
    },
    /** Cuts every connection that follows what happens. */
    dropFollowers: () => {
      for (const res of state.followers) res.destroy();
    },
    /** Cuts every connection that follows an answer. */
    dropStreams: () => {
      for (const socket of sockets.clients) socket.terminate();
      for (const run of state.runs.values()) run.dropAll();
    },
    asleep: false,
    identityProviders: [
      {
        id: 'idp_1',
        name: 'Company login',
        issuer: 'https://login.example.org',
        client_id: 'fractal',
        has_client_secret: true,
        scopes: ['profile', 'email'],
        enabled: true,
        auto_provision: false,
        allow_private_network: false,
        redirect_uri: 'http://127.0.0.1:8088/api/v1/auth/oidc/callback',
        created_at: ago(999),
      },
    ],
    /** How an identity provider sends people back: `undefined` when all went well, else the reason why not. */
    refusal: undefined,
    /** The log, with ways to tamper with it. */
    evidence: makeLog({ user_01k9w3v5x7ada: 'ada', user_2: 'grace' }),
    /** Access rules and their versions. */
    rules: makeRules(),
    /** Webhooks and what became of their messages. */
    webhooks: makeWebhooks(),
    /** Who cosigns the log. */
    witnesses: makeWitnesses(),
    /** Changes that wait for approval. */
    proposals: makeProposals(),
    /** Work of several steps. */
    operations: makeOperations(),
    /** The secret key of the installation. */
    keys: makeKeys(),
    /** What is broken, and the checks that look for it. */
    incidents: makeIncidents(),
    engines: [
      engine('eng_01k9w3v5x9', '2026.10.1', 40),
      engine('eng_01k9w3v5x8', '2026.9.9', 60, { state: 'failed', error: 'The download broke off.' }),
      engine('eng_01k9w3v5x7', '2026.9.6', 9999),
    ],
    /** Who follows what happens, to be cut off. */
    followers: new Set(),
  };
  if (onboarded) {
    fillLog(state.evidence);
    fillRules(state.rules);
    fillWebhooks(state.webhooks);
    fillWitnesses(state.witnesses, state.evidence.size());
    fillProposals(state.proposals);
    fillOperations(state.operations);
    fillIncidents(state.incidents, state.operations, state.webhooks);
  }
  /** The signed-in person did something. */
  const note = (action, kind, id, values = {}) =>
    state.evidence.append({ actor: state.me.id, action, kind, id, policies: ['own'], values });
  const mayRead = () => state.me.permissions.includes('evidence.view');
  const provider = (body) => ({
    id: `prov_${randomUUID().slice(0, 8)}`,
    name: body.name,
    type: body.type,
    wire: 'openai_completions',
    base_url: body.base_url ?? null,
    key_hint: body.api_key ? `…${body.api_key.slice(-4)}` : null,
    shared: body.shared ?? false,
    editable: true,
    deletable: true,
    models: body.type === 'demo' ? ['demo'] : ['large-1', 'small-1'],
    allow_private_network: false,
    ok: true,
    error: null,
    checked_at: ago(1),
    created_at: ago(2),
  });
  if (onboarded) {
    state.providers.push(provider({ type: 'demo', name: 'Demo', shared: true }));
    state.providers.push({
      ...provider({ type: 'anthropic', name: 'Anthropic', api_key: 'sk-ant-x7Qa' }),
      ok: false,
      error: 'The provider refused the key. Enter a new one.',
    });
    const owner = { id: state.me.id, username: 'ada' };
    state.instances.push(instance('inst_01k9w3v5x7q2m4n6', 'Ada', owner, {}));
    state.instances.push(
      instance('inst_01k9w3v5x7zzzzzz', 'Researcher', owner, {
        seen: 'stopped',
        wanted: 'stopped',
        stop_reason: 'idle',
        memory_bytes: null,
        last_active_at: ago(600),
      }),
    );
    state.instances.push(
      instance('inst_01k9w3v5x7almost', 'Collector', owner, {
        disk_bytes: 5_000_000_000,
        disk_pressure: 'near',
        reason:
          'its files take 4.6 GiB of the 5.0 GiB they may (93 %); at the limit it is stopped. Have it delete what it does not need, or have an administrator raise the limit',
        last_active_at: ago(9000),
      }),
    );
    state.others = [
      instance(
        'inst_01k9w3v5x7grace',
        'Grace',
        { id: 'user_other', username: 'grace' },
        {
          seen: 'crash_looping',
          reason: 'It ended five times within a minute: not enough memory. Raise its limit, then start it.',
          restarts: 5,
        },
      ),
    ];
    const titles = ['Renaming photos', 'Plan for the week', 'Release notes for the spring version', null];
    titles.forEach((title, i) => {
      const key = `chat-${i}`;
      state.sessions.push({
        key,
        title,
        updated_at: ago(5 + i * 700),
        model: 'demo',
        total_tokens: 1200,
        origin: i === 2 ? 'cron' : 'chat',
        active_run: null,
      });
      state.history.set(key, [
        message('user', 'Write a small Python script that renames my photos by date', { at: ago(6) }),
        message('assistant', i === 1 ? WIDE : ANSWER, {
          at: ago(5),
          model: 'demo',
          usage: { input_tokens: 812, output_tokens: 240 },
          tools: [
            { id: 't1', name: 'read', summary: 'photos/ (214 files)', failed: false },
            { id: 't2', name: 'exec', summary: 'python --version: 3.12.4', failed: false },
          ],
        }),
      ]);
    });
    state.tokens.push({
      id: 'tok_1',
      name: 'Backup script',
      hint: 'frk_api_k3…9xQ',
      scopes: ['read'],
      created_at: ago(9000),
      expires_at: ago(-90000),
      last_used_at: ago(60),
    });
  }

  /** The rule for addresses of identity providers, as far as tests go near it. */
  function privately({ issuer, allow_private_network }, at = '') {
    if (allow_private_network || issuer.startsWith('https:')) return undefined;
    const message =
      "the sign-in provider's address is plain http, which is only permitted in private networks; use https, or turn on allow_private_network for it";
    return { field: `${at}/issuer`, message };
  }

  function skills() {
    const lacking = ['TRELLO_API_KEY', 'TRELLO_TOKEN'].filter(
      (name) => !state.skillCredentials.some((one) => one.skill === 'trello' && one.name === name),
    );
    const skill = (key, emoji, description, state_, missing = {}, variables = []) => ({
      key,
      name: key,
      description,
      emoji,
      homepage: 'https://example.org/',
      state: state_,
      eligible: state_ === 'active',
      variables,
      missing: { env: [], bins: [], any_bins: [], config: [], os: [], ...missing },
    });
    return [
      skill('weather', '🌦️', 'Current weather and forecasts.', 'active'),
      skill(
        'trello',
        '📋',
        'Manage Trello boards, lists and cards.',
        lacking.length > 0 ? 'needs_credentials' : 'active',
        { env: lacking },
        ['TRELLO_API_KEY', 'TRELLO_TOKEN'],
      ),
      skill('github', '🐙', 'Issues and pull requests.', 'not_available', { bins: ['gh'] }),
      skill('apple-notes', '📝', 'Notes on a Mac.', 'not_available', { bins: ['memo'], os: ['darwin'] }),
    ];
  }

  function message(role, text, more = {}) {
    return {
      id: randomUUID(),
      role,
      text,
      at: ago(0),
      run_id: null,
      model: null,
      tools: [],
      usage: null,
      error: null,
      ...more,
    };
  }

  function json(res, status, body, headers = {}) {
    const text = body === undefined ? '' : JSON.stringify(body);
    res.writeHead(status, {
      'content-type': status >= 400 ? 'application/problem+json' : 'application/json',
      ...headers,
    });
    res.end(text);
  }
  const problem = (res, status, code, title, more = {}) =>
    json(res, status, {
      type: `/docs/problems#${code}`,
      title,
      status,
      code,
      request_id: 'req_01k9',
      ...more,
    });

  function sse(res) {
    res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    res.write(': hello\n\n');
  }
  const frame = (event, n) => `event: ${event.type}\nid: ${n}\ndata: ${JSON.stringify(event)}\n\n`;

  /** A run writes into a list; readers follow it from any place. */
  function startRun(session, agent, text) {
    const run = {
      id: `crun_${randomUUID().slice(0, 8)}`,
      session,
      agent,
      events: [],
      readers: new Set(),
      over: false,
      text,
      release: () => {},
    };
    run.released = new Promise((resolve) => {
      run.release = resolve;
    });
    state.runs.set(run.id, run);
    const push = (event) => {
      if (run.over) return;
      run.events.push(event);
      if (event.type === 'final' || event.type === 'error') {
        run.over = true;
        if (!state.sessions.some((one) => one.key === session)) {
          state.sessions.unshift({
            key: session,
            title: text.slice(0, 40),
            updated_at: ago(0),
            model: 'demo',
            total_tokens: 10,
            origin: 'chat',
            active_run: null,
          });
        }
        const list = state.history.get(session) ?? [];
        list.push(message('user', text, { run_id: run.id }));
        if (event.type === 'final')
          list.push(message('assistant', event.text, { run_id: run.id, model: 'demo', usage: event.usage }));
        state.history.set(session, list);
      }
      for (const reader of [...run.readers]) {
        reader.write(frame(event, run.events.length));
        if (run.over) reader.end();
      }
    };
    run.push = push;
    run.dropAll = () => {
      for (const reader of run.readers) reader.destroy();
      run.readers.clear();
    };
    void play(run, push);
    return run;
  }

  const step = (ms = 15) => new Promise((resolve) => setTimeout(resolve, ms));

  async function play(run, push) {
    const script = state.script;
    push({ type: 'run', run_id: run.id, session: run.session, agent_id: run.agent, message: run.text });
    await step();
    if (state.asleep) {
      push({ type: 'status', phase: 'waking', state: 'starting', queue_position: null, typical_ms: 6000 });
      await step(50);
      state.asleep = false;
    }
    if (script === 'installing') {
      push({
        type: 'status',
        phase: 'installing',
        state: 'pending',
        installing: {
          phase: 'unpack',
          packages_done: 120,
          packages_total: 334,
          bytes: 300_000_000,
          bytes_total: 772_000_000,
        },
      });
      return;
    }
    if (script === 'asleep') {
      push({ type: 'status', phase: 'starting', state: 'starting', queue_position: null, typical_ms: 6000 });
      return;
    }
    push({ type: 'status', phase: 'thinking', state: 'busy' });
    await step();
    if (script === 'working') {
      push({ type: 'tool', id: 't1', name: 'read', phase: 'start', summary: 'build/report.json' });
      push({ type: 'tool', id: 't1', name: 'read', phase: 'done', summary: '412 lines' });
      push({
        type: 'tool',
        id: 't2',
        name: 'exec',
        phase: 'start',
        summary: 'du -sh build/* | sort -h | tail -n 20',
      });
      push({
        type: 'delta',
        text: 'The folder holds **three builds**. This is what I found so far:\n\n- `web` is the',
      });
      return;
    }
    if (script === 'error') {
      return push({
        type: 'error',
        code: 'key_refused',
        message: 'The turn failed.',
        provider: {
          code: 'key_refused',
          message: 'Anthropic refused the key.',
          remedy: 'Enter a new key under Settings, Providers.',
        },
      });
    }
    if (script === 'ask') {
      push({ type: 'tool', id: 't1', name: 'exec', phase: 'start', summary: 'rm -r build' });
      push({ type: 'approval', id: 'a1', command: 'rm -r build', expires_at: ago(-2), decision: null });
      const decision = await new Promise((resolve) => {
        run.onApproval = resolve;
      });
      push({ type: 'approval', id: 'a1', command: 'rm -r build', expires_at: null, decision });
      push({
        type: 'tool',
        id: 't1',
        name: 'exec',
        phase: decision === 'deny' ? 'failed' : 'done',
        summary: 'exit 0',
      });
      push({
        type: 'question',
        id: 'q1',
        text: 'Which branch shall I use?',
        options: ['main', 'develop'],
        answered: false,
      });
      const answer = await new Promise((resolve) => {
        run.onQuestion = resolve;
      });
      push({ type: 'question', id: 'q1', text: 'Which branch shall I use?', options: [], answered: true });
      return push({
        type: 'final',
        text: `Done on ${answer}.`,
        usage: { input_tokens: 10, output_tokens: 4 },
      });
    }
    const text = script === 'rich' ? ANSWER : `demo, not a language model: you said “${run.text}”`;
    const words = text.split(/(?<= )/);
    for (const [i, word] of words.entries()) {
      if (run.over) return;
      push({ type: 'delta', text: word });
      await step(5);
      // Until the test has seen the words, however slow the machine is.
      if (script === 'held' && i === 2) await run.released;
    }
    push({ type: 'final', text, usage: { input_tokens: 120, output_tokens: 30 }, aborted: false });
  }

  function readRun(res, run, from) {
    sse(res);
    for (let i = from; i < run.events.length; i++) res.write(frame(run.events[i], i + 1));
    if (run.over) return res.end();
    run.readers.add(res);
    res.on('close', () => run.readers.delete(res));
  }

  async function handle(req, res) {
    const url = new URL(req.url, 'http://mock');
    const path = url.pathname;
    const key = `${req.method} ${path}`;
    let raw = '';
    for await (const chunk of req) raw += chunk;
    const body = raw ? JSON.parse(raw) : undefined;
    state.log.push({ key, body, headers: req.headers });
    const route = (pattern) => {
      const match = new RegExp(`^${pattern.replaceAll('*', '([^/]+)')}$`).exec(key);
      return match ? match.slice(1).map(decodeURIComponent) : null;
    };
    const cookie = { 'set-cookie': 'fractal=1; HttpOnly; SameSite=Lax; Path=/' };
    let m;

    if (!path.startsWith('/api') && !path.startsWith('/v1')) return file(path, res);
    if (key === 'GET /api/onboarding/status') return json(res, 200, state.status);
    if (key === 'POST /api/onboarding/breakglass') {
      if (req.headers['x-setup-token'] !== SETUP_TOKEN)
        return problem(res, 401, 'setup-token-refused', 'The setup token is not valid');
      if (!/^[a-z0-9][a-z0-9._@-]*$/.test(body.username)) {
        return problem(res, 422, 'invalid-fields', 'Some fields are not valid', {
          errors: [{ field: '/username', message: 'only a-z, 0-9, dot, dash, underscore' }],
        });
      }
      state.status.steps.breakglass = true;
      state.signedIn = true;
      Object.assign(state.me, { username: body.username, display_name: body.username });
      return json(res, 201, state.me, cookie);
    }
    if (key === 'GET /api/v1/auth/methods')
      return json(res, 200, {
        password: true,
        oidc: state.identityProviders.map(({ id, name }) => ({ id, name })),
      });
    if ((m = route('GET /api/v1/auth/oidc/*/start'))) {
      // Straight back, as if somebody had been there and returned.
      const back = url.searchParams.get('return_to') ?? '/';
      const query = back === '/' ? '' : `?return_to=${encodeURIComponent(back)}`;
      if (!state.refusal) {
        state.signedIn = true;
        state.me.identity_providers = [m[0]];
      }
      const to = state.refusal ? `/login${query}#error=sign-in-failed&reason=${state.refusal}` : back;
      res.writeHead(303, { location: to, ...cookie });
      return res.end();
    }
    if ((m = route('DELETE /api/v1/me/identity-providers/*'))) {
      if (!state.me.has_password)
        return problem(res, 409, 'conflict', 'That does not fit its present state', {
          detail: 'it is your last way to sign in',
          remedy: 'set a password first',
        });
      state.me.identity_providers = state.me.identity_providers.filter((id) => id !== m[0]);
      return json(res, 204);
    }
    if (key === 'POST /api/v1/auth/login') {
      if (body.password !== 'correct horse battery')
        return problem(res, 401, 'wrong-credentials', 'Username or password is wrong');
      state.signedIn = true;
      return json(res, 200, state.me, cookie);
    }
    if (key === 'POST /api/v1/invitations/accept') {
      if (req.headers['x-invitation-token'] !== 'frk_invite_abc')
        return problem(res, 401, 'invitation-refused', 'The invitation is not valid any more');
      state.signedIn = true;
      return json(res, 201, state.me, cookie);
    }
    if (!state.signedIn) return problem(res, 401, 'unauthenticated', 'Sign in first');
    if (key === 'POST /api/v1/auth/logout') {
      state.signedIn = false;
      return json(res, 204);
    }
    const waits = state.proposals.hold(key, state.me, body);
    if (waits) {
      note('proposal.create', 'proposal', waits.id, { action: waits.action });
      return json(res, 202, waits, {
        'fractal-proposal': waits.id,
        location: `/api/v1/proposals/${waits.id}`,
      });
    }
    if (key === 'POST /api/onboarding/oidc') {
      const wrong = body.provider && privately(body.provider, '/provider');
      if (wrong) return problem(res, 422, 'invalid-fields', 'Some fields are not valid', { errors: [wrong] });
      state.status.steps.oidc = true;
      return json(res, 200, state.status);
    }
    if (key === 'POST /api/onboarding/provider') {
      const made = provider(body);
      const ok = body.type === 'demo' || body.api_key === 'good-key';
      Object.assign(made, { ok, models: ok ? made.models : [] });
      state.providers.unshift(made);
      state.status.steps.provider = true;
      return json(res, 201, {
        id: made.id,
        test: ok
          ? { ok, latency_ms: 184, models: made.models }
          : {
              ok,
              latency_ms: 90,
              models: [],
              error: {
                code: 'key_refused',
                message: 'The provider refused the key.',
                remedy: 'Copy it again from the provider.',
              },
            },
      });
    }
    if ((m = route('PATCH /api/v1/providers/*'))) {
      const one = state.providers.find((p) => p.id === m[0]);
      if (body.api_key) one.key_hint = `…${body.api_key.slice(-4)}`;
      one.goodKey = body.api_key === 'good-key';
      return json(res, 200, one);
    }
    if ((m = route('POST /api/v1/providers/*/test'))) {
      const one = state.providers.find((p) => p.id === m[0]);
      const ok = one.type === 'demo' || one.goodKey === true;
      if (ok) one.models = ['large-1', 'small-1'];
      return json(
        res,
        200,
        ok
          ? { ok, latency_ms: 184, models: one.models }
          : {
              ok,
              latency_ms: 90,
              models: [],
              error: {
                code: 'key_refused',
                message: 'The provider refused the key.',
                remedy: 'Copy it again from the provider.',
              },
            },
      );
    }
    if (key === 'POST /api/onboarding/agent') {
      state.status.steps.agent = true;
      state.asleep = true;
      const made = instance(
        'inst_01k9w3v5x7first0',
        body.name,
        { id: state.me.id, username: state.me.username },
        { seen: 'starting' },
      );
      state.instances.push(made);
      return json(res, 201, { instance_id: made.id });
    }
    if (key === 'POST /api/onboarding/complete') {
      state.status.completed = true;
      return json(res, 200, state.status);
    }
    if (key === 'GET /api/v1/me') return json(res, 200, state.me);
    if (key === 'PATCH /api/v1/me') {
      const { new_password, current_password, ...rest } = body;
      if (new_password && !state.me.has_password && state.signedInLongAgo) {
        return problem(res, 403, 'forbidden', 'Not allowed', {
          detail: 'a first password is only taken soon after signing in',
          remedy: 'sign out, sign in again and set it within 15 minutes',
        });
      }
      if (new_password) state.me.has_password = true;
      return json(res, 200, Object.assign(state.me, rest));
    }
    if (key === 'GET /api/v1/profile') {
      return json(res, 200, {
        id: 'prof_1',
        agent_name: state.instances[0]?.name ?? 'Ada',
        persona: 'Friendly and patient.',
        about_me: '',
        provider_id: state.providers[0]?.id ?? null,
        model: 'demo',
        tools: 'ask',
        heartbeat_minutes: 0,
        cron_enabled: true,
        idle_timeout_minutes: 30,
        updated_at: ago(5),
      });
    }
    if (key === 'PATCH /api/v1/profile') {
      if (body.agent_name === 'bad')
        return problem(res, 422, 'invalid-fields', 'Some fields are not valid', {
          errors: [{ field: '/agent_name', message: 'this name is not allowed' }],
        });
      return json(res, 200, { id: 'prof_1', updated_at: ago(0), ...body });
    }
    if (key === 'GET /api/v1/providers') return json(res, 200, page(state.providers));
    if (key === 'GET /api/v1/engines') {
      if (!state.me.permissions.includes('engine.list'))
        return problem(res, 403, 'forbidden', 'You may not do this');
      return json(res, 200, page(state.engines));
    }
    if (key === 'GET /api/v1/assets') {
      return json(
        res,
        200,
        page([
          {
            id: 'asset_01k9w3v5x7',
            name: 'This machine',
            kind: 'process',
            healthy: true,
            instances: 3,
            start_slots: 2,
            capabilities: {
              isolation: 'reduced',
              own_uid: true,
              memory: 'enforced',
              cpu: 'watched',
              processes: 'enforced',
              disk: 'watched',
              open_files: 'enforced',
              remarks: ['bubblewrap is not installed: install the package bubblewrap'],
            },
          },
        ]),
      );
    }
    if (key === 'GET /api/v1/settings' || key === 'PATCH /api/v1/settings') {
      return json(res, 200, {
        public_url: null,
        allowed_hosts: ['agents.local'],
        trusted_proxies: [],
        idle_timeout_minutes: 30,
        witness_interval_seconds: 60,
        value_retention_days: 0,
        reduced_isolation_accepted: false,
        ...body,
      });
    }
    if (key === 'GET /api/v1/sessions') {
      return json(
        res,
        200,
        page([
          {
            id: 's1',
            created_at: ago(100),
            last_used_at: ago(0),
            expires_at: ago(-9999),
            user_agent: 'Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0',
            address: '127.0.0.1',
            current: true,
          },
          {
            id: 's2',
            created_at: ago(9000),
            last_used_at: ago(900),
            expires_at: ago(-999),
            user_agent: 'Mozilla/5.0 (iPhone; CPU iPhone OS) Safari/605',
            address: '192.0.2.7',
            current: false,
          },
        ]),
      );
    }
    if (key === 'GET /api/v1/skill-credentials') return json(res, 200, page(state.skillCredentials));
    if (key === 'PUT /api/v1/skill-credentials') {
      if (/^(PATH|HOME|LD_.*)$/.test(body.name))
        return problem(res, 422, 'invalid-fields', 'Some fields are not valid', {
          errors: [{ field: '/name', message: 'must not steer programs themselves' }],
        });
      const one = {
        id: `skc_${body.skill}_${body.name}`,
        skill: body.skill,
        name: body.name,
        hint: body.value.length < 16 ? '…' : `…${body.value.slice(-4)}`,
        created_at: ago(0),
        updated_at: ago(0),
      };
      state.skillCredentials = state.skillCredentials.filter((other) => other.id !== one.id).concat(one);
      return json(res, 200, one);
    }
    if ((m = route('DELETE /api/v1/skill-credentials/*'))) {
      state.skillCredentials = state.skillCredentials.filter((other) => other.id !== m[0]);
      return json(res, 204);
    }
    if ((m = route('GET /api/v1/instances/*/skills'))) {
      if (state.asleep && !url.searchParams.get('wake'))
        return problem(res, 409, 'conflict', 'Conflict', { detail: 'The agent is asleep.' });
      state.asleep = false;
      return json(res, 200, { items: skills() });
    }
    if (key === 'GET /api/v1/tokens') return json(res, 200, page(state.tokens));
    if (key === 'POST /api/v1/tokens') {
      const token = {
        id: `tok_${state.tokens.length + 1}`,
        name: body.name,
        hint: 'frk_api_ab…cd',
        scopes: body.scopes,
        created_at: ago(0),
        expires_at: null,
        last_used_at: null,
      };
      state.tokens.push(token);
      note('token.create', 'api_token', token.id, { name: token.name });
      return json(res, 201, { token, secret: 'frk_api_abcdefghijklmnopqrstuvwxyz0123456789' });
    }
    if ((m = route('POST /api/v1/users/*/erase'))) {
      note('user.erase', 'user', m[0], { values: 14, entries: 6 });
      return json(res, 200, { values: 14, entries: 6 });
    }
    if (key === 'GET /api/v1/users') {
      const base = {
        role: 'member',
        active: true,
        breakglass: false,
        sign_in: ['password'],
        instances: 1,
        created_at: ago(9999),
        last_seen_at: ago(77),
      };
      return json(
        res,
        200,
        page([
          {
            ...base,
            id: state.me.id,
            username: 'ada',
            display_name: 'Ada',
            role: 'owner',
            breakglass: true,
            instances: 2,
          },
          { ...base, id: 'user_2', username: 'grace', display_name: 'Grace', role: 'admin' },
          {
            ...base,
            id: 'user_3',
            username: 'alan',
            display_name: 'Alan',
            active: false,
            instances: 0,
            last_seen_at: null,
          },
        ]),
      );
    }
    if (key === 'GET /api/v1/invitations') {
      return json(
        res,
        200,
        page([
          {
            id: 'invt_1',
            role: 'member',
            username: null,
            created_at: ago(60),
            expires_at: ago(-6000),
            used_at: null,
          },
        ]),
      );
    }
    if (key === 'POST /api/v1/invitations') {
      return json(res, 201, {
        invitation: {
          id: 'invt_2',
          role: body.role,
          username: null,
          created_at: ago(0),
          expires_at: ago(-6000),
          used_at: null,
        },
        secret: '/invitation#frk_invite_abc',
      });
    }
    if (key === 'GET /api/v1/identity-providers') return json(res, 200, page(state.identityProviders));
    if (key === 'POST /api/v1/identity-providers') {
      const wrong = privately(body);
      if (wrong) return problem(res, 422, 'invalid-fields', 'Some fields are not valid', { errors: [wrong] });
      state.identityProviders.push({
        ...state.identityProviders[0],
        ...body,
        id: `idp_${state.identityProviders.length + 1}`,
      });
      return json(res, 201, state.identityProviders.at(-1));
    }
    if ((m = route('PATCH /api/v1/identity-providers/*'))) {
      const one = state.identityProviders.find((other) => other.id === m[0]);
      Object.assign(one, body);
      return json(res, 200, one);
    }
    if ((m = route('POST /api/v1/identity-providers/*/test')))
      return json(res, 200, {
        ok: false,
        latency_ms: 2,
        models: [],
        error: {
          code: 'address_refused',
          message: "the sign-in provider's host leads to a private address, which nobody has permitted",
          remedy: 'turn on allow_private_network for it',
        },
      });
    if (key === 'GET /api/v1/usage') {
      const rows = Array.from({ length: 14 }, (_, i) => ({
        day: ago(i * 1440).slice(0, 10),
        model: 'claude-large',
        calls: 20 + i,
        failed: i % 3,
        input_tokens: 9000 + ((i * 7919) % 8000),
        output_tokens: 1500 + ((i * 104729) % 900),
      }));
      return json(res, 200, { rows, calls: 371, input_tokens: 182_000, output_tokens: 26_400 });
    }
    if (path === '/api/v1/events') {
      const last = req.headers['last-event-id'];
      sse(res);
      const leave = state.evidence.follow(
        last === undefined ? state.evidence.size() : Number(last),
        (entry) => {
          if (!mayRead() && entry.actor_id !== state.me.id) return;
          res.write(`event: evidence\nid: ${entry.seq}\ndata: ${JSON.stringify(entry)}\n\n`);
        },
      );
      state.followers.add(res);
      res.on('close', () => {
        leave();
        state.followers.delete(res);
      });
      return;
    }
    if (key === 'GET /api/v1/evidence/checkpoint') return json(res, 200, state.evidence.head());
    if (key === 'GET /api/v1/evidence/consistency') {
      const from = Number(url.searchParams.get('from'));
      if (from > state.evidence.size())
        return problem(res, 400, 'invalid-parameter', 'A parameter is not valid', {
          errors: [{ field: 'from', message: 'must be at least 1 and no more than the later size' }],
        });
      return json(res, 200, state.evidence.consistency(from));
    }
    if (path.startsWith('/api/v1/evidence/witnesses')) {
      if (!state.me.permissions.includes('witness.view'))
        return problem(res, 403, 'forbidden', 'You may not do this');
      const answer = state.witnesses.answer(req.method, path, body);
      if (answer.did) note(answer.did, 'witness', answer.id);
      if (answer.code) return problem(res, answer.status, answer.code, answer.title, answer.more);
      return json(res, answer.status, answer.body);
    }
    if (path.startsWith('/api/v1/evidence') && !mayRead())
      return problem(res, 403, 'forbidden', 'You may not do this');
    if (key === 'GET /api/v1/evidence') return json(res, 200, state.evidence.list(url.searchParams));
    if (key === 'GET /api/v1/evidence/export') {
      res.writeHead(200, {
        'content-type': 'application/x-ndjson',
        'content-disposition': 'attachment; filename="evidence.jsonl"',
      });
      return res.end(
        state.evidence.export(
          Number(url.searchParams.get('first') ?? 1),
          url.searchParams.get('values') === 'true',
        ),
      );
    }
    if ((m = route('GET /api/v1/evidence/*')) || (m = route('GET /api/v1/evidence/*/proof'))) {
      const seq = Number(m[0]);
      if (!(seq >= 1 && seq <= state.evidence.size())) return problem(res, 404, 'not-found', 'Not found');
      return json(res, 200, path.endsWith('/proof') ? state.evidence.proof(seq) : state.evidence.view(seq));
    }
    if (path.startsWith('/api/v1/policy')) {
      const may = (action) => state.me.permissions.includes(action);
      if (!may('policy.view') || (req.method === 'PUT' && !may('policy.update')))
        return problem(res, 403, 'forbidden', 'You may not do this');
      const answer = state.rules.answer(req.method, path, body, { id: state.me.id, username: 'ada' });
      if (answer.did) note(answer.did, 'settings', state.me.organization_id);
      if (answer.code) return problem(res, answer.status, answer.code, answer.title, answer.more);
      return json(res, answer.status, answer.body);
    }
    if (path.startsWith('/api/v1/proposals')) {
      const answer = state.proposals.answer(req.method, path, url.searchParams, body, state.me);
      if (answer.did) note(answer.did, 'proposal', answer.id);
      if (answer.code) return problem(res, answer.status, answer.code, answer.title, answer.more);
      return json(res, answer.status, answer.body);
    }
    if (path.startsWith('/api/v1/operations')) {
      const answer = state.operations.answer(req.method, path, url.searchParams, state.me);
      if (answer.did) note(answer.did, 'operation', answer.id);
      if (answer.code) return problem(res, answer.status, answer.code, answer.title, answer.more);
      return json(res, answer.status, answer.body);
    }
    if (key === 'GET /api/v1/keys' || key === 'POST /api/v1/keys/rotate') {
      if (!state.me.permissions.includes('key.rotate'))
        return problem(res, 403, 'forbidden', 'You may not do this');
      const answer = state.keys.answer(req.method, state.operations, state.me);
      if (answer.did) note(answer.did, 'settings', '', { generation: state.keys.generation });
      if (answer.code) return problem(res, answer.status, answer.code, answer.title, answer.more);
      return json(res, answer.status, answer.body, answer.begun && { 'fractal-operation': answer.begun.id });
    }
    if (path.startsWith('/api/v1/incidents') || path.startsWith('/api/v1/checks')) {
      const answer = state.incidents.answer(req.method, path, url.searchParams, body, state.me);
      if (answer.did) note(answer.did, 'incident', answer.id);
      if (answer.code) return problem(res, answer.status, answer.code, answer.title, answer.more);
      return json(res, answer.status, answer.body);
    }
    if (path.startsWith('/api/v1/webhooks')) {
      if (!state.me.permissions.includes('webhook.view'))
        return problem(res, 403, 'forbidden', 'You may not do this');
      const answer = state.webhooks.answer(req.method, path, url.searchParams, body);
      if (answer.did) note(answer.did, 'webhook', answer.id);
      if (answer.code) return problem(res, answer.status, answer.code, answer.title, answer.more);
      return json(res, answer.status, answer.body);
    }
    if (key === 'GET /api/v1/instances')
      return json(
        res,
        200,
        page(url.searchParams.get('all') ? [...state.instances, ...(state.others ?? [])] : state.instances),
      );
    if ((m = route('GET /api/v1/instances/*/timeline'))) {
      const entry = (minutes, action, outcome, actor, detail = {}) => ({
        id: randomUUID(),
        at: ago(minutes),
        action,
        actor,
        outcome,
        detail,
      });
      return json(
        res,
        200,
        page([
          entry(3, 'instance.seen', 'ready', 'system', { from: 'starting', generation: 3 }),
          entry(4, 'instance.start', 'done', 'user_01k9w3v5x7ada'),
          entry(50, 'instance.seen', 'crash_looping', 'system', { reason: 'not enough memory' }),
          entry(9000, 'instance.create', 'done', 'user_01k9w3v5x7ada'),
        ]),
      );
    }
    if ((m = route('GET /api/v1/instances/*/events'))) {
      const one = [...state.instances, ...(state.others ?? [])].find((i) => i.id === m[0]);
      if (!one) return problem(res, 404, 'not-found', 'Not found');
      sse(res);
      let n = 0;
      const tick = () => {
        n += 1;
        if (one.memory_bytes) {
          one.memory_bytes = 400_000_000 + ((n * 7919) % 90) * 1_000_000;
          one.cpu_ms += 20 + ((n * 31) % 100);
        }
        res.write(`event: instance\nid: ${n}\ndata: ${JSON.stringify(one)}\n\n`);
      };
      tick();
      const timer = setInterval(tick, 200);
      res.on('close', () => clearInterval(timer));
      return;
    }
    if ((m = route('GET /api/v1/instances/*/logs'))) {
      sse(res);
      for (let i = 0; i < 40; i++) {
        res.write(
          `event: line\nid: ${i}\ndata: ${JSON.stringify({ at: ago(40 - i), source: 'stdout', text: `[gateway] request ${i} answered in ${12 + i} ms` })}\n\n`,
        );
      }
      return;
    }
    if ((m = route('PUT /api/v1/instances/*/engine'))) {
      const one = state.instances.find((i) => i.id === m[0]);
      const to = state.engines.find((other) => other.id === body.engine_id);
      if (to.error)
        return problem(res, 422, 'invalid-fields', 'Some fields are not valid', {
          errors: [{ field: '/engine_id', message: 'is not installed' }],
        });
      const begun = state.operations.change(one, to, state.me);
      one.operation_id = begun.id;
      note('instance.change_engine', 'instance', one.id, { engine_version: to.version });
      return json(res, 202, state.operations.view(begun, state.me), { 'fractal-operation': begun.id });
    }
    if ((m = route('POST /api/v1/instances/*/(start|stop|restart)'))) {
      const one = state.instances.find((i) => i.id === m[0]);
      if (one.operation_id)
        return problem(res, 409, 'conflict', 'That does not fit its present state', {
          detail: `operation ${one.operation_id} is working on it`,
        });
      Object.assign(
        one,
        m[1] === 'stop'
          ? { wanted: 'stopped', seen: 'stopped', stop_reason: 'person' }
          : { wanted: 'running', seen: 'starting', stop_reason: null },
      );
      note(`instance.${m[1]}`, 'instance', one.id, { wanted: one.wanted });
      return json(res, 202, one);
    }
    if ((m = route('PUT /api/v1/instances/*/limits'))) {
      const one = state.instances.find((i) => i.id === m[0]);
      one.limits.disk_bytes = body.disk_bytes;
      Object.assign(one, { disk_pressure: 'ok', reason: null });
      return json(res, 200, one);
    }
    if ((m = route('GET /api/v1/instances/*'))) {
      const one = [...state.instances, ...(state.others ?? [])].find((i) => i.id === m[0]);
      return one ? json(res, 200, one) : problem(res, 404, 'not-found', 'Not found');
    }
    if (key === 'GET /api/v1/chat/sessions') {
      if (state.asleep && !url.searchParams.get('wake'))
        return problem(res, 409, 'conflict', 'That does not fit its present state', {
          detail: 'The agent is asleep.',
        });
      return json(res, 200, page(state.sessions));
    }
    if ((m = route('GET /api/v1/chat/sessions/*/history'))) {
      const messages = state.history.get(m[0]) ?? [];
      const active = [...state.runs.values()].find((run) => run.session === m[0] && !run.over);
      return json(res, 200, { session: m[0], messages, has_more: false, active_run: active?.id ?? null });
    }
    if ((m = route('GET /api/v1/chat/sessions/*/events'))) return sse(res);
    if ((m = route('PATCH /api/v1/chat/sessions/*'))) {
      state.sessions.find((one) => one.key === m[0]).title = body.title;
      return json(res, 204);
    }
    if ((m = route('DELETE /api/v1/chat/sessions/*'))) {
      state.sessions = state.sessions.filter((one) => one.key !== m[0]);
      return json(res, 204);
    }
    if (key === 'POST /api/v1/chat/stream')
      return readRun(res, startRun(body.session, body.agent_id, body.message), 0);
    if ((m = route('GET /api/v1/chat/runs/*/events'))) {
      const run = state.runs.get(m[0]);
      if (!run) return problem(res, 410, 'run-gone', 'This turn is over');
      return readRun(res, run, Number(req.headers['last-event-id'] ?? 0));
    }
    if ((m = route('POST /api/v1/chat/runs/*/abort'))) {
      const run = state.runs.get(m[0]);
      const text = run.events
        .filter((e) => e.type === 'delta')
        .map((e) => e.text)
        .join('');
      run.push({ type: 'final', text, aborted: true, usage: null });
      return json(res, 204);
    }
    if ((m = route('POST /api/v1/chat/runs/*/approvals/*'))) {
      state.runs.get(m[0]).onApproval(body.decision);
      return json(res, 204);
    }
    if ((m = route('POST /api/v1/chat/runs/*/questions/*'))) {
      state.runs.get(m[0]).onQuestion(body.answer);
      return json(res, 204);
    }
    return problem(res, 404, 'not-found', `The mock has no ${key}`);
  }

  function file(path, res) {
    const safe = normalize(path).replace(/^(\.\.[/\\])+/, '');
    let target = join(dist, safe);
    if (!existsSync(target) || !statSync(target).isFile()) target = join(dist, 'index.html');
    res.writeHead(200, {
      'content-type': TYPES[extname(target)] ?? 'application/octet-stream',
      'content-security-policy': CSP,
      'x-content-type-options': 'nosniff',
    });
    res.end(readFileSync(target));
  }

  const server = createServer(async (req, res) => {
    if (JITTER > 0 && req.url.startsWith('/api/')) await wait(Math.random() * JITTER);
    handle(req, res).catch((error) => {
      console.error(error);
      if (!res.headersSent) problem(res, 500, 'internal', String(error));
    });
  });
  // Streams over one socket, each read from the address that serves it by itself.
  server.on('upgrade', (req, tcp, head) => {
    if (!state.sockets) return tcp.end('HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\n\r\n');
    sockets.handleUpgrade(req, tcp, head, (socket) => {
      const open = new Map();
      const tell = (message) => socket.send(JSON.stringify(message));
      socket.on('close', () => {
        for (const leave of open.values()) leave.abort();
      });
      socket.on('message', async (data) => {
        const { type, stream, path, last_event_id: last } = JSON.parse(data);
        if (type === 'close') return open.get(stream)?.abort();
        state.streamed.push(path);
        const leave = new AbortController();
        open.set(stream, leave);
        try {
          const headers = { cookie: req.headers.cookie ?? '', ...(last ? { 'last-event-id': last } : {}) };
          const answer = await fetch(`http://${req.headers.host}${path}`, { headers, signal: leave.signal });
          if (!answer.ok) return tell({ type: 'refused', stream, problem: await answer.json() });
          tell({ type: 'opened', stream });
          for await (const chunk of answer.body.pipeThrough(new TextDecoderStream()))
            tell({ type: 'text', stream, text: chunk });
          tell({ type: 'ended', stream });
        } catch {
          if (!leave.signal.aborted) tell({ type: 'ended', stream });
        }
      });
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    state,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets.clients) socket.terminate();
        server.closeAllConnections();
        server.close(resolve);
      }),
  };
}
