// A real OpenID provider beside the house: the one of the tests in Rust (`crates/testing/oidc-provider`), under node.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const SOURCE = join(import.meta.dirname, '../../crates/testing/oidc-provider');
// Kept between runs, and gone with the other packages.
const KEPT = join(import.meta.dirname, '../node_modules/.oidc-provider');
const FILES = ['package.json', 'package-lock.json', '.npmrc', 'server.mjs'];

/** The secret of its client `fractal`. */
export const CLIENT_SECRET = 'the-client-secret-of-a-test';

/** Installs it from its lockfile where that has not been done yet, and says where it is. */
function installed() {
  const same = (name) =>
    existsSync(join(KEPT, name)) && readFileSync(join(KEPT, name)).equals(readFileSync(join(SOURCE, name)));
  if (FILES.every(same)) return KEPT;
  // Aside first: a run that is broken off leaves nothing half done under the name.
  const folder = mkdtempSync(`${KEPT}-`);
  for (const name of FILES) copyFileSync(join(SOURCE, name), join(folder, name));
  const npm = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--fetch-timeout=60000'];
  const { status, error, stderr } = spawnSync('npm', npm, { cwd: folder, encoding: 'utf8' });
  if (status !== 0) {
    rmSync(folder, { recursive: true, force: true });
    throw new Error(`The OpenID provider cannot be installed: ${error?.message ?? stderr}`);
  }
  rmSync(KEPT, { recursive: true, force: true });
  renameSync(folder, KEPT);
  return KEPT;
}

/**
 * Starts one that sends browsers back to the house. It is known as `localhost`, so that for a browser it is another site
 * than the house at `127.0.0.1`, as it is in a company: what a cookie may do depends on that.
 */
export async function startIdentityProvider(house) {
  const callback = `${house.url}/api/v1/auth/oidc/callback`;
  const env = { ...process.env, OIDC_HOST: 'localhost' };
  // Its standard input keeps it alive, also when a test is killed; its warnings are about production.
  const child = spawn(process.execPath, ['server.mjs', callback], {
    cwd: installed(),
    env,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const gone = once(child, 'exit');
  const first = once(createInterface({ input: child.stdout }), 'line');
  const early = gone.then(([code]) => Promise.reject(new Error(`The OpenID provider ended with ${code}`)));
  early.catch(() => {});
  const [issuer] = await Promise.race([first, early]);
  return {
    issuer,
    async close() {
      child.stdin.end();
      await gone;
    },
  };
}

/** Signs in on the provider's own pages, then lets it tell the house who one is. */
export async function signInThere(page, issuer, who) {
  await page.waitForURL((url) => url.href.startsWith(issuer));
  await page.locator('input[name=login]').fill(who);
  await page.locator('input[name=password]').fill('any will do');
  await page.getByRole('button', { name: 'Sign-in' }).click();
  await page.getByRole('button', { name: 'Continue' }).click();
}
