// The Portal on the real server with a real gateway behind it: what a newcomer, an administrator and an invited
// person do. One installation and one gateway for the desktop, a second pair for the phone.
import { strict as assert } from 'node:assert';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { audit, DESKTOP, launch, open, PHONE, SHOTS } from './browser.mjs';
import { firstReply, PASSWORD } from './first-reply.mjs';
import { openHouse, startModel, until } from './house.mjs';
import { startIdentityProvider } from './identity.mjs';
import { sendPicture } from './picture.mjs';
import { addProvider, comeIn, switchOff } from './sign-in.mjs';
import { finished, lastAnswer, PATIENCE, say } from './steps.mjs';
import { comeBackToATab, stopInTheOtherTab, watchInManyTabs } from './tabs.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** Nothing that axe objects to, nothing wider than the screen, and a picture of it. */
async function inspect(page, name) {
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: join(SHOTS, `real-${name}.png`) });
  assert.deepEqual(await audit(page), [], name);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(over <= 0, `${name} is ${over} px wider than the screen`);
}

const pages = (instance) => [
  ['instances', '/instances', (page) => page.locator('.row-link').first().waitFor()],
  [
    'instance',
    `/instances/${instance}`,
    (page) => page.locator('polyline').first().waitFor({ state: 'attached' }),
  ],
  [
    'instance-timeline',
    `/instances/${instance}?tab=timeline`,
    (page) => page.locator('.timeline li').nth(2).waitFor(),
  ],
  ['instance-logs', `/instances/${instance}?tab=logs`, (page) => page.locator('.log-line').nth(3).waitFor()],
  ['evidence', '/evidence', (page) => page.locator('a.entry').nth(3).waitFor()],
  ['incidents', '/incidents', (page) => page.locator('.incident-checks > li').first().waitFor()],
  ['settings-agent', '/settings/agent', (page) => page.getByLabel('Name of the agent').waitFor()],
  ['settings-providers', '/settings/providers', (page) => page.locator('section.card').first().waitFor()],
  ['settings-usage', '/settings/usage', (page) => page.getByRole('table').waitFor()],
  [
    'settings-account',
    '/settings/account',
    (page) => page.getByRole('heading', { name: 'Account' }).waitFor(),
  ],
  ['settings-sessions', '/settings/sessions', (page) => page.getByText('This one').waitFor()],
  [
    'settings-tokens',
    '/settings/tokens',
    (page) => page.getByRole('heading', { name: 'API tokens' }).waitFor(),
  ],
  ['settings-people', '/settings/people', (page) => page.locator('.rows li').first().waitFor()],
  ['settings-sign-in', '/settings/sign-in', (page) => page.getByRole('heading', { level: 1 }).waitFor()],
  ['settings-webhooks', '/settings/webhooks', (page) => page.getByText('No webhooks yet').waitFor()],
  ['settings-rules', '/settings/rules?tab=builtin', (page) => page.locator('.rule').first().waitFor()],
  ['settings-installation', '/settings/installation', (page) => page.getByText('OpenClaw').first().waitFor()],
];

/** The id of the signed-in person's first instance, asked as the page would. */
const myInstance = (page) =>
  page.evaluate(async () => (await (await fetch('/api/v1/instances')).json()).items[0]);

const seen = (page, wanted) =>
  until(`the instance to be ${wanted}`, async () => (await myInstance(page)).seen === wanted, PATIENCE);

