// Incidents, as who looks after them sees them, in a real browser against the scripted server.
import { strict as assert } from 'node:assert';
import { after, before, test } from 'node:test';
import { audit, DESKTOP, launch, open, PHONE } from './browser.mjs';
import { until } from './house.mjs';
import { COLLECTOR } from './incidents.mjs';
import { startMock } from './mock.mjs';
import { GRACE, inState } from './operations.mjs';

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
        await body({ ...view, form, state, incidents: state.incidents });
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
const rows = (page) => page.locator('.incident');
const row = (page, words) => rows(page).filter({ hasText: words });
const look = (page, words) => page.locator('.incident-checks > li').filter({ hasText: words });
const counted = (page, n) =>
  page
    .getByRole('link', { name: new RegExp(`^Incidents,? ${n} open$`) })
    .first()
    .waitFor();
const nav = (page) => page.getByRole('link', { name: /^Incidents/ });
/** Tells the stream what the control plane did by itself. */
const tell = (state, one, action) =>
  state.evidence.append({ action: `incident.${action}`, kind: 'incident', id: one.id, outcome: one.state });
const following = (state) => until('the page to follow', () => state.followers.size > 0);
const of = (incidents, check) => incidents.list.find((one) => one.check === check && one.state === 'open');
const member = (state) =>
  Object.assign(state.me, { role: 'member', permissions: ['incident.view', 'incident.acknowledge'] });

scenario(
  'the list says what is broken and what to do, and takes a note',
  async ({ page, state, form, incidents }) => {
    await page.goto('/incidents');
    await rows(page).nth(3).waitFor();
    // What does not work comes first, then what is new.
    assert.deepEqual(await page.locator('.incident .incident-title > a').allTextContents(), [
      'An agent does not come up',
      'An operation waits for a choice',
      'Messages to a webhook were given up',
      'An agent’s files reach their limit',
    ]);
    const failed = row(page, 'does not come up');
    await failed.getByText('Does not work', { exact: true }).waitFor();
    await failed.getByText(/^Grace · grace · found 12 min/).waitFor();
    await failed.getByText('It ended five times within a minute: not enough memory.').waitFor();
    await failed.getByText('Raise its limit, then start it.').waitFor();
    await failed.getByText('It was started again, a little later each time. In all 5 times.').waitFor();
    const links = { Grace: '/instances/inst_01k9w3v5x7grace' };
    links['Change engine: Collector'] = `/operations/${inState(state.operations, 'stuck').id}`;
    links[state.webhooks.hooks[1].name] = `/settings/webhooks/${state.webhooks.hooks[1].id}`;
    for (const [name, to] of Object.entries(links))
      assert.equal(await rows(page).getByRole('link', { name, exact: true }).getAttribute('href'), to, name);
    await counted(page, 4);
    // On phones the way there is in the header and the strip.
    if (form === 'phone') {
      await page.locator('.settings-tabs').getByText('Incidents').waitFor();
      assert.equal(await page.locator('.bottom-bar .active').textContent(), 'Settings');
    }
    await failed.getByRole('button', { name: 'I am on it: An agent does not come up' }).click();
    const dialog = page.getByRole('dialog', { name: 'Look after this incident?' });
    await dialog.getByRole('textbox', { name: 'Note' }).fill('I raise its limit');
    assert.deepEqual(await audit(page), []);
    await dialog.getByRole('button', { name: 'I am on it' }).click();
    await dialog.waitFor({ state: 'detached' });
    await failed.getByText(/^You · now/).waitFor();
    await failed.getByText('I raise its limit', { exact: true }).waitFor();
    const { id } = of(incidents, 'instance-failed');
    const posted = asked(state, `POST /api/v1/incidents/${id}/acknowledge`);
    assert.deepEqual(
      posted.map((one) => one.body),
      [{ note: 'I raise its limit' }],
    );
    // Looked after is not mended.
    await counted(page, 4);
  },
);

