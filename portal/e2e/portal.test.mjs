// What people do with the Portal, in a real browser against the scripted server.
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { launch, open, PHONE } from './browser.mjs';
import { firstReply, PASSWORD } from './first-reply.mjs';
import { until } from './house.mjs';
import { SETUP_TOKEN, startMock } from './mock.mjs';
import { SECRET } from './webhooks.mjs';
import { KEY } from './witnesses.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** A mock and a page on it, both gone afterwards; the page must have been without errors. */
function scenario(name, options, body) {
  test(name, async () => {
    const mock = await startMock(options.mock);
    const view = await open(browser, mock.url, options.view);
    try {
      await body({ ...view, mock, state: mock.state });
      assert.deepEqual(view.problems, []);
    } finally {
      await view.context.close();
      await mock.close();
    }
  });
}

const box = (page) => page.getByRole('textbox', { name: 'Message' });
/** What somebody may not see is only missing once it is known who they are. */
const known = (page) => page.getByRole('button', { name: 'Account of Ada' }).waitFor();
const lastAnswer = (page) => page.getByRole('article').last();
async function say(page, text) {
  await box(page).fill(text);
  await box(page).press('Enter');
}

scenario(
  'the wizard leads to a streamed reply that is still there after a reload',
  { mock: { fresh: true } },
  async ({ page, state }) => {
    await firstReply(page, SETUP_TOKEN);
    assert.equal(state.status.completed, true);
  },
);

scenario(
  'the wizard works on a phone',
  { mock: { fresh: true }, view: { size: PHONE } },
  async ({ page }) => {
    await firstReply(page, SETUP_TOKEN, { shots: 'first-reply-phone' });
  },
);

scenario(
  'an old setup link asks for the token and names the wrong field',
  { mock: { fresh: true } },
  async ({ page }) => {
    await page.goto('/setup#frk_setup_old');
    await page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD);
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.getByText('The setup token is not valid').waitFor();
    await page.getByRole('textbox', { name: 'Setup token' }).fill(SETUP_TOKEN);
    await page.getByLabel('Username').fill('äda');
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.getByText('only a-z, 0-9').waitFor();
    assert.equal(await page.getByLabel('Username').getAttribute('aria-invalid'), 'true');
  },
);

scenario(
  'the wizard is resumed where it was left, and a refused key is mended in place',
  { mock: { fresh: true } },
  async ({ page, state }) => {
    state.status.steps.breakglass = true;
    state.status.steps.oidc = true;
    state.signedIn = true;
    await page.goto('/');
    await page.getByRole('radio', { name: /Anthropic Claude/ }).click();
    await page.getByRole('textbox', { name: 'API key' }).fill('bad-key');
    await page.getByRole('button', { name: 'Save and test' }).click();
    await page.getByText('The provider refused the key.').waitFor();
    await page.getByRole('textbox', { name: 'API key' }).fill('good-key');
    await page.getByRole('button', { name: 'Test again' }).click();
    await page.getByText('It answered in 184').waitFor();
    assert.equal(state.providers.length, 1);
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('heading', { name: 'Your first agent' }).waitFor();
    assert.equal(
      await page
        .getByRole('combobox', { name: 'Model' })
        .or(page.getByRole('textbox', { name: 'Model' }))
        .inputValue(),
      'large-1',
    );
  },
);

scenario(
  'the wizard shows the whole redirect address, and names the switch that a private issuer needs',
  { mock: { fresh: true } },
  async ({ page, mock, state }) => {
    state.signedIn = true;
    state.status.steps.breakglass = true;
    await page.goto('/setup');
    await page.getByRole('button', { name: 'Set up an identity provider' }).click();
    await page.getByText(`${mock.url}/api/v1/auth/oidc/callback`).waitFor();
    await page.getByRole('textbox', { name: 'Name' }).fill('Beside us');
    await page.getByRole('textbox', { name: 'Issuer address' }).fill('http://192.168.1.7:9000');
    await page.getByRole('textbox', { name: 'Client id' }).fill('fractal');
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByText('turn on “It is on this machine or in a private network”').waitFor();
    await page.getByRole('switch', { name: 'private network' }).click();
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByText('Choose a model provider').waitFor();
  },
);

scenario('signing in returns to where one was', {}, async ({ page, state }) => {
  state.signedIn = false;
  await page.goto('/settings/tokens');
  await page.getByLabel('Username').fill('ada');
  await page.getByRole('textbox', { name: 'Password' }).fill('wrong');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByText('Username or password is wrong').waitFor();
  await page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('heading', { name: 'API tokens' }).waitFor();
});

scenario(
  'a failed sign-in of an identity provider is told, and no other site is returned to',
  {},
  async ({ page, state }) => {
    state.signedIn = false;
    await page.goto('/login?return_to=//evil.example#error=sign-in-failed');
    await page.getByText('Signing in failed').waitFor();
    const link = await page.getByRole('link', { name: 'Continue with Company login' }).getAttribute('href');
    assert.equal(link, '/api/v1/auth/oidc/idp_1/start?return_to=%2F');
  },
);

scenario(
  'why an identity provider let nobody in is told, and signing in later leads to where one wanted to go',
  {},
  async ({ page, state }) => {
    state.signedIn = false;
    state.refusal = 'no-account';
    await page.goto('/settings/tokens?x=1');
    const there = page.getByRole('link', { name: 'Continue with Company login' });
    await there.click();
    const alert = page.getByRole('alert');
    await alert.getByText('No account here is linked to this identity').waitFor();
    await alert.getByText('Ask an administrator for an invitation').waitFor();
    assert.equal(new URL(page.url()).hash, '');
    assert.equal(await alert.getByRole('link', { name: 'Back' }).count(), 0, 'nobody is signed in');
    state.refusal = 'cancelled';
    await there.click();
    await alert.getByText('You cancelled at the identity provider').waitFor();
    await page.getByRole('button', { name: 'Deutsch' }).click();
    await alert.getByText('Du hast beim Identitätsanbieter abgebrochen').waitFor();
    await page.getByRole('button', { name: 'English' }).click();
    await page.getByLabel('Username').fill('ada');
    await page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.waitForURL(/\/settings\/tokens\?x=1$/);
    await page.getByText('Backup script').waitFor();
    // What was told is over: signed out without a load, one begins anew.
    state.signedIn = false;
    await page.getByRole('link', { name: 'Usage' }).first().click();
    await page.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
    assert.equal(await alert.count(), 0);
    state.refusal = undefined;
    await there.click();
    await page.waitForURL(/\/settings\/usage$/);
  },
);

