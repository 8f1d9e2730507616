// The browser of the tests: the machine's own Chromium, started once per file.
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const require = createRequire(import.meta.url);
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
export const SHOTS = join(import.meta.dirname, '..', 'screenshots');

export const PHONE = { width: 390, height: 844 };
export const DESKTOP = { width: 1440, height: 900 };

export function findChromium() {
  const known = [
    process.env.CHROMIUM,
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ];
  const found = known.find((path) => path && existsSync(path));
  if (!found)
    throw new Error('No Chromium was found: install the package chromium or set CHROMIUM to its path');
  return found;
}

export function launch() {
  mkdirSync(SHOTS, { recursive: true });
  return chromium.launch({ executablePath: findChromium(), args: ['--no-sandbox'] });
}

/**
 * A page that fails the test on any script error, refused content or request to another host than the base and those
 * that the scenario leads to (`also`).
 */
export async function open(browser, base, options = {}) {
  const { size = DESKTOP, scheme = 'light', locale = 'en-GB', also = [] } = options;
  const context = await browser.newContext({
    baseURL: base,
    viewport: size,
    colorScheme: scheme,
    locale,
    reducedMotion: 'reduce',
    hasTouch: size === PHONE,
    isMobile: size === PHONE,
    deviceScaleFactor: 1,
  });
  const problems = [];
  const page = await openTab(context, [base, ...also], problems);
  return { page, context, problems };
}

/** A page in a browser that is open; what goes wrong on it is added to the problems. */
export async function openTab(context, hosts, problems) {
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.on('pageerror', (error) => problems.push(`error: ${error.message}`));
  page.on('console', (line) => {
    // Chromium reports every answer from 400 on as an error, and a server that is gone; those are asked for here.
    const asked = /^Failed to load resource|^WebSocket connection to .* net::ERR_CONNECTION_REFUSED$/;
    if (line.type() === 'error' && !asked.test(line.text())) {
      problems.push(`console: ${line.text()}`);
    }
  });
  const known = [...hosts, 'data:', 'blob:'];
  page.on('request', (request) => {
    const url = request.url();
    if (!known.some((start) => url.startsWith(start))) problems.push(`another host: ${url}`);
  });
  return page;
}

/** What axe finds wrong for WCAG 2.2 AA, as readable lines. */
export async function audit(page) {
  // By the debugger, not by a script element: the content security policy stays as strict as it is.
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() =>
    window.axe.run(document, {
      runOnly: {
        type: 'tag',
        values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
      },
    }),
  );
  return violations.flatMap((one) =>
    one.nodes.map(
      (node) => `${one.id}: ${node.target.join(' ')} ${node.failureSummary.split('\n')[1]?.trim() ?? ''}`,
    ),
  );
}
