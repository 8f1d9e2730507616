// Operations, as who follows them and who chooses for them sees them, in a real browser against the scripted server.
import { strict as assert } from 'node:assert';
import { after, before, test } from 'node:test';
import { audit, DESKTOP, launch, open, PHONE } from './browser.mjs';
import { until } from './house.mjs';
import { startMock } from './mock.mjs';
import { GRACE, inState, LASTS, OWN } from './operations.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** On both widths; the page must have been without errors, and without anything that axe objects to at its end. */
function scenario(name, body) {
  for (const [form, size] of [
    ['desktop', DESKTOP],
    ['phone', PHONE],
  ]) {
    test(`${name}, ${form}`, async () => {
      const mock = await startMock();
      const view = await open(browser, mock.url, { size });
      try {
        const { state } = mock;
        // On phones what is broken stands in the header in place of what is stuck.
        state.incidents.list.length = 0;
        await body({ ...view, form, state, operations: state.operations });
        assert.deepEqual(await audit(view.page), []);
        assert.deepEqual(view.problems, []);
      } finally {
        await view.context.close();
        await mock.close();
      }
    });
  }
}

const asked = (state, key) => state.log.filter((one) => one.key === key);
const button = (page, name) => page.getByRole('button', { name, exact: true });
const row = (page, name) => page.getByRole('listitem').filter({ hasText: name });
const step = (page, n) => page.locator('.operation-steps > li').nth(n - 1);
const stateOf = (page, words) => page.locator('.operation-state').getByText(words, { exact: true }).waitFor();
/** Tells the stream what the control plane did by itself. */
const tell = (state, one, action, outcome, values = {}) =>
  state.evidence.append({ action: `operation.${action}`, kind: 'operation', id: one.id, outcome, values });
const following = (state) => until('the page to follow', () => state.followers.size > 0);

scenario(
  'the list says what is under way, with what is stuck above it',
  async ({ page, state, form, operations }) => {
    await page.goto('/operations');
    const rows = page.locator('.rows > li');
    await rows.nth(4).waitFor();
    // What it works on has its name once the names have come, after the row itself.
    await rows
      .first()
      .filter({
        hasText:
          /Change engine: Collector.*Stuck.*grace · 31 min.*Going back, at step 2 of 4: Switch the engine.*The engine 2026\.9\.6 cannot be read/,
      })
      .waitFor();
    await row(page, 'Change engine: Ada').getByText('Step 3 of 4: Start the agent').waitFor();
    await row(page, 'Change engine: Researcher').getByText('Cancelled by ada.').waitFor();
    await row(page, 'Change engine: Grace').getByText('Waits for its turn').waitFor();
    // What there are no words for is called by its name.
    await row(page, 'instance.provision: Grace').getByText('Step 4 of 5: start').waitFor();
    const link = page.getByRole('link', { name: /^Operations,? 1 stuck$/ });
    await link.first().waitFor();
    await page.getByText('Mine', { exact: true }).click();
    await row(page, 'Change engine: Grace').waitFor({ state: 'detached' });
    await until('only what is mine', async () => (await rows.count()) === 3);
    await page.getByText('All', { exact: true }).click();
    await row(page, 'Change engine: Ada').getByText('All 4 steps done').waitFor();
    assert.equal(new URL(page.url()).search, '?mine=&tab=all');
    await page.getByText('Everybody’s', { exact: true }).click();
    await row(page, 'Change engine: Grace').getByText('Undone').waitFor();
    await page.getByRole('radiogroup').first().getByText('Stuck', { exact: true }).click();
    await until('only what is stuck', async () => (await rows.count()) === 1);
    await following(state);
    const one = inState(operations, 'running');
    operations.stick(one, 'no room on its machine');
    tell(state, one, 'settle', 'stuck');
    await row(page, 'Change engine: Ada').getByText('No room on its machine.').waitFor();
    await page
      .getByRole('link', { name: /^Operations,? 2 stuck$/ })
      .first()
      .waitFor();
    // On phones the way there is in the header and the strip.
    if (form === 'phone') await page.locator('.settings-tabs').getByText('Operations').waitFor();
  },
);

