// Stands in for the gateway: starts in milliseconds and behaves as its environment says.
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { execFileSync } from 'node:child_process';

const port = Number(process.argv[process.argv.indexOf('--port') + 1]);
const behaviour = process.env.BEHAVIOUR;

function attempt(action) {
  try {
    return { ok: true, value: action() };
  } catch (error) {
    return { ok: false, code: error.code ?? String(error) };
  }
}

function connect(options) {
  return new Promise((resolve) => {
    const socket = net.connect(options);
    socket.setTimeout(2000, () => socket.destroy(new Error('timeout')));
    socket.on('connect', () => { socket.destroy(); resolve('connected'); });
    socket.on('error', (error) => resolve(error.code ?? error.message));
  });
}

function get(url) {
  return new Promise((resolve) => {
    http.get(url, (response) => { response.resume(); resolve(response.statusCode); })
      .on('error', (error) => resolve(error.code));
  });
}

async function probe() {
  const seek = JSON.parse(process.env.PROBE);
  const status = fs.readFileSync('/proc/self/status', 'utf8');
  const document = JSON.parse(fs.readFileSync(process.env.OPENCLAW_CONFIG_PATH, 'utf8'));
  const listenerPort = Number(document.listener.split(':')[1]);
  const result = {
    uid: process.getuid(),
    groups: process.getgroups(),
    status: Object.fromEntries(status.trim().split('\n').map((line) => line.split(/:\s*/, 2))),
    root: fs.readdirSync('/'),
    etc: attempt(() => fs.readdirSync('/etc')),
    readable: Object.fromEntries(seek.paths.map((path) => [path, fs.existsSync(path)])),
    writable: Object.fromEntries(
      ['/x', '/usr/x', '/etc/x', '/opt/engine/x', '/run/fractal/x', '/home/agent/x', '/tmp/x']
        .map((path) => [path, attempt(() => fs.writeFileSync(path, 'x')).ok])),
    mounts: fs.readFileSync('/proc/self/mounts', 'utf8'),
    processes: fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length,
    interfaces: fs.readFileSync('/proc/net/dev', 'utf8').split('\n').slice(2).map((line) => line.split(':')[0].trim()).filter(Boolean),
    host: await connect({ host: '127.0.0.1', port: seek.port }),
    internet: await connect({ host: '192.0.2.1', port: 80 }),
    listener: await get(`http://127.0.0.1:${listenerPort}/api/internal/agent-config/nobody`),
    listenerFolder: attempt(() => fs.readdirSync('/run/fractal')),
    relay: attempt(() => fs.readFileSync('/proc/1/cmdline', 'utf8') + fs.readFileSync('/proc/1/environ', 'utf8')),
    namespaces: attempt(() => execFileSync('unshare', ['--user', '--map-root-user', 'true'], { stdio: 'pipe' })).ok,
    environment: process.env,
    document,
    mode: fs.statSync(process.env.OPENCLAW_CONFIG_PATH).mode & 0o777,
    openFiles: execFileSync('sh', ['-c', 'ulimit -n']).toString().trim(),
  };
  console.log('probe ' + JSON.stringify(result));
}

if (behaviour === 'crash') {
  console.error('a bad end');
  process.exitCode = 3;
} else if (behaviour === 'greedy') {
  const held = [];
  for (;;) held.push(Buffer.alloc(16 << 20, 1));
} else {
  process.on('SIGTERM', () => { if (behaviour !== 'stubborn') process.exit(0); });
  if (behaviour === 'orphans') {
    // Ends at once and leaves a child behind, which the relay must bury in the end.
    execFileSync('sh', ['-c', 'for i in 1 2 3 4 5; do (sleep 0.05 &) ; done']);
  }
  net.createServer((socket) => { socket.on('error', () => {}); socket.pipe(socket); })
    .listen(port, '127.0.0.1', async () => {
      if (behaviour === 'probe') await probe();
      console.log('hello from the gateway');
      console.log(`the token is ${process.env.LEAK ?? ''}`);
    });
}
