// What people do with the Portal, in a real browser against the scripted server.
import { strict as assert } from 'node:assert';
import { after, before, test } from 'node:test';
import { launch, open, PHONE } from './browser.mjs';
import { firstReply, PASSWORD } from './first-reply.mjs';
import { SETUP_TOKEN, startMock } from './mock.mjs';

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
    const resumed = state.log.filter((one) => one.key.startsWith('GET /api/v1/chat/runs/'));
    assert.equal(resumed[0]?.headers['last-event-id'], '5');
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
    await page.getByRole('textbox', { name: 'Name' }).fill('Plan B');
    await page.getByRole('button', { name: 'Save' }).click();
    const renamed = page.locator('.session', { hasText: 'Plan B' });
    await renamed.waitFor();
    await renamed.hover();
    await renamed.getByRole('button').click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await page.getByRole('button', { name: 'Delete conversation' }).click();
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
    assert.equal(state.me.locale, 'en');
    state.me.locale = 'de';
    await page.reload();
    await page.getByRole('heading', { name: 'Language and colours' }).waitFor();
    assert.equal(await page.locator('html').getAttribute('lang'), 'en');
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
  assert.equal(await page.getByRole('link', { name: 'People' }).count(), 0);
});

scenario(
  'somebody who signs in elsewhere sets a first password, signed in anew',
  {},
  async ({ page, state }) => {
    state.me.has_password = false;
    state.signedInLongAgo = true;
    await page.goto('/settings/account');
    const password = page.getByRole('textbox', { name: 'New password' });
    await password.fill(PASSWORD);
    assert.equal(await page.getByRole('textbox', { name: 'Current password' }).count(), 0);
    await page.getByRole('button', { name: 'Save' }).last().click();
    await page.getByRole('alert').getByText('Sign out, sign in again').waitFor();
    state.signedInLongAgo = false;
    await page.getByRole('button', { name: 'Sign in again' }).click();
    await page.getByLabel('Username').fill('ada');
    await page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await password.fill(PASSWORD);
    await page.getByRole('button', { name: 'Save' }).last().click();
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
    await page.getByRole('textbox', { name: 'Disk, MiB' }).fill('10240');
    await page.locator('form').filter({ hasText: 'Disk, MiB' }).getByRole('button', { name: 'Save' }).click();
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