scenario('a member sees what is theirs, and is not asked whose', async ({ page, state, operations }) => {
  Object.assign(state.me, { role: 'member', permissions: ['instance.change_engine'] });
  await page.goto('/operations?tab=all');
  await row(page, 'Change engine: Ada').first().waitFor();
  assert.equal(await page.getByText('Everybody’s').count(), 0);
  assert.equal(await row(page, 'engine: Grace').count(), 0);
  const others = operations.list.find((one) => one.owner === GRACE);
  await page.goto(`/operations/${others.id}`);
  await page.getByText('This operation is not here').waitFor();
  assert.equal(await page.getByRole('alert').count(), 0);
});

scenario('where nothing is under way, the page says what would be', async ({ page, operations }) => {
  operations.list.length = 0;
  await page.goto('/operations');
  await page.getByText('Nothing is under way').waitFor();
  await page.getByText('it is done here step by step').waitFor();
  assert.equal(await page.getByRole('link', { name: /stuck/ }).count(), 0);
  await page.getByText('Stuck', { exact: true }).click();
  await page.getByText('Nothing is stuck').waitFor();
});

scenario('a list that cannot be read says so, and is asked again', async ({ page }) => {
  let broken = true;
  await page.route('**/api/v1/operations?*', (route) =>
    broken
      ? route.fulfill({
          status: 403,
          contentType: 'application/problem+json',
          body: JSON.stringify({ code: 'forbidden', title: 'You may not do this', status: 403 }),
        })
      : route.fallback(),
  );
  await page.goto('/operations');
  const alert = page.getByRole('alert').filter({ hasText: 'You may not do this' });
  await alert.waitFor();
  assert.deepEqual(await audit(page), []);
  broken = false;
  await alert.getByRole('button', { name: 'Try again' }).click();
  await row(page, 'Change engine: Collector').waitFor();
});

scenario('an operation is followed step by step to its end', async ({ page, state, operations }) => {
  const one = inState(operations, 'running');
  await page.goto(`/operations/${one.id}`);
  await page.getByRole('heading', { name: 'Change engine: Ada' }).waitFor();
  await stateOf(page, 'Under way');
  await page.getByText('asked for by you').waitFor();
  await page.getByText('Step 3 of 4: Start the agent and wait until it answers').waitFor();
  assert.match(await step(page, 1).textContent(), /^Stop the agent4sDone/);
  assert.equal(await step(page, 3).getAttribute('aria-current'), 'step');
  assert.match(await step(page, 3).textContent(), /2 tries failedIts machine did not answer in time\./);
  await step(page, 4).getByText('Not begun').waitFor();
  assert.match(await page.locator('.operation-facts').textContent(), /OpenClaw 2026\.9\.6.*2026\.10\.1/);
  const link = page.locator('.operation-facts').getByRole('link', { name: 'Ada', exact: true });
  assert.equal(await link.getAttribute('href'), `/instances/${OWN}`);
  for (const name of ['Try again', 'Skip step', 'Undo']) assert.equal(await button(page, name).count(), 0);
  await following(state);
  operations.next(one, { output: { engine_version: '2026.10.1' } });
  tell(state, one, 'step', 'done');
  await page.getByText('Step 4 of 4').waitFor();
  await step(page, 3).getByText('What came out').click();
  await step(page, 3).getByText('"engine_version": "2026.10.1"').waitFor();
  // Its end is told to nobody; the page asks.
  operations.next(one);
  await stateOf(page, 'Done');
  await page.getByText('All 4 steps done').waitFor();
  assert.equal(await page.locator('.operation-steps [aria-current]').count(), 0);
  assert.equal(await button(page, 'Cancel operation').count(), 0);
});