scenario('a note is changed, and none is needed', async ({ page, state, incidents }) => {
  const hook = of(incidents, 'webhook-failing');
  await page.goto(`/incidents/${hook.id}`);
  await page.getByRole('heading', { name: 'Messages to a webhook were given up' }).waitFor();
  await page.getByText('The monitoring moves').waitFor();
  await button(page, 'Change note').click();
  const note = page.getByRole('dialog').getByRole('textbox', { name: 'Note' });
  assert.match(await note.inputValue(), /^The monitoring moves to another machine today/);
  await note.fill('It is on its new machine');
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await page.getByText('It is on its new machine').waitFor();
  const disk = of(incidents, 'instance-disk');
  await page.goto(`/incidents/${disk.id}`);
  await button(page, 'I am on it').click();
  await page.getByRole('dialog').getByRole('button', { name: 'I am on it' }).click();
  await button(page, 'Change note').waitFor();
  assert.deepEqual(asked(state, `POST /api/v1/incidents/${disk.id}/acknowledge`)[0].body, {});
});

scenario('one ends while somebody watches it, and leaves the list', async ({ page, state, incidents }) => {
  const disk = of(incidents, 'instance-disk');
  await page.goto('/incidents');
  await row(page, 'files reach their limit').getByRole('link').first().click();
  const told = page.locator('.incident-state [role=status]');
  await told.getByText('Needs attention').waitFor();
  await page.getByText('Have it delete what it does not need').waitFor();
  await following(state);
  incidents.resolve(disk);
  tell(state, disk, 'resolve');
  await told.getByText('Resolved').waitFor();
  await page.getByText(/ended now, after/).waitFor();
  assert.equal(await page.getByText('Have it delete').count(), 0);
  assert.equal(await button(page, 'I am on it').count(), 0);
  await counted(page, 3);
  await page.goto('/incidents');
  await rows(page).nth(2).waitFor();
  await following(state);
  const stuck = of(incidents, 'operation-stuck');
  incidents.resolve(stuck);
  tell(state, stuck, 'resolve');
  await row(page, 'waits for a choice').waitFor({ state: 'detached' });
  // What breaks appears in the same way.
  tell(
    state,
    incidents.open({
      check: 'clock-skew',
      severity: 'attention',
      finding: 'the clock is 9 s ahead',
      resource_kind: 'machine',
      resource_id: '',
      owner: null,
    }),
    'open',
  );
  await row(page, 'clock-skew').getByText('The clock is 9 s ahead.').waitFor();
  await page.getByText('Resolved', { exact: true }).click();
  await row(page, 'waits for a choice').getByText('Resolved').waitFor();
  assert.equal(new URL(page.url()).search, '?tab=resolved');
  await row(page, 'not sealed').getByText('ended 3 days ago, after 12m').waitFor();
  await row(page, 'does not come up').getByText('The printer service had its port').waitFor();
});

scenario(
  'what ends while somebody writes a note says so, and keeps the note',
  async ({ page, state, incidents }) => {
    await page.goto('/incidents');
    await row(page, 'waits for a choice').getByRole('button').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox').fill('I skip the step');
    await following(state);
    const stuck = of(incidents, 'operation-stuck');
    incidents.resolve(stuck);
    tell(state, stuck, 'resolve');
    await row(page, 'waits for a choice').waitFor({ state: 'detached' });
    await dialog.getByRole('button', { name: 'I am on it' }).click();
    await dialog.getByText('It is resolved already.').waitFor();
    assert.equal(await dialog.getByRole('textbox').inputValue(), 'I skip the step');
    assert.equal(await dialog.getByRole('button', { name: 'I am on it' }).count(), 0);
    await dialog.getByText('Close', { exact: true }).click();
    await dialog.waitFor({ state: 'detached' });
  },
);

scenario('a member sees their own, and no checks', async ({ page, state, incidents }) => {
  member(state);
  await page.goto('/incidents');
  await row(page, 'files reach their limit').getByRole('link', { name: 'Collector' }).waitFor();
  assert.equal(await rows(page).count(), 2);
  assert.equal(await page.getByRole('heading', { name: 'Checks' }).count(), 0);
  assert.equal(asked(state, 'GET /api/v1/checks').length, 0);
  await counted(page, 2);
  const others = incidents.list.find((one) => one.owner === GRACE);
  await page.goto(`/incidents/${others.id}`);
  await page.getByText('This incident is not here').waitFor();
  assert.equal(await page.getByRole('alert').count(), 0);
  incidents.list.length = 0;
  await page.goto('/incidents');
  await page.getByText('Everything is in order').waitFor();
  await page.getByText('When something of yours breaks').waitFor();
  assert.equal(await nav(page).first().getAttribute('href'), '/incidents');
  assert.equal(await page.getByRole('link', { name: /\d open$/ }).count(), 0);
});

