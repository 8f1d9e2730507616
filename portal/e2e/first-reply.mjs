// From the wizard to the first streamed reply: against the mock in `portal.test.mjs`, or against a real server:
//   FRACTAL_URL=http://127.0.0.1:8088 FRACTAL_SETUP_TOKEN=frk_setup_… node e2e/first-reply.mjs
import { strict as assert } from 'node:assert';
import { join } from 'node:path';
import { DESKTOP, launch, open, PHONE, SHOTS } from './browser.mjs';

export const PASSWORD = 'correct horse battery';

/**
 * Walks the whole way and gives back the reply's text. `patience` is how long a real gateway may take;
 * `inspect(page, name)` is called at every stop.
 */
export async function firstReply(page, token, { shots = 'first-reply', patience = 180_000, inspect } = {}) {
  const shot = async (name) => {
    await page.screenshot({ path: join(SHOTS, `${shots}-${name}.png`) });
    await inspect?.(page, `${shots}-${name}`);
  };

  await page.goto(`/setup#${token}`);
  await page.getByRole('heading', { name: 'Create your account' }).waitFor();
  assert.equal(new URL(page.url()).hash, '', 'the token is taken off the address');
  await page.getByLabel('Username').fill('ada');
  await page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD);
  await shot('1-account');
  await page.getByRole('button', { name: 'Create account' }).click();

  await page.getByRole('button', { name: 'Passwords are enough for now' }).waitFor();
  await shot('2-sign-in');
  await page.getByRole('button', { name: 'Passwords are enough for now' }).click();

  await page.getByRole('heading', { name: 'Choose a model provider' }).waitFor();
  await assertChecked(page.getByRole('radio', { name: /Try without a key/ }));
  await shot('3-model');
  await page.getByRole('button', { name: 'Continue with the demo' }).click();

  await page.getByRole('heading', { name: 'Your first agent' }).waitFor();
  await page.getByText('Friendly', { exact: true }).click();
  await shot('4-agent');
  await page.getByRole('button', { name: 'Open the chat' }).click();

  const box = page.getByRole('textbox', { name: 'Message' });
  await box.waitFor();
  assert.match(await box.inputValue(), /Who are you/, 'the first message is prepared');
  await shot('5-prepared');
  await box.press('Enter');
  // A quick answer may be over before anybody has looked.
  const over = page.getByRole('button', { name: 'Ask again' });
  await page.getByRole('status').or(over).first().waitFor();
  await shot('6-waking');

  const reply = page.getByRole('article').last().locator('.markdown');
  await reply.waitFor({ timeout: patience });
  await page.getByRole('button', { name: 'Ask again' }).waitFor({ timeout: patience });
  const text = await reply.innerText();
  assert.match(text, /demo/i, 'the demo provider labels itself');
  await shot('7-reply');

  await page.reload();
  await page.getByRole('article').last().locator('.markdown').waitFor({ timeout: patience });
  const again = await page.getByRole('article').last().locator('.markdown').innerText();
  assert.equal(again, text, 'the history holds the same answer');
  await shot('8-history');
  return text;
}

async function assertChecked(radio) {
  assert.equal(await radio.getAttribute('aria-checked'), 'true');
}

if (process.argv[1] === import.meta.filename) {
  const { FRACTAL_URL: base, FRACTAL_SETUP_TOKEN: token } = process.env;
  if (!base || !token) {
    console.error('Set FRACTAL_URL and FRACTAL_SETUP_TOKEN; both stand on the terminal of `fractal serve`.');
    process.exit(2);
  }
  const browser = await launch();
  try {
    const size = process.env.PHONE ? PHONE : DESKTOP;
    const { page, problems } = await open(browser, base.replace(/\/$/, ''), { size });
    console.log(await firstReply(page, token, { shots: 'real' }));
    assert.deepEqual(problems, []);
  } finally {
    await browser.close();
  }
}