scenario('one that is cancelled comes back visibly, last step first', async ({ page, state, operations }) => {
  const one = inState(operations, 'running');
  await page.goto(`/operations/${one.id}`);
  await button(page, 'Cancel operation').click();
  const dialog = page.getByRole('dialog', { name: 'Cancel this operation?' });
  await dialog.getByText('The step that is on its way comes to its end first.').waitFor();
  await dialog.getByRole('button', { name: 'Let it go on' }).click();
  await dialog.waitFor({ state: 'detached' });
  assert.equal(asked(state, `POST /api/v1/operations/${one.id}/cancel`).length, 0);
  await button(page, 'Cancel operation').click();
  await dialog.getByRole('button', { name: 'Cancel operation' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByText('Cancelled by ada', { exact: true }).waitFor();
  await stateOf(page, 'Under way');
  assert.equal(await button(page, 'Cancel operation').count(), 0);
  assert.equal(asked(state, `POST /api/v1/operations/${one.id}/cancel`).length, 1);
  await following(state);
  operations.back(one, 'cancelled by ada');
  tell(state, one, 'undo', 'begun');
  await stateOf(page, 'Being undone');
  await page.getByText('What was done is taken back, last step first.').waitFor();
  await page.getByText('Going back, at step 3 of 4').waitFor();
  await step(page, 3).getByText('Being taken back').waitFor();
  for (const at of [3, 2]) {
    operations.next(one);
    tell(state, one, 'step', 'undone');
    await step(page, at).getByText('Taken back', { exact: true }).waitFor();
    await step(page, at - 1)
      .getByText('Being taken back')
      .waitFor();
  }
  operations.next(one);
  tell(state, one, 'settle', 'undone');
  await stateOf(page, 'Undone');
  await page.getByText('all is as it was before').waitFor();
  await page.getByText('Cancelled by ada.').waitFor();
  await step(page, 4).getByText('Not begun').waitFor();
});

scenario(
  'for one that is stuck somebody chooses, knowing what follows',
  async ({ page, state, operations }) => {
    const one = inState(operations, 'stuck');
    await page.goto(`/operations/${one.id}`);
    const alert = page.getByRole('alert').filter({ hasText: 'It got stuck while it was being undone' });
    await alert.getByText('Why it turned round: It does not come up with engine 2026.10.1').waitFor();
    await alert.getByText('choose what happens now').waitFor();
    assert.match(
      await step(page, 2).textContent(),
      /Could not be taken back.*5 tries failedThe engine 2026\.9\.6 cannot be read/,
    );
    assert.equal(await button(page, 'Undo').count(), 0);
    await button(page, 'Skip step').click();
    const skip = page.getByRole('dialog', { name: 'Skip this step?' });
    await skip.getByText('“Switch the engine” is not taken back: what it did stays.').waitFor();
    await skip.getByRole('button', { name: 'Cancel' }).click();
    await button(page, 'Try again').click();
    const dialog = page.getByRole('dialog', { name: 'Try this step again?' });
    await dialog.getByText('“Switch the engine” is taken back once more.').waitFor();
    assert.deepEqual(await audit(page), []);
    await dialog.getByRole('button', { name: 'Try again' }).click();
    await stateOf(page, 'Being undone');
    await step(page, 2).getByText('Being taken back').waitFor();
    assert.equal(asked(state, `POST /api/v1/operations/${one.id}/retry`).length, 1);
    operations.next(one);
    operations.next(one);
    await stateOf(page, 'Undone');
    await page.getByRole('link', { name: /stuck/ }).first().waitFor({ state: 'detached' });
  },
);

scenario('one that is stuck forwards can be undone or gone on with', async ({ page, state, operations }) => {
  const one = operations.begin(operations.add({ by: GRACE, owner: GRACE }));
  operations.next(one);
  operations.stick(one, LASTS);
  await page.goto(`/operations/${one.id}`);
  await page.getByText('It got stuck', { exact: true }).waitFor();
  await page.getByText('Step 2 of 4: Switch the engine').waitFor();
  // What stopped it is told once, at its step.
  assert.equal(await page.getByText('It does not come up').count(), 1);
  await button(page, 'Skip step').click();
  await page.getByRole('dialog').getByText('is left as it is now, perhaps half done').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Skip step' }).click();
  await step(page, 2).getByText('Skipped').waitFor();
  await stateOf(page, 'Under way');
  await following(state);
  operations.stick(one, LASTS);
  tell(state, one, 'settle', 'stuck');
  await button(page, 'Undo').click();
  await page.getByRole('dialog').getByText('The operation does not go on.').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Undo' }).click();
  await stateOf(page, 'Being undone');
  assert.equal(asked(state, `POST /api/v1/operations/${one.id}/undo`).length, 1);
});

scenario(
  'of a new agent that does not come up one is told what taking it back means',
  async ({ page, operations }) => {
    const one = operations.begin(
      operations.add({
        kind: 'instance.create',
        resource_id: 'inst_01k9w3v5x7gone',
        steps: ['engine', 'start'],
        input: { name: 'Archivist' },
      }),
    );
    operations.next(one);
    operations.stick(one, 'it does not come up: its address is taken');
    await page.goto(`/operations/${one.id}`);
    // The name is known here alone.
    await page.getByRole('heading', { name: 'Create agent: Archivist' }).waitFor();
    await page.getByText('Step 2 of 2: Start the agent and wait until it answers').waitFor();
    await button(page, 'Undo').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('The agent is removed, with its files, unless it has answered by now.').waitFor();
    await dialog.getByRole('button', { name: 'Undo' }).click();
    await stateOf(page, 'Being undone');
  },
);

scenario('what others chose meanwhile is told where one chooses', async ({ page, operations }) => {
  const one = inState(operations, 'stuck');
  await page.goto(`/operations/${one.id}`);
  await button(page, 'Skip step').click();
  operations.next(one);
  operations.next(one);
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Skip step' }).click();
  await dialog.getByText('This operation is over.').waitFor();
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await stateOf(page, 'Undone');
});

scenario('whoever may not choose is told who may', async ({ page, operations }) => {
  const one = inState(operations, 'stuck');
  await page.route(`**/api/v1/operations/${one.id}`, async (route) => {
    const answer = await route.fetch();
    const none = { cancel: false, retry: false, skip: false, undo: false };
    await route.fulfill({ json: { ...(await answer.json()), can: none } });
  });
  await page.goto(`/operations/${one.id}`);
  await page.getByText('an administrator has to choose what happens now').waitFor();
  for (const name of ['Try again', 'Skip step', 'Undo', 'Cancel operation'])
    assert.equal(await button(page, name).count(), 0);
});

scenario(
  'what came of a proposal leads back to it, and unknown things stand as they are',
  async ({ page, operations }) => {
    const one = inState(operations, 'done');
    await page.goto(`/operations/${one.id}`);
    const link = page.getByRole('link', { name: 'Show the proposal' });
    assert.equal(await link.getAttribute('href'), `/proposals/${one.proposal_id}`);
    assert.match(await page.locator('.operation-total').textContent(), /^1m 13s$/);
    const other = operations.list.find(({ kind }) => kind === 'instance.provision');
    await page.goto(`/operations/${other.id}`);
    await page.getByRole('heading', { name: 'instance.provision: Grace' }).waitFor();
    await step(page, 2).getByText('folder', { exact: true }).waitFor();
    await page.getByText('"template": "standard"').waitFor();
    await page.getByText('Fractal itself, or somebody deleted').waitFor();
  },
);

scenario(
  'an agent that is worked on says so, and is let go of at the end',
  async ({ page, state, form, operations }) => {
    const one = inState(operations, 'running');
    state.instances[0].operation_id = one.id;
    await page.goto(`/instances/${OWN}`);
    const banner = page.getByRole('status').filter({ hasText: 'Ada is being worked on' });
    await banner.getByText('Change engine · Step 3 of 4: Start the agent').waitFor();
    await banner.getByText('cannot be started, stopped, restarted or deleted').waitFor();
    const stop = button(page, 'Stop agent');
    assert.equal(await stop.getAttribute('aria-disabled'), 'true');
    await stop.focus();
    await page.getByRole('tooltip', { name: 'Not while it is being worked on' }).waitFor();
    await stop.press('Enter');
    assert.equal(await page.getByRole('dialog').count(), 0);
    await button(page, 'More actions').click();
    for (const name of ['Restart agent', 'Change engine', 'Delete agent'])
      assert.ok(await page.getByRole('menuitem', { name }).isDisabled(), name);
    await page.keyboard.press('Escape');
    await following(state);
    operations.next(one);
    operations.next(one);
    state.instances[0].operation_id = null;
    tell(state, one, 'settle', 'done');
    await banner.waitFor({ state: 'detached' });
    await stop.click();
    await page.getByRole('dialog', { name: 'Stop Ada?' }).getByRole('button', { name: 'Cancel' }).click();
    // One that is stuck holds it too, and says what it waits for.
    const stuck = inState(operations, 'stuck');
    state.instances[0].operation_id = stuck.id;
    await page.reload();
    await page.getByText('The work on Ada got stuck').waitFor();
    await page.getByRole('link', { name: 'Show the operation' }).click();
    await page.getByRole('heading', { name: 'Change engine: Collector' }).waitFor();
    if (form === 'phone') assert.equal(await page.locator('.bottom-bar .active').textContent(), 'Settings');
  },
);

scenario('an agent gets another engine, and one follows how', async ({ page, state, operations }) => {
  await page.goto(`/instances/${OWN}`);
  await button(page, 'More actions').click();
  await page.getByRole('menuitem', { name: 'Change engine' }).click();
  const dialog = page.getByRole('dialog', { name: 'Change the engine of Ada?' });
  await dialog.getByText('it gets its present engine back').waitFor();
  await dialog.getByText('It has OpenClaw 2026.9.6 now.').waitFor();
  // Neither the present one nor one that is not installed.
  await dialog.getByRole('combobox', { name: 'New engine' }).click();
  assert.deepEqual(await page.getByRole('option').allTextContents(), ['OpenClaw 2026.10.1']);
  await page.getByRole('option').click();
  await dialog.getByRole('button', { name: 'Change engine' }).click();
  await page.getByRole('heading', { name: 'Change engine: Ada' }).waitFor();
  await page.getByText('Step 1 of 4: Stop the agent').waitFor();
  assert.deepEqual(asked(state, `PUT /api/v1/instances/${OWN}/engine`)[0].body, {
    engine_id: 'eng_01k9w3v5x9',
  });
  assert.equal(new URL(page.url()).pathname, `/operations/${operations.list.at(-1).id}`);
});

scenario('a change of engine that waits for approval closes its dialog', async ({ page, state }) => {
  state.proposals.ask(/^PUT \/api\/v1\/instances\/[^/]+\/engine/, {
    action: 'instance.change_engine',
    resource_kind: 'instance',
    resource_id: OWN,
    values: { name: 'Ada', engine_version: '2026.10.1' },
    steps: ['stop', 'switch', 'start', 'restore', 'cheer'],
    instances: [OWN],
  });
  await page.goto(`/instances/${OWN}`);
  await button(page, 'More actions').click();
  await page.getByRole('menuitem', { name: 'Change engine' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Change engine' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.getByRole('link', { name: 'Show the proposal' }).click();
  // What would happen is told step by step.
  await page.getByText('Then, step by step:').waitFor();
  assert.deepEqual(await page.locator('.proposal-steps li').allTextContents(), [
    'Stop the agent',
    'Switch the engine',
    'Start the agent and wait until it answers',
    'Leave it running or at rest, as before',
    'cheer',
  ]);
});

const secretKey = (page) =>
  page.locator('.section').filter({ has: page.getByRole('heading', { name: 'Secret key' }) });
/** Opens the page of the installation and asks for another key, up to the last word. */
async function replaceKey(page) {
  await page.goto('/settings/installation');
  await button(page, 'Replace the key').click();
  const dialog = page.getByRole('dialog', { name: 'Replace the secret key?' });
  await dialog.getByText('fractal keys export').waitFor();
  await dialog.getByRole('button', { name: 'Replace the key' }).click();
  return dialog;
}

scenario(
  'the secret key is replaced, and what is stored is followed to it',
  async ({ page, state, operations }) => {
    const card = secretKey(page);
    await page.goto('/settings/installation');
    await card.getByText('Generation 3').waitFor();
    await card.getByText('All under this key').waitFor();
    const dialog = await replaceKey(page);
    await dialog.waitFor({ state: 'detached' });
    await card.getByText('Generation 4').waitFor();
    await card.getByText('2 older keys are still in use').waitFor();
    await card.getByRole('status').getByText('fractal keys export').waitFor();
    assert.equal(asked(state, 'POST /api/v1/keys/rotate').length, 1);
    assert.deepEqual(await audit(page), []);
    // One way there, also when the list knows it too.
    await until('the list to know', () => asked(state, 'GET /api/v1/operations').length > 1);
    await card.getByRole('link', { name: 'Show the operation' }).click();
    const one = operations.list.at(-1);
    await page.getByRole('heading', { name: 'Replace secret key', exact: true }).waitFor();
    assert.equal(new URL(page.url()).pathname, `/operations/${one.id}`);
    await page.getByText('Step 1 of 2: Move what is stored to the new keys').waitFor();
    await page.locator('.operation-facts').getByText('Generation 4').waitFor();
    assert.equal(await button(page, 'Cancel operation').count(), 0);
    await page.locator('.operation-facts').getByRole('link', { name: 'Installation' }).click();
    // Who comes back finds the way to it again, and hears when something cannot move.
    await card.getByText('Still moving to this key').waitFor();
    await card.getByRole('link', { name: 'Show the operation' }).waitFor();
    await following(state);
    operations.stick(one, '1 stored value cannot be opened');
    tell(state, one, 'settle', 'stuck', { kind: one.kind });
    await card.getByText('Not all can move').waitFor();
    // Somebody else replaces it, and nothing was left to move.
    Object.assign(state.keys, { generation: 5, waiting: 0 });
    state.evidence.append({ action: 'key.rotate', kind: 'settings', outcome: 'done' });
    await card.getByText('Generation 5').waitFor();
    await card.getByText('All under this key').waitFor();
    await page.goto('/operations?tab=all');
    await row(page, 'Replace secret key').getByText('All 2 steps done').waitFor();
  },
);

scenario('a secret key that comes from the environment says who replaces it', async ({ page, state }) => {
  state.keys.fixed = true;
  const dialog = await replaceKey(page);
  const alert = dialog.getByRole('alert');
  await alert.getByText('The secret key comes from FRACTAL_SECRET_KEY.').waitFor();
  await alert.getByText('Rotate it where it is kept').waitFor();
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await secretKey(page).getByText('Generation 3').waitFor();
  state.me.permissions = state.me.permissions.filter((one) => one !== 'key.rotate');
  await page.reload();
  await page.getByText('This machine').first().waitFor();
  assert.equal(await secretKey(page).count(), 0);
});

scenario('another secret key that waits for approval is not told as replaced', async ({ page, state }) => {
  state.proposals.ask(/^POST \/api\/v1\/keys\/rotate/, {
    action: 'key.rotate',
    resource_kind: 'settings',
    values: { generation: 4 },
    steps: ['move', 'retire'],
  });
  const dialog = await replaceKey(page);
  await dialog.waitFor({ state: 'detached' });
  assert.equal(await page.getByText('A new key is in force').count(), 0);
  await secretKey(page).getByText('Generation 3').waitFor();
  await page.getByRole('link', { name: 'Show the proposal' }).click();
  await page.getByRole('heading', { name: 'Replace secret key' }).waitFor();
  await page.getByText('Move what is stored to the new keys').waitFor();
});

scenario(
  'nobody is offered an engine where there is no other, or where they may not know',
  async ({ page, state }) => {
    const offered = async () => {
      await page.goto(`/instances/${OWN}`);
      await button(page, 'More actions').click();
      await page.getByRole('menuitem', { name: 'Restart agent' }).waitFor();
      const count = await page.getByRole('menuitem', { name: 'Change engine' }).count();
      await page.keyboard.press('Escape');
      await page.getByRole('menu').waitFor({ state: 'detached' });
      return count;
    };
    assert.equal(await offered(), 1);
    state.engines.shift();
    assert.equal(await offered(), 0);
    state.me.permissions = state.me.permissions.filter((one) => one !== 'engine.list');
    const before = asked(state, 'GET /api/v1/engines').length;
    assert.equal(await offered(), 0);
    assert.equal(asked(state, 'GET /api/v1/engines').length, before);
  },
);

scenario(
  'in the chat, an agent that is worked on is no agent that somebody stopped',
  async ({ page, state, form, operations }) => {
    Object.assign(state.instances[0], {
      operation_id: inState(operations, 'running').id,
      wanted: 'stopped',
      seen: 'stopped',
      stop_reason: 'operation',
    });
    state.asleep = true;
    await page.route('**/history?*', (route) =>
      route.fulfill({
        status: 409,
        contentType: 'application/problem+json',
        body: JSON.stringify({ code: 'conflict', title: 'That does not fit', status: 409 }),
      }),
    );
    await page.goto(`/?agent=${OWN}&session=chat-0`);
    await page.getByText('Your agent is being worked on', { exact: true }).waitFor();
    await page.locator('.header').getByText('Being worked on').waitFor();
    if (form === 'desktop') await page.getByText('Its conversations show once that is over.').waitFor();
    assert.equal(await button(page, 'Start agent').count(), 0);
  },
);