scenario(
  'an identity is linked to one’s own account, and who is refused is still signed in',
  {},
  async ({ page, state }) => {
    await page.goto('/settings/account');
    const link = page.getByRole('link', { name: 'Link Company login' });
    state.refusal = 'link-stale';
    await link.click();
    const alert = page.getByRole('alert');
    await alert.getByText('An identity is only linked soon after signing in').waitFor();
    await alert.getByText('You are still signed in as Ada').waitFor();
    await alert.getByRole('link', { name: 'Back' }).click();
    await page.waitForURL(/\/settings\/account$/);
    await link.click();
    await alert.getByRole('button', { name: 'Sign out and in again' }).click();
    await page.getByLabel('Username').fill('ada');
    await page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.waitForURL(/\/settings\/account$/);
    state.refusal = undefined;
    await link.click();
    await page.getByText('Linked', { exact: true }).waitFor();
    assert.equal(await link.count(), 0);
    // The last way in stays, and the reason is told; another is given back.
    state.me.has_password = false;
    await page.getByRole('button', { name: 'Unlink Company login' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Unlink', exact: true }).click();
    await dialog.getByText('It is your last way to sign in').waitFor();
    state.me.has_password = true;
    await dialog.getByRole('button', { name: 'Unlink', exact: true }).click();
    await dialog.waitFor({ state: 'detached' });
    await link.waitFor();
  },
);

scenario(
  'where the browser would not say that linking began here it is not offered',
  {},
  async ({ page }) => {
    await page.addInitScript(() => Object.defineProperty(window, 'isSecureContext', { value: false }));
    await page.goto('/settings/account');
    await page.getByText('Open Fractal at an https address').waitFor();
    assert.equal(await page.getByRole('link', { name: 'Link Company login' }).count(), 0);
  },
);

scenario(
  'an identity provider’s form shows and keeps what is stored, and names the switch that it needs',
  {},
  async ({ page, mock, state }) => {
    const [one] = state.identityProviders;
    Object.assign(one, {
      allow_private_network: true,
      redirect_uri: '/api/v1/auth/oidc/callback',
    });
    await page.goto('/settings/sign-in');
    const card = page.getByRole('region', { name: 'Company login' });
    await card.getByText(`${mock.url}/api/v1/auth/oidc/callback`).waitFor();
    const sent = () => state.log.filter((entry) => entry.key.startsWith('PATCH')).at(-1).body;
    const form = page.getByRole('dialog');
    const permitted = form.getByRole('switch', { name: 'private network' });
    const edit = async (change) => {
      await card.getByRole('button', { name: 'Edit' }).click();
      await change();
      await form.getByRole('button', { name: 'Save' }).click();
      await form.waitFor({ state: 'detached' });
    };
    await edit(async () => {
      await form.getByText(`${mock.url}/api/v1/auth/oidc/callback`).waitFor();
      assert.equal(await permitted.isChecked(), true);
    });
    assert.ok(!('allow_private_network' in sent()), 'what was not touched is not sent');
    await edit(() => permitted.click());
    assert.equal(sent().allow_private_network, false);
    await edit(async () => assert.equal(await permitted.isChecked(), false));

    const setting = '“It is on this machine or in a private network”';
    await card.getByRole('button', { name: 'Test now' }).click();
    await card.getByText(`turn on ${setting}`).waitFor();
    await page.getByRole('button', { name: 'Add identity provider' }).click();
    await form.getByRole('textbox', { name: 'Name' }).fill('Beside us');
    await form.getByRole('textbox', { name: 'Issuer address' }).fill('http://192.168.1.7:9000');
    await form.getByRole('textbox', { name: 'Client id' }).fill('fractal');
    await form.getByRole('button', { name: 'Save' }).click();
    await form.getByText(`turn on ${setting}`).waitFor();
    await permitted.click();
    await form.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('region', { name: 'Beside us' }).waitFor();
  },
);

scenario('an invitation is accepted with the secret of its link', {}, async ({ page, state }) => {
  state.signedIn = false;
  await page.goto('/invitation#frk_invite_abc');
  assert.equal(new URL(page.url()).hash, '');
  await page.getByLabel('Username').fill('grace');
  await page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Create account' }).click();
  await box(page).waitFor();
});

scenario(
  'an answer streams as Markdown without raw HTML, scripts or remote pictures',
  {},
  async ({ page, state }) => {
    state.script = 'rich';
    await page.goto('/');
    await say(page, 'rename my photos');
    const answer = lastAnswer(page);
    await page.getByRole('button', { name: 'Ask again' }).waitFor();
    await answer.locator('.hljs-keyword').first().waitFor();
    await answer.getByRole('table').waitFor();
    assert.equal(await answer.locator('img').count(), 0);
    assert.equal(await page.evaluate(() => window.hacked), undefined);
    await answer.getByText('Image not loaded: tracker').waitFor();
  },
);

scenario('a block of code is copied as it is', {}, async ({ page, context, state }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  state.script = 'rich';
  await page.goto('/');
  await say(page, 'rename my photos');
  await page.getByRole('button', { name: 'Ask again' }).waitFor();
  const block = page.getByRole('figure').first();
  await block.locator('.hljs-keyword').first().waitFor();
  await block.getByRole('button', { name: 'Copy code' }).click();
  await block.getByRole('button', { name: 'Copied' }).waitFor();
  const code = await block.locator('code').innerText();
  assert.match(code, /\n/);
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), code);
});

scenario('copying works where browsers offer no clipboard', {}, async ({ page }) => {
  // As on plain http under another name than that of this machine.
  await page.addInitScript(() => {
    delete Navigator.prototype.clipboard;
  });
  await page.goto('/settings/sign-in');
  const card = page.getByRole('region', { name: 'Company login' });
  await card.getByRole('button', { name: 'Copy' }).click();
  await card.getByRole('button', { name: 'Copied' }).waitFor();
  // Also inside of a dialog, which keeps the focus.
  await card.getByRole('button', { name: 'Edit' }).click();
  const form = page.getByRole('dialog');
  await form.getByRole('button', { name: 'Copy' }).click();
  await form.getByRole('button', { name: 'Copied' }).waitFor();
  const name = form.getByRole('textbox', { name: 'Name' });
  await name.fill('');
  await name.press('Control+v');
  assert.equal(await name.inputValue(), 'http://127.0.0.1:8088/api/v1/auth/oidc/callback');
});

