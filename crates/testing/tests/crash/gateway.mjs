// Stands in for OpenClaw: as little of protocol 4 as it takes to be proven ready, to answer turns through the broker, and to
// end when asked. It starts in a tenth of a second, so that many starts can be interrupted.
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';

if (process.argv.includes('--version')) {
  console.log('OpenClaw 2026.9.6');
  process.exit(0);
}

const port = Number(process.argv[process.argv.indexOf('--port') + 1]);
const document = JSON.parse(fs.readFileSync(process.env.OPENCLAW_CONFIG_PATH, 'utf8'));
const bootId = crypto.randomUUID();
const models = new Map();

/** Sends the message to the model of the session and tells every delta. */
async function turn(model, message, say) {
  const [provider, alias] = model.split('/');
  const { baseUrl, apiKey } = document.models.providers[provider];
  const request = { model: alias, stream: true, messages: [{ role: 'user', content: message }] };
  const response = await fetch(`${baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${apiKey}` },
    body: JSON.stringify(request),
  });
  if (!response.ok) throw new Error(`the broker answered ${response.status}: ${await response.text()}`);
  let rest = '';
  let text = '';
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      if (!line.startsWith('data: {')) continue;
      const words = JSON.parse(line.slice(6)).choices?.[0]?.delta?.content ?? '';
      text += words;
      if (words) say(words, text);
    }
  }
  return text;
}

const content = (text) => ({ role: 'assistant', content: [{ type: 'text', text }] });

function answer(method, params, tell) {
  switch (method) {
    case 'connect':
      if (params.auth.token !== document.gateway.auth.token) throw new Error('wrong token');
      return {
        type: 'hello-ok', protocol: 4, server: { version: '2026.9.6', bootId, connId: crypto.randomUUID() },
        features: { methods: ['chat.send'], events: [] }, snapshot: {}, auth: { scopes: ['operator.admin'] },
        policy: { maxPayload: 1 << 20, tickIntervalMs: 30000 },
      };
    case 'sessions.patch':
      if (params.model) models.set(params.key, params.model);
      return {};
    case 'chat.send': {
      const runId = params.idempotencyKey;
      let seq = 0;
      const event = (fields) => tell('chat', { runId, sessionKey: params.sessionKey, seq: (seq += 1), ...fields });
      const model = models.get(params.sessionKey) ?? document.agents.defaults.model.primary;
      turn(model, params.message, (deltaText, text) => event({ state: 'delta', deltaText, message: content(text) }))
        .then((text) => event({ state: 'final', message: content(text) }))
        .catch((error) => event({ state: 'error', errorMessage: String(error) }));
      return { runId };
    }
    case 'config.get':
      return { hash: 'h', valid: true, sourceConfig: document };
    case 'config.patch': {
      const merge = (into, patch) => {
        for (const [key, value] of Object.entries(patch)) {
          if (value === null) delete into[key];
          else if (value?.constructor === Object) merge((into[key] ??= {}), value);
          else into[key] = value;
        }
      };
      merge(document, JSON.parse(params.raw));
      return {};
    }
    case 'exec.approval.list': return { approvals: [] };
    case 'question.list': return { questions: [] };
    case 'chat.history': return { messages: [] };
    default: return {};
  }
}

function frame(opcode, text) {
  const body = Buffer.from(text);
  const length = body.length < 126 ? Buffer.from([body.length])
    : body.length < 65536 ? Buffer.from([126, body.length >> 8, body.length & 255])
      : (() => { const bytes = Buffer.alloc(9); bytes[0] = 127; bytes.writeBigUInt64BE(BigInt(body.length), 1); return bytes; })();
  return Buffer.concat([Buffer.from([0x80 | opcode]), length, body]);
}

/** Calls back with every whole, unmasked message; clients do not fragment. */
function reader(take) {
  let held = Buffer.alloc(0);
  return (chunk) => {
    held = Buffer.concat([held, chunk]);
    for (;;) {
      if (held.length < 6) return;
      let size = held[1] & 127;
      let at = 2;
      if (size === 126) { size = held.readUInt16BE(2); at = 4; }
      if (size === 127) {
        if (held.length < 14) return;
        size = Number(held.readBigUInt64BE(2)); at = 10;
      }
      if (held.length < at + 4 + size) return;
      const mask = held.subarray(at, at + 4);
      const body = Buffer.from(held.subarray(at + 4, at + 4 + size));
      for (let i = 0; i < size; i += 1) body[i] ^= mask[i & 3];
      const opcode = held[0] & 15;
      held = held.subarray(at + 4 + size);
      take(opcode, body);
    }
  };
}

const server = http.createServer((request, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(request.url === '/readyz' ? { ready: true, failing: [] } : { ok: true }));
});
server.on('upgrade', (request, socket) => {
  socket.on('error', () => {});
  const accept = crypto.createHash('sha1').update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11');
  socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n'
    + `sec-websocket-accept: ${accept.digest('base64')}\r\n\r\n`);
  const send = (value) => { if (socket.writable) socket.write(frame(1, JSON.stringify(value))); };
  const tell = (event, payload) => send({ type: 'event', event, payload });
  tell('connect.challenge', { nonce: 'n', ts: 1 });
  socket.on('data', reader((opcode, body) => {
    if (opcode === 8) return socket.end();
    if (opcode === 9) return socket.write(frame(10, body));
    if (opcode !== 1) return undefined;
    const { id, method, params } = JSON.parse(body);
    try {
      return send({ type: 'res', id, ok: true, payload: answer(method, params, tell) });
    } catch (error) {
      return send({ type: 'res', id, ok: false, error: { code: 'INVALID', message: String(error) } });
    }
  }));
});
server.listen(port, '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
