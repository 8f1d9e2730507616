// The real server for the browser tests: a throw-away installation whose control plane can be ended and started
// again, and a model provider on this machine that answers as slowly as a test wants.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** Asks until the answer is truthy; says what was awaited when it never is. */
export async function until(what, ask, patience = 60_000) {
  const end = Date.now() + patience;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`Waited in vain for: ${what}`);
    await wait(100);
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** A fresh installation with the program of `FRACTAL_TEST_PROGRAM` and the engine of `FRACTAL_TEST_ENGINE`. */
export async function openHouse() {
  const { FRACTAL_TEST_PROGRAM: program, FRACTAL_TEST_ENGINE: engine } = process.env;
  const data = mkdtempSync(join(tmpdir(), 'fractal-portal-'));
  // Instances run as users of their own and must get through to their homes.
  chmodSync(data, 0o711);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const env = {
    ...process.env,
    FRACTAL_ENGINE: engine,
    FRACTAL_SECRET_KEY: randomBytes(32).toString('base64'),
    NO_COLOR: '1',
  };
  let child;
  let output = '';
  const start = async () => {
    child = spawn(program, ['serve', '--data', data, '--listen', `127.0.0.1:${port}`], { env });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (part) => {
        output = (output + part).slice(-20_000);
      });
    }
    await until('the server to answer', async () => {
      if (child.exitCode !== null) throw new Error(`The server ended:\n${output}`);
      return fetch(`${url}/readyz`).then(
        (answer) => answer.ok,
        () => false,
      );
    });
  };
  /** SIGTERM leaves the instances to the next start; SIGINT ends them too. */
  const end = async (signal) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  };
  await start();
  return {
    url,
    token: readFileSync(join(data, 'setup-token'), 'utf8').trim(),
    start,
    leave: () => end('SIGTERM'),
    output: () => output,
    async close() {
      await end('SIGINT');
      if (existsSync(data)) rmSync(data, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/**
 * Speaks the completions wire of OpenAI. It answers in words; `state.pause` ms lie between two of them, and after
 * `state.most` it holds its breath until a test lets it say more. What it was asked is kept in `state.asked`.
 */
export async function startModel() {
  const state = { pause: 5, words: 12, most: Number.POSITIVE_INFINITY, key: 'sk-right', calls: 0, asked: [] };
  const server = createServer((request, response) => {
    void answer(request, response).catch(() => response.destroy());
  });
  async function answer(request, response) {
    let body = '';
    for await (const part of request) body += part;
    if (request.headers.authorization !== `Bearer ${state.key}`) {
      response.writeHead(401, { 'content-type': 'application/json' });
      response.end('{"error":{"message":"Incorrect API key provided","type":"invalid_request_error"}}');
      return;
    }
    if (request.url.endsWith('/models')) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end('{"object":"list","data":[{"id":"slow-1","object":"model"}]}');
      return;
    }
    state.calls += 1;
    const asked = JSON.parse(body || '{}');
    state.asked.push(asked);
    const words = Array.from({ length: state.words }, (_, i) => `word${i + 1}`);
    const frame = (delta, finish = null) => ({
      id: 'chatcmpl-1',
      object: 'chat.completion.chunk',
      created: 1,
      model: 'slow-1',
      choices: [{ index: 0, delta, finish_reason: finish }],
    });
    if (!asked.stream) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify({
          ...frame({}),
          object: 'chat.completion',
          choices: [
            { index: 0, message: { role: 'assistant', content: words.join(' ') }, finish_reason: 'stop' },
          ],
          usage: { prompt_tokens: 10, completion_tokens: words.length, total_tokens: 10 + words.length },
        }),
      );
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const say = (data) =>
      response.write(`data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`);
    say(frame({ role: 'assistant', content: '' }));
    for (const [i, word] of words.entries()) {
      await until('the test to hear more', () => response.destroyed || i < state.most);
      if (response.destroyed) return;
      say(frame({ content: `${word} ` }));
      await wait(state.pause);
    }
    say(frame({}, 'stop'));
    say({
      ...frame({}),
      choices: [],
      usage: { prompt_tokens: 10, completion_tokens: words.length, total_tokens: 10 + words.length },
    });
    say('[DONE]');
    response.end();
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    state,
    url: `http://127.0.0.1:${server.address().port}/v1`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