scenario('whoever may not see incidents is not asked about them', async ({ page, state }) => {
  Object.assign(state.me, { role: 'member', permissions: [] });
  await page.goto(`/instances/${COLLECTOR}`);
  await page.getByText('Its disk is almost full').waitFor();
  await page.goto('/proposals');
  await page.getByRole('heading', { name: 'Proposals' }).waitFor();
  assert.equal(await nav(page).count(), 0);
  assert.equal(await page.getByText('Something is wrong').count(), 0);
  assert.equal(state.log.filter(({ key }) => /incidents|checks/.test(key)).length, 0);
});

scenario('everything is looked at now', async ({ page, state, incidents }) => {
  incidents.list.length = 0;
  const [disk, failed] = incidents.checks;
  Object.assign(disk, { error: 'the folder of the agents cannot be read: permission denied' });
  failed.looked_at = null;
  await page.goto('/incidents');
  // Nothing found is no good news where something could not be looked at.
  await page.getByText('not everything could be looked at').waitFor();
  await look(page, 'Room for the files').getByText('Could not look').waitFor();
  await look(page, 'Room for the files').getByText('The folder of the agents cannot be read').waitFor();
  await look(page, 'Agents that should run').getByText('Not looked yet').waitFor();
  disk.error = null;
  await page.reload();
  await page.getByText('Nothing was found so far').waitFor();
  await button(page, 'Look now').click();
  await page.getByText('Looked at just now. All is in order.').waitFor();
  await page.getByText('Everything is in order').waitFor();
  await page.getByText(/^Last looked /).waitFor();
  assert.equal(asked(state, 'POST /api/v1/checks/run').length, 1);
  await look(page, 'Agents that should run').getByText('In order').waitFor();
  incidents.open({ remedy: 'raise its limit' });
  await button(page, 'Look now').click();
  await page.getByText('Looked at just now. 1 found.').waitFor();
  await look(page, 'Agents that should run').getByText('1 found').waitFor();
  await row(page, 'does not come up').getByText('Raise its limit.').waitFor();
  await counted(page, 1);
});

scenario('a look that fails says so, and an auditor is offered none', async ({ page, state }) => {
  await page.route('**/api/v1/checks/run', (route) =>
    route.fulfill({
      status: 503,
      contentType: 'application/problem+json',
      body: JSON.stringify({ code: 'busy', title: 'It looks already', status: 503 }),
    }),
  );
  await page.goto('/incidents');
  await button(page, 'Look now').click();
  await page.getByRole('alert').filter({ hasText: 'It looks already' }).waitFor();
  state.me.permissions = state.me.permissions.filter(
    (one) => one !== 'check.run' && one !== 'incident.acknowledge',
  );
  await page.reload();
  await look(page, 'Room for the files').getByText('1 found').waitFor();
  assert.equal(await button(page, 'Look now').count(), 0);
  assert.equal(await page.getByRole('button', { name: /I am on it|Change note/ }).count(), 0);
});

scenario(
  'an agent that something is wrong with says so, and leads there',
  async ({ page, state, incidents }) => {
    await page.goto(`/instances/${COLLECTOR}`);
    const banner = page.getByRole('status').filter({ hasText: 'Something is wrong with Collector' });
    await banner.getByText('An agent’s files reach their limit').waitFor();
    await following(state);
    const more = incidents.open({ finding: 'it does not answer' });
    tell(state, more, 'open');
    await banner.getByRole('link', { name: 'Show 2 incidents' }).waitFor();
    incidents.resolve(more);
    tell(state, more, 'resolve');
    await banner.getByRole('link', { name: 'Show the incident' }).click();
    await page.getByRole('heading', { name: 'An agent’s files reach their limit' }).waitFor();
    await page.goBack();
    await banner.waitFor();
    const disk = of(incidents, 'instance-disk');
    incidents.resolve(disk);
    tell(state, disk, 'resolve');
    await banner.waitFor({ state: 'detached' });
  },
);

scenario('older ones are fetched when they are asked for', async ({ page, incidents }) => {
  for (let n = 0; n < 60; n++) incidents.resolve(incidents.open({ finding: `finding number ${n}` }));
  await page.goto('/incidents?tab=resolved');
  await rows(page).nth(49).waitFor();
  assert.equal(await rows(page).count(), 50);
  await button(page, 'Show older').click();
  await row(page, 'not sealed').waitFor();
  assert.equal(await rows(page).count(), 62);
  assert.equal(await button(page, 'Show older').count(), 0);
});