scenario('a browser that lets nobody copy is made up for by hand', {}, async ({ page }) => {
  await page.addInitScript(() => {
    delete Navigator.prototype.clipboard;
    document.execCommand = () => false;
  });
  await page.goto('/settings/sign-in');
  await page.getByRole('region', { name: 'Company login' }).getByRole('button', { name: 'Edit' }).click();
  const form = page.getByRole('dialog', { name: 'Edit' });
  await form.getByRole('button', { name: 'Copy' }).click();
  await page.getByText('Could not copy. Select it by hand.').waitFor();
  await until('the text to be selected', () =>
    page.evaluate(() => {
      const area = document.activeElement;
      return (
        area instanceof HTMLTextAreaElement &&
        area.value.slice(area.selectionStart, area.selectionEnd) ===
          'http://127.0.0.1:8088/api/v1/auth/oidc/callback'
      );
    }),
  );
  await page.keyboard.press('Escape');
  await page.getByText('Could not copy').waitFor({ state: 'detached' });
  assert.equal(await form.count(), 1, 'the dialog below stays');
});

scenario(
  'a lost connection resumes at the last event without losing or doubling a word',
  {},
  async ({ page, state }) => {
    state.script = 'held';
    await page.goto('/');
    await say(page, 'one two three four');
    await lastAnswer(page).getByText('demo, not a').waitFor();
    state.dropStreams();
    state.release();
    await page.getByRole('button', { name: 'Ask again' }).waitFor({ timeout: 20_000 });
    assert.equal(
      await lastAnswer(page).locator('.markdown').innerText(),
      'demo, not a language model: you said “one two three four”',
    );
    // Once to change over to the socket, and once after it broke.
    const resumed = state.log.filter((one) => one.key.startsWith('GET /api/v1/chat/runs/'));
    assert.deepEqual(
      resumed.map((one) => one.headers['last-event-id']),
      ['1', '5'],
    );
    assert.equal(state.streamed.filter((path) => path.startsWith('/api/v1/chat/runs/')).length, 2);
    assert.ok(state.streamed.includes('/api/v1/events'));
  },
);

scenario(
  'where no socket can be had, each stream goes by itself and a lost one resumes',
  { mock: { sockets: false } },
  async ({ page, state, problems }) => {
    state.script = 'held';
    await page.goto('/');
    await say(page, 'one two three four');
    await lastAnswer(page).getByText('demo, not a').waitFor();
    state.dropStreams();
    state.release();
    await page.getByRole('button', { name: 'Ask again' }).waitFor({ timeout: 20_000 });
    assert.equal(
      await lastAnswer(page).locator('.markdown').innerText(),
      'demo, not a language model: you said “one two three four”',
    );
    const resumed = state.log.filter((one) => one.key.startsWith('GET /api/v1/chat/runs/'));
    assert.deepEqual(
      resumed.map((one) => one.headers['last-event-id']),
      ['5'],
    );
    assert.deepEqual(state.streamed, []);
    // A browser says so where a socket cannot be opened; one try a minute is enough.
    const refused = problems.filter((problem) => /WebSocket/.test(problem));
    assert.equal(refused.length, 1, problems.join('\n'));
    problems.splice(problems.indexOf(refused[0]), 1);
  },
);

scenario('stop ends the answer and keeps what was read', {}, async ({ page, state }) => {
  state.script = 'held';
  await page.goto('/');
  await say(page, 'tell me something long');
  await lastAnswer(page).getByText('demo,').waitFor();
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.getByRole('button', { name: 'Ask again' }).waitFor();
  assert.match(await lastAnswer(page).innerText(), /demo,/);
  assert.ok(state.log.some((one) => /abort$/.test(one.key)));
});

scenario('a run goes on while the person looks elsewhere and after a reload', {}, async ({ page, state }) => {
  state.script = 'held';
  await page.goto('/');
  await say(page, 'slowly please');
  await lastAnswer(page).getByText('demo,').waitFor();
  await page.getByRole('link', { name: 'Agents' }).first().click();
  await page.getByRole('heading', { name: 'Agents' }).waitFor();
  await page.goBack();
  await lastAnswer(page).getByText('demo,').waitFor();
  await page.reload();
  await lastAnswer(page).getByText('demo,').waitFor();
  state.release();
  await lastAnswer(page).getByText('slowly please').waitFor();
  await page.getByRole('button', { name: 'Ask again' }).waitFor();
});

scenario('approvals and questions are answered inline', {}, async ({ page, state }) => {
  state.script = 'ask';
  await page.goto('/');
  await say(page, 'clean up');
  await page.getByText('May your agent run this?').waitFor();
  await page.getByRole('button', { name: 'Allow once' }).click();
  await page.getByText('Which branch shall I use?').waitFor();
  await page.getByRole('button', { name: 'develop' }).click();
  await page.getByText('Done on develop.').waitFor();
  assert.ok(state.log.some((one) => /approvals\/a1$/.test(one.key) && one.body.decision === 'allow_once'));
});

scenario('a failed turn says why, what to do, and can be sent again', {}, async ({ page, state }) => {
  state.script = 'error';
  await page.goto('/');
  await say(page, 'hello');
  await page.getByText('Anthropic refused the key.').waitFor();
  await page.getByText('Enter a new key under Settings').waitFor();
  state.script = 'plain';
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByText('you said “hello”').waitFor();
});