test('on a desktop', async (t) => {
  const house = await openHouse();
  const model = await startModel();
  const { page, context, problems } = await open(browser, house.url, { size: DESKTOP });
  let instance;
  try {
    await t.test('the wizard leads to a streamed reply that is still there after a reload', async () => {
      await firstReply(page, house.token, { shots: 'real', inspect });
      instance = (await myInstance(page)).id;
      assert.deepEqual(problems, []);
    });

    await t.test('the conversation is listed under its first words', async () => {
      await page.locator('.session', { hasText: 'Who are you' }).waitFor();
    });

    await t.test('a tool call is folded into one line, also in the history', async () => {
      await say(page, 'please use a tool');
      await page.locator('details.tools').first().waitFor({ timeout: PATIENCE });
      await finished(page);
      await page.reload();
      await page.locator('details.tools').first().waitFor();
      await inspect(page, 'chat-tool');
    });

    await t.test('every page shows what the server really says', async () => {
      for (const [name, path, ready] of pages(instance)) {
        await page.goto(path);
        await ready(page);
        await inspect(page, name);
      }
      assert.deepEqual(problems, []);
    });

    await t.test('an entry of the log is verified in the browser', async () => {
      await page.goto('/evidence?seq=2');
      await page.getByRole('button', { name: 'Verify', exact: true }).click();
      await page.getByText('Everything fits').waitFor();
      await inspect(page, 'evidence-entry');
      await page.keyboard.press('Escape');
      await page.getByText('The log only grew since').first().waitFor();
      assert.deepEqual(problems, []);
    });

    await t.test('a provider with a wrong key says so, and answers once it is mended', async () => {
      await page.goto('/settings/providers?new');
      await page.getByRole('radio', { name: /OpenAI-compatible/ }).click();
      await page.getByRole('textbox', { name: 'Name' }).fill('Slow model');
      await page.getByRole('textbox', { name: 'Address' }).fill(model.url);
      await page.getByRole('textbox', { name: 'API key' }).fill('sk-wrong');
      await page.getByRole('switch', { name: 'private network' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
      const card = page.getByRole('region', { name: 'Slow model' });
      await card.getByRole('button', { name: 'Test now' }).click();
      await card.getByRole('alert').waitFor();
      await inspect(page, 'provider-refused');
      await card.getByRole('button', { name: 'Edit' }).click();
      await page.getByRole('textbox', { name: 'API key' }).fill(model.state.key);
      await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await card.getByRole('button', { name: 'Test now' }).click();
      await card.getByText('It answered in').waitFor();
    });

    await t.test('the agent answers with the model chosen in the settings', async () => {
      await page.goto('/settings/agent');
      await page
        .getByRole('combobox', { name: 'Provider' })
        .or(page.getByRole('textbox', { name: 'Provider' }))
        .click();
      await page.getByRole('option', { name: 'Slow model' }).click();
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByText('Saved', { exact: true }).waitFor();
      await page.goto('/');
      await say(page, 'hello slow model');
      await lastAnswer(page).getByText('word12').waitFor({ timeout: PATIENCE });
    });

    await t.test('a picture goes along with a message and reaches the model', async () => {
      await finished(page);
      await sendPicture({ page, model, inspect });
      assert.deepEqual(problems, []);
    });

    await t.test('windows side by side show the same answer, and a stop in one ends it in all', async () => {
      const scene = { page, context, house, problems, model };
      await watchInManyTabs(scene);
      await stopInTheOtherTab(scene);
      assert.deepEqual(problems, []);
    });

    await t.test('a tab that was away shows what was said meanwhile, and the same words twice', async () => {
      await comeBackToATab({ page, context, house, problems, model });
      assert.deepEqual(problems, []);
    });

    await t.test(
      'a restart of the control plane in the middle of a turn shows, and mends itself',
      async () => {
        await finished(page);
        Object.assign(model.state, { pause: 300, words: 120 });
        await say(page, 'count slowly');
        await lastAnswer(page).getByText('word4').waitFor({ timeout: PATIENCE });
        await house.leave();
        await page.getByText('Connection lost. Trying again.').waitFor({ timeout: 20_000 });
        await inspect(page, 'connection-lost');
        Object.assign(model.state, { pause: 5, words: 12 });
        await house.start();
        await page
          .getByText('Connection lost. Trying again.')
          .waitFor({ state: 'detached', timeout: PATIENCE });
        // Two good ends: the gateway asked its model again and the answer is whole, or it broke off and says so.
        const brokeOff = page.getByText('this answer broke off');
        const whole = lastAnswer(page).getByText('word12');
        await brokeOff.or(whole).first().waitFor({ timeout: PATIENCE });
        assert.equal(await page.getByText('count slowly', { exact: true }).count(), 1);
        await inspect(page, 'after-restart');
        if (await brokeOff.isVisible()) {
          assert.match(await lastAnswer(page).innerText(), /word4/, 'what was read stays');
          await page.getByRole('button', { name: 'Try again' }).click();
        }
        await whole.waitFor({ timeout: PATIENCE });
        await finished(page);
      },
    );

    await t.test('stop and start do what they say', async () => {
      await page.goto(`/instances/${instance}`);
      await page.getByRole('button', { name: 'Stop agent' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Stop agent' }).click();
      await page.getByRole('button', { name: 'Start agent' }).waitFor({ timeout: PATIENCE });
      await seen(page, 'stopped');
      await inspect(page, 'instance-stopped');
      await page.goto('/');
      await say(page, 'are you there?');
      await page.getByRole('alert').getByText('This agent was stopped').waitFor();
      await inspect(page, 'chat-stopped');
      await page.getByRole('alert').getByRole('button', { name: 'Start agent' }).click();
      await page.locator('.state', { hasText: 'Ready' }).first().waitFor({ timeout: PATIENCE });
      await page.getByRole('button', { name: 'Try again' }).click();
      await lastAnswer(page).getByText('word12').waitFor({ timeout: PATIENCE });
    });

    await t.test('the Restart button gives a new gateway with the old conversation', async () => {
      const conversation = page.url();
      const before = await myInstance(page);
      await page.goto(`/instances/${instance}`);
      await page.getByRole('button', { name: 'More actions' }).click();
      await page.getByRole('menuitem', { name: 'Restart agent' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Restart agent' }).click();
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await until('another start', async () => (await myInstance(page)).started_at !== before.started_at);
      await page.locator('.state', { hasText: 'Ready' }).first().waitFor({ timeout: PATIENCE });
      assert.equal((await myInstance(page)).restarts, before.restarts, 'it was asked for');
      await inspect(page, 'instance-restarted');
      await page.goto(conversation);
      await page.getByText('are you there?', { exact: true }).first().waitFor();
      await say(page, 'and now?');
      await page.getByText('and now?', { exact: true }).first().waitFor();
      await finished(page);
      await lastAnswer(page).getByText('word12').waitFor();
    });

    await t.test('an API token is shown once and works', async () => {
      await page.goto('/settings/tokens');
      await page.getByRole('button', { name: 'New token' }).first().click();
      await page.getByRole('textbox', { name: 'Name' }).fill('Script');
      await page.getByRole('button', { name: 'Create token' }).click();
      const secret = (await page.getByTestId('secret').innerText()).trim();
      const me = await fetch(`${house.url}/api/v1/me`, { headers: { authorization: `Bearer ${secret}` } });
      assert.equal((await me.json()).username, 'ada');
      await page.getByRole('button', { name: 'I have saved it' }).click();
      await page.getByText('Script').waitFor();
      await inspect(page, 'token');
    });

    await t.test('an identity provider is added, tested, edited, and people come in by it', async () => {
      const provider = await startIdentityProvider(house);
      try {
        await addProvider({ page, house, provider, inspect });
        await comeIn({ browser, page, house, provider, inspect });
        await switchOff({ browser, page, house });
        assert.deepEqual(problems, []);
      } finally {
        await provider.close();
      }
    });

    await t.test('an invited person comes in by the link and sees nothing of others', async () => {
      await page.goto('/settings/people');
      await page.getByRole('button', { name: 'Invite' }).click();
      await page.getByRole('dialog').getByRole('textbox', { name: 'Username' }).fill('grace');
      await page.getByRole('dialog').getByRole('button', { name: 'Create link' }).click();
      const link = (await page.getByTestId('secret').innerText()).trim();
      const guest = await open(browser, house.url, { size: DESKTOP });
      try {
        await guest.page.goto(link);
        assert.equal(new URL(guest.page.url()).hash, '');
        await guest.page.getByLabel('Username').fill('grace');
        await guest.page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD);
        await guest.page.getByRole('button', { name: 'Create account' }).click();
        await guest.page.getByText(/agent/i).first().waitFor();
        await guest.page.getByRole('link', { name: 'Settings' }).first().waitFor();
        // The page itself, not the skeleton that stands for it while its script loads.
        await guest.page.locator('h1').first().waitFor({ state: 'attached' });
        await inspect(guest.page, 'guest');
        await guest.page.goto(`/instances/${instance}`);
        await guest.page.getByRole('alert').waitFor();
        await guest.page.goto('/settings/agent');
        await guest.page.getByLabel('Name of the agent').waitFor();
        assert.equal(await guest.page.getByRole('link', { name: 'People' }).count(), 0);
        assert.deepEqual(guest.problems, []);
      } finally {
        await guest.context.close();
      }
    });

    await t.test(
      'a risky change of a member waits; approved by an administrator it is seen to run',
      async () => {
        // As people of the house would, but for the clicks that other tests are about.
        const asks = (on, method, path, body) =>
          on.evaluate(
            async ([method, path, body]) => {
              const headers = { 'content-type': 'application/json' };
              const answer = await fetch(path, { method, headers, body: JSON.stringify(body) });
              return answer.status;
            },
            [method, path, body],
          );
        const rules = {
          base_version: 0,
          text: `@id("members-ask")
permit (principal is User, action == Action::"provider.delete", resource is Provider)
when { principal has role && principal.role == "member" && !(resource has owner) };
@id("ask-an-admin") @approval("admin:1")
forbid (principal is User, action == Action::"provider.delete", resource is Provider)
when { principal has role && principal.role == "member" && !(resource has owner) }
unless { context.approved };`,
        };
        const shared = { type: 'demo', name: 'Doomed', shared: true };
        assert.equal(await asks(page, 'PUT', '/api/v1/policy', rules), 200);
        assert.equal(await asks(page, 'POST', '/api/v1/providers', shared), 201);
        const guest = await open(browser, house.url, { size: DESKTOP });
        try {
          await guest.page.goto('/');
          const login = { username: 'grace', password: PASSWORD };
          assert.equal(await asks(guest.page, 'POST', '/api/v1/auth/login', login), 200);
          await guest.page.goto('/settings/providers');
          const doomed = guest.page.getByRole('region', { name: 'Doomed' });
          await doomed.getByRole('button', { name: 'Delete' }).click();
          await guest.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
          const told = guest.page.getByRole('complementary', { name: 'Waiting for approval' });
          await told.getByRole('link', { name: 'Show the proposal' }).click();
          const guestSees = (state) => guest.page.locator('.proposal-state').getByText(state).waitFor();
          await guestSees('Waits for approval');
          await inspect(guest.page, 'proposal-asked');

          await page.goto('/proposals');
          await page.getByRole('link', { name: /Doomed/ }).click();
          await page.getByText('0 of 1 administrator').waitFor();
          await inspect(page, 'proposal-waiting');
          await page.getByRole('button', { name: 'Approve', exact: true }).click();
          const dialog = page.getByRole('dialog', { name: 'Approve this change?' });
          await dialog.getByRole('button', { name: 'Approve' }).click();
          await page.locator('.proposal-state').getByText('Done').waitFor();
          // Without a reload, in the other browser.
          await guestSees('Done');
          const left = await guest.page.evaluate(async () => (await fetch('/api/v1/providers')).json());
          assert.deepEqual(
            left.items.filter((one) => one.name === 'Doomed'),
            [],
          );
          assert.deepEqual(guest.problems, []);
        } finally {
          await guest.context.close();
        }
      },
    );

    await t.test('signing out ends the session', async () => {
      await page.goto('/');
      await page.getByRole('button', { name: /Account of/ }).click();
      await page.getByRole('menuitem', { name: 'Sign out' }).click();
      await page.getByRole('heading', { name: 'Sign in' }).waitFor();
      assert.equal(await page.evaluate(async () => (await fetch('/api/v1/me')).status), 401);
      await inspect(page, 'signed-out');
    });
    assert.deepEqual(problems, []);
  } catch (error) {
    await page.screenshot({ path: join(SHOTS, 'real-failed.png') }).catch(() => {});
    console.error(house.output());
    throw error;
  } finally {
    await context.close();
    await house.close();
    model.close();
  }
});

test('on a phone', async (t) => {
  const house = await openHouse();
  const { page, context, problems } = await open(browser, house.url, { size: PHONE, scheme: 'dark' });
  try {
    await t.test('the wizard leads to a streamed reply', async () => {
      await firstReply(page, house.token, { shots: 'real-phone', inspect });
    });
    const conversation = page.url();
    const { id } = await myInstance(page);
    await t.test('the minutes until it falls asleep are chosen on its page', async () => {
      await page.goto(`/instances/${id}`);
      // An administrator's page has a second form: limits.
      const form = page.getByRole('form', { name: 'Settings' });
      await form.getByLabel('Minutes until it falls asleep').fill('1');
      await form.getByRole('button', { name: 'Save' }).click();
      await form.getByText('Saved', { exact: true }).waitFor();
    });
    await t.test('every page fits and is accessible', async () => {
      for (const [name, path, ready] of pages(id)) {
        await page.goto(path);
        await ready(page);
        await inspect(page, `phone-${name}`);
      }
      assert.deepEqual(problems, []);
    });
    await t.test('an agent that fell asleep says so, wakes by a message, and remembers', async () => {
      await page.goto(`/instances/${id}`);
      await page.locator('.state', { hasText: 'Asleep' }).first().waitFor({ timeout: PATIENCE });
      await inspect(page, 'phone-instance-asleep');
      await page.goto(conversation);
      await page.getByText('Your agent is asleep', { exact: true }).waitFor();
      await inspect(page, 'phone-chat-asleep');
      await say(page, 'good morning');
      const status = page.locator('.turn-status');
      await status.getByText(/is (waking up|starting)/).waitFor();
      await inspect(page, 'phone-waking');
      await lastAnswer(page).getByText('good morning').waitFor({ timeout: PATIENCE });
      await finished(page);
      await page.getByRole('article').filter({ hasText: 'Who are you' }).first().waitFor();
      assert.ok((await page.getByRole('article').count()) >= 4, 'the earlier turn stands above');
      await lastAnswer(page).getByText('1 earlier message').waitFor();
      await inspect(page, 'phone-awake');
      assert.deepEqual(problems, []);
    });
  } catch (error) {
    await page.screenshot({ path: join(SHOTS, 'real-phone-failed.png') }).catch(() => {});
    console.error(house.output());
    throw error;
  } finally {
    await context.close();
    await house.close();
  }
});