scenario(
  'drafts are kept per conversation, and conversations are searched, renamed and deleted',
  {},
  async ({ page, state }) => {
    await page.goto('/?session=chat-0');
    await box(page).fill('half a thought');
    await page.getByRole('link', { name: /Plan for the week/ }).click();
    await page.waitForFunction(() => document.getElementById('composer')?.value === '');
    await page.goBack();
    await page.waitForFunction(() => document.getElementById('composer')?.value === 'half a thought');
    await page.getByRole('textbox', { name: 'Search conversations' }).fill('plan');
    await page.getByRole('link', { name: /Renaming photos/ }).waitFor({ state: 'detached' });
    const row = page.locator('.session', { hasText: 'Plan for the week' });
    await row.hover();
    await row.getByRole('button').click();
    await page.getByRole('menuitem', { name: 'Rename' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox', { name: 'Name' }).fill('Plan B');
    await dialog.getByRole('button', { name: 'Save' }).click();
    const renamed = page.locator('.session', { hasText: 'Plan B' });
    await renamed.waitFor();
    await renamed.hover();
    await renamed.getByRole('button').click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await dialog.getByRole('button', { name: 'Delete conversation' }).click();
    await renamed.waitFor({ state: 'detached' });
    assert.equal(
      state.sessions.some((one) => one.key === 'chat-1'),
      false,
    );
  },
);

scenario('text goes along as an attachment, other files are refused', {}, async ({ page, state }) => {
  await page.goto('/');
  await page.locator('input[type=file]').setInputFiles([
    { name: 'notes.md', mimeType: '', buffer: Buffer.from('# Notes') },
    { name: 'tool.exe', mimeType: 'application/x-msdownload', buffer: Buffer.from('MZ') },
  ]);
  await page.getByText('tool.exe is neither a picture nor text.').waitFor();
  await say(page, 'see file');
  await page.getByText('you said “see file”').waitFor();
  const sent = state.log.find((one) => one.key === 'POST /api/v1/chat/stream').body;
  assert.deepEqual(sent.attachments, [
    { name: 'notes.md', mime_type: 'text/plain', content: Buffer.from('# Notes').toString('base64') },
  ]);
});

scenario('Shift+Enter breaks the line and Enter sends', {}, async ({ page, state }) => {
  await page.goto('/');
  await box(page).pressSequentially('a');
  await box(page).press('Shift+Enter');
  await box(page).pressSequentially('b');
  await box(page).press('Enter');
  await page.getByRole('button', { name: 'Ask again' }).waitFor();
  assert.equal(state.log.find((one) => one.key === 'POST /api/v1/chat/stream').body.message, 'a\nb');
});

scenario('a stop asks first and tells what will happen', {}, async ({ page, state }) => {
  await page.goto('/instances/inst_01k9w3v5x7q2m4n6');
  await page.getByRole('button', { name: 'Stop agent' }).click();
  await page.getByText('messages do not wake it').waitFor();
  assert.ok(!state.log.some((one) => /stop$/.test(one.key)));
  await page.getByRole('dialog').getByRole('button', { name: 'Stop agent' }).click();
  await page.getByRole('button', { name: 'Start agent' }).waitFor();
});

scenario('a new token is shown once', {}, async ({ page }) => {
  await page.goto('/settings/tokens');
  await page.getByRole('button', { name: 'New token' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill('Script');
  await page.getByRole('button', { name: 'Create token' }).click();
  assert.match(await page.getByTestId('secret').innerText(), /^frk_api_/);
  await page.getByRole('button', { name: 'I have saved it' }).click();
  await page.getByTestId('secret').waitFor({ state: 'detached' });
});

scenario('a refused field says so beside its input', {}, async ({ page }) => {
  await page.goto('/settings/agent');
  await page.getByRole('textbox', { name: 'Name of the agent' }).fill('bad');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('this name is not allowed').waitFor();
});

scenario(
  'German is spoken to Germans and can be chosen by others',
  { view: { locale: 'de-DE' } },
  async ({ page }) => {
    await page.goto('/settings/agent');
    await page.getByRole('button', { name: 'Speichern' }).waitFor();
    assert.equal(await page.locator('html').getAttribute('lang'), 'de');
    await page.getByRole('button', { name: /Konto von/ }).click();
    await page.getByRole('menuitem', { name: 'English' }).click();
    await page.getByRole('button', { name: 'Save' }).waitFor();
  },
);

scenario(
  'the language of the account follows into a new browser, unless another one was chosen there',
  {},
  async ({ page, state }) => {
    state.me.locale = 'de-CH';
    await page.goto('/settings/account');
    await page.getByRole('heading', { name: 'Sprache und Farben' }).waitFor();
    await page.locator('label', { hasText: 'English' }).click();
    await page.getByRole('heading', { name: 'Language and colours' }).waitFor();
    await until('the account to know', () => state.me.locale === 'en');
    state.me.locale = 'de';
    await page.reload();
    await page.getByRole('heading', { name: 'Language and colours' }).waitFor();
    assert.equal(await page.locator('html').getAttribute('lang'), 'en');
  },
);

scenario(
  'a page waits for its words, and only those of one language are loaded',
  {},
  async ({ page, state }) => {
    let release = () => {};
    const held = new Promise((resolve) => {
      release = resolve;
    });
    await page.route(/assets\/evidence\.en-/, async (route) => {
      await held;
      await route.continue();
    });
    await page.goto('/instances');
    await page.getByRole('heading', { name: 'Agents', level: 1 }).waitFor();
    const arrived = Promise.all([
      page.waitForRequest(/assets\/evidence\.en-/),
      page.waitForResponse(/assets\/EvidencePage-.*js/).then((response) => response.finished()),
    ]);
    await page.getByRole('link', { name: 'Evidence' }).first().click();
    await arrived;
    assert.deepEqual(await page.getByRole('heading', { level: 1 }).allInnerTexts(), ['Agents']);
    release();
    await page.getByRole('heading', { name: 'Evidence', level: 1 }).waitFor();
    const words = state.log.map((one) => one.key).filter((key) => /assets\/\w+\.(en|de)-/.test(key));
    assert.ok(words.length >= 3 && words.every((key) => key.includes('.en-')), words.join());
  },
);

scenario('the language can be chosen before signing in, and stays', {}, async ({ page, state }) => {
  state.signedIn = false;
  await page.goto('/login');
  await page.getByRole('button', { name: 'Deutsch' }).click();
  await page.getByRole('heading', { name: 'Anmelden' }).waitFor();
  await page.reload();
  await page.getByRole('heading', { name: 'Anmelden' }).waitFor();
});

scenario('the palette goes anywhere by keyboard', {}, async ({ page }) => {
  await page.goto('/');
  await box(page).waitFor();
  await page.keyboard.press('Control+k');
  await page.getByRole('textbox', { name: /Search pages/ }).fill('usage');
  // The keys go to what is listed then.
  await page.waitForFunction(() => document.querySelectorAll('.mantine-Spotlight-action').length === 1);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Usage' }).waitFor();
});

scenario('when the server goes away a quiet bar says so', {}, async ({ page, mock, problems }) => {
  await page.goto('/instances/inst_01k9w3v5x7q2m4n6');
  await page.getByRole('heading', { name: 'Ada' }).waitFor();
  await mock.close();
  await page.getByText('Connection lost. Trying again.').waitFor({ timeout: 20_000 });
  assert.deepEqual(problems, []);
});

scenario('a member sees nothing of administration', {}, async ({ page, state }) => {
  state.me.role = 'member';
  await page.goto('/settings/agent');
  await page.getByRole('button', { name: 'Save' }).waitFor();
  await known(page);
  assert.equal(await page.getByRole('link', { name: 'People' }).count(), 0);
});

scenario(
  'somebody who signs in elsewhere sets a first password, signed in anew',
  {},
  async ({ page, state }) => {
    state.me.has_password = false;
    state.signedInLongAgo = true;
    await page.goto('/settings/account');
    const form = page.getByRole('form', { name: 'Password' });
    const password = form.getByRole('textbox', { name: 'New password' });
    await password.fill(PASSWORD);
    assert.equal(await page.getByRole('textbox', { name: 'Current password' }).count(), 0);
    await form.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('alert').getByText('Sign out, sign in again').waitFor();
    state.signedInLongAgo = false;
    await page.getByRole('button', { name: 'Sign in again' }).click();
    await page.getByLabel('Username').fill('ada');
    await page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await password.fill(PASSWORD);
    await form.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('textbox', { name: 'Current password' }).waitFor();
    assert.equal(state.me.has_password, true);
  },
);

scenario(
  'credentials for a skill are stored, make it usable, and never come back',
  {},
  async ({ page, state }) => {
    state.asleep = true;
    await page.goto('/settings/skills');
    await page.getByText('The agent is asleep').waitFor();
    assert.ok(!state.log.some((one) => one.key.includes('wake')), 'nobody was woken unasked');
    await page.getByRole('button', { name: 'Wake it' }).click();
    const trello = page.getByRole('listitem').filter({ hasText: 'Manage Trello' });
    await trello.getByText('needs TRELLO_API_KEY, TRELLO_TOKEN').waitFor();
    await page.getByText('needs the program gh').waitFor();
    for (const name of ['TRELLO_API_KEY', 'TRELLO_TOKEN']) {
      await page.getByRole('button', { name: 'Store credentials trello' }).click();
      const dialog = page.getByRole('dialog');
      assert.equal(await dialog.getByRole('textbox', { name: 'Variable' }).inputValue(), name);
      if (name === 'TRELLO_API_KEY') {
        await dialog.getByRole('textbox', { name: 'Variable' }).fill('PATH');
        await dialog.getByRole('textbox', { name: 'Value' }).fill('x');
        await dialog.getByRole('button', { name: 'Save' }).click();
        await dialog.getByText('must not steer programs themselves').waitFor();
        await dialog.getByRole('textbox', { name: 'Variable' }).fill(name);
      }
      await dialog.getByRole('textbox', { name: 'Value' }).fill(`private-value-of-${name}`);
      await dialog.getByRole('button', { name: 'Save' }).click();
      await dialog.waitFor({ state: 'detached' });
    }
    await trello.getByText('active', { exact: true }).waitFor();
    assert.ok(!(await page.content()).includes('private-value'), 'the page shows no value');
    await page.getByRole('button', { name: 'Delete TRELLO_TOKEN' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await trello.getByText('needs TRELLO_TOKEN').waitFor();
    assert.deepEqual(
      state.skillCredentials.map((one) => one.name),
      ['TRELLO_API_KEY'],
    );
  },
);

scenario(
  'an agent whose disk is almost full says so, and an administrator gives it more',
  {},
  async ({ page, state }) => {
    await page.goto('/instances/inst_01k9w3v5x7almost');
    const notice = page.getByRole('alert').filter({ hasText: 'Its disk is almost full' });
    await notice.getByText('have an administrator raise the limit').waitFor();
    const form = page.getByRole('form', { name: 'Limits' });
    await form.getByRole('textbox', { name: 'Disk, MiB' }).fill('10240');
    await form.getByRole('button', { name: 'Save' }).click();
    await notice.waitFor({ state: 'detached' });
    const agent = state.instances.find((one) => one.id === 'inst_01k9w3v5x7almost');
    assert.equal(agent.limits.disk_bytes, 10_737_418_240);
  },
);

scenario('a member is not offered to change limits', {}, async ({ page, state }) => {
  state.me.role = 'member';
  state.me.permissions = [];
  await page.goto('/instances/inst_01k9w3v5x7almost');
  await page.getByText('Its disk is almost full').waitFor();
  await known(page);
  assert.equal(await page.getByRole('textbox', { name: 'Disk, MiB' }).count(), 0);
});

scenario(
  'whoever waits for the engine sees packages and bytes, without asking for engines',
  {},
  async ({ page, state }) => {
    state.script = 'installing';
    await page.goto('/');
    await say(page, 'hello');
    await page.getByText('waits for OpenClaw to be installed').waitFor();
    await page.getByText('120 of 334 packages').waitFor();
    assert.ok(!state.log.some((one) => one.key === 'GET /api/v1/engines'));
  },
);
const entries = (page) => page.getByRole('table', { name: 'Evidence' }).getByRole('row');
const entry = (page, text) => entries(page).filter({ hasText: text });
/** Opens an entry by its address and has the browser verify it. */
async function verify(page, seq) {
  await page.goto(`/evidence?seq=${seq}`);
  await page.getByRole('button', { name: 'Verify', exact: true }).click();
  await page.locator('.entry-part .checks li').nth(5).waitFor();
}
const check = (page, words) => page.locator('.entry-part .checks li').filter({ hasText: words });

scenario(
  'the log is filtered, by the address too, and paged to its beginning',
  {},
  async ({ page, state }) => {
    await page.goto('/');
    await page.getByRole('link', { name: 'Evidence' }).first().click();
    await entry(page, 'Change installation').waitFor();
    assert.equal(await entries(page).count(), 51, 'a head and fifty entries');
    await page.getByRole('button', { name: 'Show older' }).click();
    await page.getByText('This is where the log begins.').waitFor();
    assert.equal(await entries(page).count(), 1 + state.evidence.size());
    await page.getByRole('combobox', { name: 'Any outcome' }).click();
    await page.getByRole('option', { name: 'refused' }).click();
    await page.getByText('Nothing older matches.').waitFor();
    assert.equal(await entries(page).count(), 4);
    await page.getByRole('combobox', { name: 'Anybody' }).click();
    await page.getByRole('option', { name: 'grace' }).click();
    await entry(page, 'Claim installation').first().waitFor({ state: 'detached' });
    assert.equal(new URL(page.url()).search, '?outcome=refused&actor=user_2');
    await page.reload();
    await entry(page, 'Replace secret key').waitFor();
    assert.equal(await entries(page).count(), 2);
    await page.getByRole('combobox', { name: 'Any action' }).click();
    await page.getByRole('option', { name: 'Agent: everything' }).click();
    await page.getByText('No entry matches').waitFor();
    await page.getByRole('button', { name: 'Clear filters' }).last().click();
    await entry(page, 'Change installation').waitFor();
    assert.equal(new URL(page.url()).search, '');
    const asked = state.log.filter((one) => one.key === 'GET /api/v1/evidence');
    assert.ok(asked.length >= 5);
  },
);

scenario('an entry shows what it says and what it hides, by the keyboard', {}, async ({ page, state }) => {
  await page.goto('/evidence');
  await entry(page, 'Change installation').getByRole('link').focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  const drawer = page.getByRole('dialog', { name: 'Entry 66' });
  await drawer.getByText('Only a commitment: private to its owner, or erased').first().waitFor();
  assert.equal(await drawer.getByText('Mine').count(), 0, 'what is private stays a commitment');
  await drawer.getByText('provider.update').waitFor();
  await drawer.getByText('own', { exact: true }).waitFor();
  await drawer.getByRole('button', { name: 'Older entry' }).click();
  await page.getByRole('dialog', { name: 'Entry 65' }).getByText('starting').waitFor();
  await page.getByRole('button', { name: 'All about this' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  const { resource_id } = state.evidence.view(65);
  assert.equal(new URL(page.url()).searchParams.get('resource_id'), resource_id);
  await entry(page, 'Create agent').waitFor();
  await page.goBack();
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
});

scenario(
  'an entry is verified in the browser, and the log known to have grown',
  {},
  async ({ page, state }) => {
    await verify(page, 62);
    await page.getByText('Everything fits').waitFor();
    assert.equal(await page.locator('.entry-part .checks li[data-state=ok]').count(), 6);
    for (let i = 0; i < 5; i++)
      state.evidence.append({ action: 'instance.seen', kind: 'instance', outcome: 'ready' });
    await verify(page, 70);
    await check(page, 'number 70 of the 72 entries').waitFor();
    await check(page, '67 entries then, 72 now').waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('The log only grew since').first().waitFor();
  },
);

scenario(
  'an entry that is told differently than it was sealed does not verify',
  {},
  async ({ page, state }) => {
    state.evidence.forge(62, { outcome: 'refused' });
    await verify(page, 62);
    await page.getByText('Something does not fit').waitFor();
    await check(page, 'It is not in the signed log').waitFor();
    assert.equal(await page.locator('.entry-part .checks li[data-state=failed]').count(), 1);
  },
);

scenario('a log that was rewritten or cut since the last look is an alarm', {}, async ({ page, state }) => {
  await page.goto('/evidence');
  await page.getByText('First look from this browser').waitFor();
  state.evidence.rewrite(10, { outcome: 'refused' });
  state.evidence.append({ action: 'instance.seen', kind: 'instance', outcome: 'ready' });
  await page.reload();
  const alarm = page.getByRole('alert');
  await alarm.getByText('The log was rewritten: its first 67 entries').waitFor();
  state.evidence.cut(40);
  await page.reload();
  await alarm.getByText('it had 67 entries').waitFor();
  await page.getByRole('button', { name: 'Key and proof' }).click();
  await page.getByRole('button', { name: 'Begin anew from this log' }).click();
  await page.getByRole('dialog').last().getByRole('button', { name: 'Begin anew from this log' }).click();
  await page.getByText('First look from this browser').waitFor();
});

scenario(
  'another key warns until somebody trusts it, and a kept key can be pasted',
  {},
  async ({ page, state }) => {
    await page.goto('/evidence?proof');
    const paste = page.getByRole('textbox', { name: 'A key you kept elsewhere' });
    await paste.fill('fractal/x');
    await page.getByRole('button', { name: 'Use this key' }).click();
    await page.getByText('A key has the form name+id+key.').waitFor();
    const { key } = state.evidence.head();
    await paste.fill(key.replace('fractal/', 'other/'));
    await page.getByRole('button', { name: 'Use this key' }).click();
    await page.getByText('Its parts do not fit each other').waitFor();
    await paste.fill(key);
    await page.getByRole('button', { name: 'Use this key' }).click();
    await page.getByText('Saved', { exact: true }).waitFor();
    state.evidence.rekey();
    await verify(page, 62);
    await check(page, 'The server presents another key').waitFor();
    await check(page, 'not signed with the key that counts').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('alert').getByText('the key of this log has changed').waitFor();
    await page.getByRole('button', { name: 'Key and proof' }).click();
    await page.getByRole('button', { name: 'Trust the new key' }).click();
    await page.getByText('what was changed before today will not show').waitFor();
    await page.getByRole('dialog').last().getByRole('button', { name: 'Trust the new key' }).click();
    await page.getByText('The server now presents this one').waitFor({ state: 'detached' });
    await verify(page, 62);
    await page.getByText('Everything fits').waitFor();
  },
);

scenario('a browser that cannot check says so and names what can', {}, async ({ page }) => {
  await page.addInitScript(() => {
    Object.defineProperty(Crypto.prototype, 'subtle', { get: () => undefined });
  });
  await page.goto('/evidence?seq=62');
  await page.getByRole('button', { name: 'Verify', exact: true }).click();
  const proof = page.getByRole('region', { name: 'Proof' });
  await proof.getByText('only over HTTPS').waitFor();
  await proof.getByText('fractal evidence verify').waitFor();
});

scenario('the log is exported with and without values', {}, async ({ page }) => {
  await page.goto('/evidence');
  const read = async (name) => {
    await page.getByRole('button', { name: 'Export' }).click();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('menuitem', { name }).click(),
    ]);
    assert.equal(download.suggestedFilename(), 'evidence.jsonl');
    return readFileSync(await download.path(), 'utf8');
  };
  const [full, plain] = [await read('With values'), await read('Commitments only')];
  assert.match(full, /"openings"/);
  assert.doesNotMatch(plain, /"openings"/);
  for (const text of [full, plain]) assert.match(text.trimEnd().split('\n').at(-1), /^{"checkpoint":/);
});

scenario('new entries wait above the log until they are wanted', {}, async ({ page, state }) => {
  await page.goto('/evidence?action=token.');
  await entry(page, 'Create API token').first().waitFor();
  const before = await entries(page).count();
  await until('the page to follow what happens', () => state.followers.size > 0);
  const made = () =>
    state.evidence.append({ actor: 'user_2', action: 'token.create', kind: 'api_token', id: 'tok_new' });
  made();
  await page.getByRole('button', { name: '1 new entry' }).waitFor();
  // Cut off in between: it goes on where it was, and nothing is missed or told twice.
  state.dropFollowers();
  made();
  state.evidence.append({ action: 'instance.seen', kind: 'instance', outcome: 'ready' });
  await page.getByRole('button', { name: '2 new entries' }).waitFor();
  assert.equal(await entries(page).count(), before, 'what is read does not move');
  await page.getByRole('button', { name: '2 new entries' }).click();
  await entry(page, 'tok_new').nth(1).waitFor();
  assert.equal(await entries(page).count(), before + 2);
  const again = state.log.filter((one) => one.key === 'GET /api/v1/events').at(-1);
  assert.equal(again.headers['last-event-id'], '68');
});

scenario('lists change by what happens, and recent activity shows it', {}, async ({ page, state }) => {
  await page.goto('/instances');
  const row = page.getByRole('link', { name: /Ada/ }).first();
  await row.getByText('Ready').waitFor();
  await until('the page to follow what happens', () => state.followers.size > 0);
  const [instance] = state.instances;
  Object.assign(instance, { seen: 'crash_looping', reason: 'It ended five times.' });
  state.evidence.append({
    action: 'instance.seen',
    kind: 'instance',
    id: instance.id,
    outcome: 'crash_looping',
  });
  await row.getByText('Keeps crashing').waitFor();
  await page.locator('.activity li').first().getByText('Ada: keeps crashing').waitFor();
});

scenario('a member sees their own activity and no log', {}, async ({ page, state }) => {
  Object.assign(state.me, { role: 'member', permissions: ['instance.list', 'evidence.head'] });
  await page.goto('/instances');
  await page.locator('.activity li').first().getByText('Change installation').waitFor();
  await known(page);
  assert.equal(await page.getByRole('link', { name: 'Evidence' }).count(), 0);
  assert.ok(!state.log.some((one) => one.key === 'GET /api/v1/evidence'), 'nothing that is refused is asked');
  await page.goto('/evidence');
  await page.getByText('Nothing is here').waitFor();
});

scenario('on a phone the log stands beside the settings', { view: { size: PHONE } }, async ({ page }) => {
  await page.goto('/settings/agent');
  await page.getByRole('navigation', { name: 'Settings' }).getByRole('link', { name: 'Evidence' }).click();
  await entry(page, 'Change installation').waitFor();
  await page.getByRole('button', { name: 'Filter' }).click();
  await page.getByRole('combobox', { name: 'Any outcome' }).click();
  await page.getByRole('option', { name: 'refused' }).click();
  await page.getByRole('button', { name: 'Filter, 1 set' }).waitFor();
  await entry(page, 'Replace secret key').waitFor();
});

const hookRow = (page, name) => page.getByRole('listitem').filter({ hasText: name });
const message = (page, text) => page.locator('.deliveries > li').filter({ hasText: text });

scenario(
  'a webhook is made, its secret is shown once, and what is refused stands beside its field',
  {},
  async ({ page, state }) => {
    await page.goto('/settings/tokens');
    await page.getByRole('link', { name: 'Webhooks' }).first().click();
    await hookRow(page, 'Chat room').waitFor();
    await page.getByRole('button', { name: 'Add webhook' }).click();
    const drawer = page.getByRole('dialog', { name: 'Add webhook' });
    await drawer.getByRole('textbox', { name: 'Name' }).fill('Inventory');
    await drawer.getByRole('textbox', { name: 'Address' }).fill('http://inbox.example.org/fractal');
    await drawer.getByText('What I choose').click();
    await drawer.getByRole('button', { name: 'Add webhook' }).click();
    await drawer.getByText('Choose at least one').waitFor();
    await drawer.getByRole('combobox', { name: 'Tell it of' }).fill('create acc');
    await page.getByRole('option', { name: 'Create account' }).click();
    await page.keyboard.press('Escape');
    await drawer.getByRole('button', { name: 'Add webhook' }).click();
    await drawer.getByText('must be https').waitFor();
    assert.equal(await drawer.getByRole('textbox', { name: 'Address' }).getAttribute('aria-invalid'), 'true');
    await drawer.getByRole('textbox', { name: 'Address' }).fill('https://inbox.example.org/fractal');
    await drawer.getByRole('button', { name: 'Add webhook' }).click();
    await drawer.getByText('The name is taken.').waitFor();
    assert.equal(await drawer.getByRole('alert').count(), 0, 'it stands beside the name alone');
    await drawer.getByRole('textbox', { name: 'Name' }).fill('Inbox');
    await drawer.getByRole('button', { name: 'Add webhook' }).click();
    const once = page.getByRole('dialog', { name: 'Secret of Inbox' });
    assert.equal(await once.getByTestId('secret').innerText(), SECRET);
    await once.getByRole('button', { name: 'I have saved it' }).click();
    await page.getByRole('heading', { name: 'Inbox', level: 1 }).waitFor();
    await page.getByText('No messages yet').waitFor();
    assert.ok(!(await page.content()).includes(SECRET), 'the secret is gone');
    assert.deepEqual(state.webhooks.hooks.at(-1).events, ['user.create']);
  },
);

scenario(
  'a witness is added and removed, what is refused stands beside its field, and another history is an alarm',
  {},
  async ({ page, state }) => {
    const { witnesses } = state.witnesses;
    await page.goto('/evidence');
    const card = page.getByRole('region', { name: 'Witnesses' });
    await card.getByText('2 witnesses vouch for this log').waitFor();
    await card.getByText('A witness does not cosign').waitFor();
    await card.getByRole('button', { name: 'Witnesses' }).click();
    const drawer = page.getByRole('dialog', { name: 'Witnesses' });
    await drawer.getByText('It answered 503 Service Unavailable.').waitFor();
    await drawer.getByRole('button', { name: 'Add witness' }).click();
    await drawer.getByRole('textbox', { name: 'Address' }).fill('http://witness.internal');
    await drawer.getByRole('textbox', { name: 'Key' }).fill(KEY);
    await drawer.getByRole('button', { name: 'Add witness' }).click();
    await drawer.getByText('must be https').waitFor();
    await drawer.getByRole('textbox', { name: 'Address' }).fill('https://witness.example.org/three');
    await drawer.getByRole('button', { name: 'Add witness' }).click();
    await drawer.getByText('Not asked yet').waitFor();
    assert.equal(witnesses.at(-1).name, 'witness.example.org/w3');
    const row = drawer.getByRole('listitem').filter({ hasText: 'transparency.example.net' });
    await row.getByRole('button', { name: 'Remove' }).first().click();
    const sure = page.getByRole('dialog', { name: /Remove transparency/ });
    await sure.getByText('What it signed until now stays').waitFor();
    await sure.getByRole('button', { name: 'Remove' }).click();
    await row.waitFor({ state: 'detached' });
    assert.equal(witnesses.length, 2);
    Object.assign(witnesses[0], {
      state: 'conflict',
      last_error: 'it has cosigned another history of 40 entries: this log was rewritten',
    });
    await page.goto('/evidence');
    const alarm = page.getByRole('alert');
    await alarm.getByText('A witness holds another history of this log').waitFor();
    await alarm.getByText('this log was rewritten').waitFor();
  },
);

scenario(
  'what the log says of somebody is erased once it was said what remains, and how long values stay is set',
  {},
  async ({ page, state }) => {
    await page.goto('/settings/people');
    await page.getByRole('button', { name: 'Edit: grace' }).click();
    await page.getByRole('menuitem', { name: 'Erase from the log' }).click();
    const sure = page.getByRole('dialog', { name: 'Erase what the log says of grace?' });
    await sure.getByText('so the log verifies as before').waitFor();
    await sure.getByRole('button', { name: 'Erase values' }).click();
    await page.getByText('14 values erased').waitFor();
    const told = state.evidence.view(state.evidence.size());
    assert.deepEqual([told.action, told.values], ['user.erase', { values: 14, entries: 6 }]);

    await page.goto('/settings/installation');
    const days = page.getByRole('textbox', { name: 'Days that values of the log are kept' });
    assert.equal(await days.inputValue(), '0');
    await days.fill('365');
    await page.getByRole('button', { name: 'Save' }).click();
    const certain = page.getByRole('dialog', { name: 'Keep values for 365 days only?' });
    await certain.getByText('Nothing brings the values back').waitFor();
    assert.ok(!state.log.some((one) => one.key === 'PATCH /api/v1/settings'), 'it asks first');
    await certain.getByRole('button', { name: 'Erase older values' }).click();
    const { body } = await until('the settings are sent', () =>
      state.log.find((one) => one.key === 'PATCH /api/v1/settings'),
    );
    assert.deepEqual(body, { value_retention_days: 365 }, 'nothing else is sent');
  },
);

scenario(
  'a receiver that fails is seen with its error, and what was given up is sent again once it is mended',
  {},
  async ({ page, state }) => {
    await page.goto('/settings/webhooks');
    const row = hookRow(page, 'Inventory');
    await row.getByText('Failing').waitFor();
    await row.getByText('It answered 503 Service Unavailable.').waitFor();
    await row.getByText('2 given up').waitFor();
    await row.getByRole('link').click();
    await page.getByRole('alert').getByText('It answered 503 Service Unavailable.').waitFor();
    await page.getByRole('button', { name: 'Send test' }).click();
    await page.getByText('It did not take the test message').waitFor();
    const filter = page.locator('.deliveries-filter');
    await filter.getByText('Given up').click();
    await page.waitForURL(/state=dead/);
    await message(page, 'Create account').locator('summary').click();
    await message(page, 'Create account').getByText('30', { exact: true }).waitFor();
    // The receiver is mended; one message is enough to see that.
    const hook = state.webhooks.hooks.find((one) => one.name === 'Inventory');
    hook.healthy = true;
    await page.getByRole('button', { name: 'Send test' }).click();
    await page.getByText('It took the test message: status 204').waitFor();
    await message(page, 'Create account').getByRole('button', { name: 'Send again' }).click();
    await message(page, 'Create account').waitFor({ state: 'detached' });
    await message(page, 'Create agent').waitFor();
    await page.getByRole('button', { name: 'Send 1 again' }).click();
    await page.getByText('None here').waitFor();
    state.webhooks.attempt();
    await page.getByText('Works', { exact: true }).waitFor();
    await filter.getByText('Taken').click();
    await message(page, 'Create account').waitFor();
    assert.equal(await page.getByRole('alert').count(), 0);
    const replayed = state.log.filter((one) => one.key.endsWith('/replay')).map((one) => one.key);
    assert.equal(replayed.length, 2);
  },
);

scenario('older messages of a webhook come on demand, and one leads to its entry', {}, async ({ page }) => {
  await page.goto('/settings/webhooks');
  await hookRow(page, 'Inventory').getByRole('link').click();
  await message(page, 'Change installation').waitFor();
  assert.equal(await page.locator('.deliveries > li').count(), 30);
  await page.getByRole('button', { name: 'Show older' }).click();
  await page.getByRole('button', { name: 'Show older' }).waitFor({ state: 'detached' });
  await page.locator('.deliveries > li').nth(37).waitFor();
  await message(page, 'Change provider').locator('summary').click();
  await message(page, 'Change provider').getByRole('link').click();
  await page.waitForURL(/\/evidence\?seq=/);
});

scenario('a webhook is paused, goes on, and gets a new secret', {}, async ({ page, state }) => {
  const hook = state.webhooks.hooks.find((one) => one.name.startsWith('Chat room'));
  await page.goto(`/settings/webhooks/${hook.id}`);
  const choose = async (name) => {
    await page.getByRole('button', { name: 'More actions' }).click();
    await page.getByRole('menuitem', { name }).click();
  };
  await choose('Pause');
  await page.getByRole('dialog').getByText('it is never told, not even later').waitFor();
  assert.equal(hook.enabled, true);
  await page.getByRole('dialog').getByRole('button', { name: 'Pause' }).click();
  await page.getByText('Paused', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.getByText('Works', { exact: true }).waitFor();
  assert.equal(hook.enabled, true);
  await choose('New secret');
  await page.getByRole('dialog').getByRole('button', { name: 'New secret' }).click();
  assert.equal(await page.getByTestId('secret').innerText(), SECRET);
  await page.getByRole('button', { name: 'I have saved it' }).click();
  await page.getByTestId('secret').waitFor({ state: 'detached' });
});

scenario(
  'deleting a webhook asks first; without any the page says what they are for',
  {},
  async ({ page, state }) => {
    state.webhooks.hooks.splice(1);
    const [hook] = state.webhooks.hooks;
    await page.goto(`/settings/webhooks/${hook.id}`);
    await page.getByRole('button', { name: 'More actions' }).click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    const dialog = page.getByRole('dialog', { name: `Delete ${hook.name}?` });
    await dialog.getByText('This cannot be undone').waitFor();
    assert.equal(state.webhooks.hooks.length, 1);
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await page.getByText('No webhooks yet').waitFor();
    await page.getByText('calls an address of yours when something happens').waitFor();
    assert.equal(new URL(page.url()).pathname, '/settings/webhooks');
    assert.equal(state.webhooks.hooks.length, 0);
    const docs = page.getByRole('link', { name: /How a receiver checks/ }).first();
    assert.equal(await docs.getAttribute('href'), 'https://www.standardwebhooks.com');
  },
);

scenario('a member does not see webhooks, and asks nothing about them', {}, async ({ page, state }) => {
  Object.assign(state.me, { role: 'member', permissions: ['instance.list', 'evidence.head'] });
  await page.goto('/settings/tokens');
  await page.getByRole('heading', { name: 'API tokens', level: 1 }).waitFor();
  await known(page);
  assert.equal(await page.getByRole('link', { name: 'Webhooks' }).count(), 0);
  await page.goto('/settings/webhooks');
  await page.getByText('Nothing is here').waitFor();
  await page.goto(`/settings/webhooks/${state.webhooks.hooks[0].id}`);
  await page.getByText('Nothing is here').waitFor();
  assert.ok(
    !state.log.some((one) => one.key.includes('/api/v1/webhooks')),
    'nothing that is refused is asked',
  );
});
