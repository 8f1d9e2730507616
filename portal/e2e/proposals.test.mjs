// Proposals, as who asks and who decides see them, in a real browser against the scripted server.
import { strict as assert } from 'node:assert';
import { after, before, test } from 'node:test';
import { audit, DESKTOP, launch, open, PHONE } from './browser.mjs';
import { until } from './house.mjs';
import { startMock } from './mock.mjs';
import { ADA, nameOf, SECRET } from './proposals.mjs';

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
        await body({ ...view, url: mock.url, form, state, proposals: state.proposals });
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
/** Tells the stream what the control plane did by itself. */
const settled = (state, one) =>
  state.evidence.append({
    action: 'proposal.settle',
    kind: 'proposal',
    id: one.id,
    values: { state: one.state },
  });

scenario(
  'a change that waits for approval is told calmly, and leads to its proposal',
  async ({ page, state, proposals }) => {
    proposals.ask(/^DELETE \/api\/v1\/providers\//, { values: { name: 'Demo', type: 'demo' } });
    await page.goto('/settings/providers');
    await page.getByRole('region', { name: 'Demo' }).getByRole('button', { name: 'Delete' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Delete' }).click();
    const told = page.getByRole('complementary', { name: 'Waiting for approval' });
    await told.getByText('Delete provider: Demo').waitFor();
    await told.getByText('needs 1 × administrator').waitFor();
    await dialog.waitFor({ state: 'detached' });
    assert.equal(await page.getByRole('alert').count(), 0);
    assert.equal(await page.getByRole('region', { name: 'Demo' }).count(), 1);
    assert.deepEqual(await audit(page), []);
    await told.getByRole('link', { name: 'Show the proposal' }).click();
    await page.getByRole('heading', { name: 'Delete provider: Demo' }).waitFor();
    await page.getByText('asked for by you').waitFor();
    await told.waitFor({ state: 'detached' });
    assert.equal(asked(state, `DELETE /api/v1/providers/${state.providers[0].id}`).length, 1);
  },
);

scenario(
  'a form whose change waits closes, and one that stays does not say it was saved',
  async ({ page, state, proposals }) => {
    proposals.ask(/^POST \/api\/v1\/tokens/, { action: 'token.create', values: { name: 'Script' } });
    proposals.ask(/^PATCH \/api\/v1\/me/, { action: 'user.update', values: { display_name: 'Ada L.' } });
    await page.goto('/settings/tokens');
    await button(page, 'New token').click();
    await page.getByRole('textbox', { name: 'Name' }).fill('Script');
    await button(page, 'Create token').click();
    const told = page.getByRole('complementary', { name: 'Waiting for approval' });
    await told.getByText('Create API token: Script').waitFor();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    assert.equal(state.tokens.length, 1);
    await button(page, 'Dismiss').click();
    await told.waitFor({ state: 'detached' });
    await page.goto('/settings/account');
    await page.getByRole('textbox', { name: /name/i }).first().fill('Ada L.');
    await button(page, 'Save').first().click();
    await told.getByText('Change account').waitFor();
    assert.equal(await page.getByText('Saved', { exact: true }).count(), 0);
    assert.equal(await page.getByRole('alert').count(), 0);
  },
);

scenario(
  'the list says what waits for whom, and the count follows what happens',
  async ({ page, state, form, proposals }) => {
    await page.goto('/proposals');
    const waiting = row(page, 'Delete provider: Shared');
    await waiting.getByText('Waits for approval').waitFor();
    assert.match(await waiting.textContent(), /grace.*12 min.*needs 1\s×\sadministrator/);
    assert.equal(await page.locator('.rows li').count(), 2);
    const link = page.getByRole('link', { name: /^Proposals,? 2 waiting for you$/ });
    await link.first().waitFor();
    await until('the page to follow', () => state.followers.size > 0);
    const more = proposals.add({
      action: 'webhook.create',
      resource_kind: 'webhook',
      values: { name: 'Siren' },
    });
    state.evidence.append({ actor: 'user_2', action: 'proposal.create', kind: 'proposal', id: more.id });
    await row(page, 'Add webhook: Siren').waitFor();
    await page
      .getByRole('link', { name: /^Proposals,? 3 waiting for you$/ })
      .first()
      .waitFor();
    await page.getByText('Yours', { exact: true }).click();
    await row(page, 'Change access rules').getByText('Waits for approval').waitFor();
    assert.equal(await page.locator('.rows li').count(), 2);
    await page.getByText('All', { exact: true }).click();
    await row(page, 'Change role: alan').getByText('Rejected').waitFor();
    await row(page, 'Change role: alan').getByText('Alan leaves at the end of the month.').waitFor();
    await row(page, 'Add provider: Local models').getByText('Failed').waitFor();
    await row(page, 'Change installation').getByText('Expired').waitFor();
    await row(page, 'Create API token: Nightly import').getByText('Done').waitFor();
    assert.equal(new URL(page.url()).search, '?tab=all');
    // On phones the way there is in the header and the strip.
    if (form === 'phone') await page.locator('.settings-tabs').getByText('Proposals').waitFor();
  },
);

scenario('where nothing waits, the page says what would', async ({ page, proposals }) => {
  proposals.list.length = 0;
  await page.goto('/proposals');
  await page.getByText('Nothing waits for you').waitFor();
  await page.getByText('Changes of others that need your approval appear here').waitFor();
  await page.getByText('Yours', { exact: true }).click();
  await page.getByText('When an access rule asks for approval').waitFor();
});

scenario('one approves what one saw, with a comment, and sees it run', async ({ page, state, proposals }) => {
  const one = nameOf(proposals, 'provider.delete');
  await page.goto(`/proposals/${one.id}`);
  await page.getByRole('heading', { name: 'Delete provider: Shared' }).waitFor();
  const values = page.locator('.proposal-values');
  assert.match(await values.textContent(), /name.*Shared.*address.*https:\/\/models\.example\.org\/v1/);
  // A call without a body is all there is to say of what was asked for.
  const asking = page.locator('.proposal-asked');
  assert.equal(await asking.textContent(), `DELETE/api/v1/providers/${one.resource_id}`);
  await page.getByRole('link', { name: 'Ada', exact: true }).waitFor();
  await page.getByText('0 of 1 administrator').waitFor();
  await page.getByText('ask-an-admin').waitFor();
  await button(page, 'Approve').click();
  const dialog = page.getByRole('dialog', { name: 'Approve this change?' });
  await dialog.getByRole('textbox', { name: 'Comment' }).fill('nobody uses it');
  await dialog.getByRole('button', { name: 'Approve' }).click();
  await page.locator('.proposal-state').getByText('Being carried out').waitFor();
  await page.getByText('1 of 1 administrator').waitFor();
  await page.getByText('nobody uses it').waitFor();
  assert.deepEqual(asked(state, `POST /api/v1/proposals/${one.id}/approve`)[0].body, {
    digest: one.digest,
    comment: 'nobody uses it',
  });
  assert.equal(await button(page, 'Approve').count(), 0);
  proposals.finish(one, 'done');
  settled(state, one);
  await page.locator('.proposal-state').getByText('Done').waitFor();
});

scenario('an approver reads exactly what was asked for', async ({ page, proposals }) => {
  const LONG = Array.from({ length: 60 }, (_, i) => `Rule ${i} of the house.`).join('\n');
  const one = proposals.add({
    action: 'provider.create',
    values: { name: 'Local', about_me: LONG, expires_at: '2027-01-23T02:00:00Z' },
    fresh: ['expires_at'],
    request: {
      method: 'POST',
      address: '/api/v1/providers?of=somebody',
      body: {
        about_me: LONG,
        base_url: 'http://models.internal:8080/v1',
        disk_bytes: 5_000_000_000,
        models: ['qwen3', 'gemma'],
        name: 'Lo\u202ecal',
        odd_one: '',
        shared: true,
        tools: { web: true, keys: [null] },
        wire: null,
      },
      secrets: ['/api_key', '/tools/keys/0', '/tools/pass'],
    },
  });
  await page.goto(`/proposals/${one.id}`);
  const region = page.locator('.proposal-asked');
  await region.getByText('/api/v1/providers?of=somebody').waitFor();
  const rows = await region.locator('dl > div').evaluateAll((all) =>
    all.map((row) => {
      const [name, value] = [row.querySelector('dt').textContent, row.querySelector('dd').innerText];
      return [name, value.replaceAll(/\s+/g, ' ').trim()];
    }),
  );
  assert.deepEqual(rows.slice(0, 8), [
    ['address', 'http://models.internal:8080/v1'],
    ['disk', '5000000000 5 GB'],
    ['models', 'qwen3 gemma'],
    ['name', 'LoU+202Ecal'],
    ['odd one', 'empty text'],
    ['for everybody', 'true'],
    ['protocol', 'no value'],
    ['API key', 'given, not shown'],
  ]);
  assert.deepEqual(
    rows.slice(8).map(([name]) => name),
    ['about the person', 'tools'],
  );
  assert.match(rows[8][1], /^Rule 0 .* Rule 59 of the house\. Show all of it$/);
  assert.equal(rows[9][1], '{ "web": true, "keys": [ given, not shown ], "pass": given, not shown }');
  // A long text has its bounds, until one wants all of it.
  const long = region.locator('pre').first();
  const height = () => long.evaluate((pre) => [pre.clientHeight <= 400, pre.scrollHeight > pre.clientHeight]);
  assert.deepEqual(await height(), [true, true]);
  await region.getByRole('button', { name: 'Show all of it' }).click();
  await region.getByRole('button', { name: 'Show less' }).waitFor();
  assert.deepEqual(await height(), [false, false]);
  await region.getByRole('button', { name: 'Show less' }).click();
  // What it would do says the long text once, and which value will be another.
  const values = page.locator('.proposal-values');
  await values.getByText('as asked for').waitFor();
  const ends = values.locator('div').filter({ hasText: '2027-01-23' }).first();
  await ends.getByText('made anew when it is carried out').waitFor();
  one.now = { values: { ...one.simulation.values, name: 'Other', expires_at: '2027-01-24T02:00:00Z' } };
  await button(page, 'Check again').click();
  await page.getByText('It would do something else now').waitFor();
  assert.deepEqual(await page.locator('.proposal-differences dt').allTextContents(), ['name']);
});

scenario('a second browser sees it run, also while nothing is told', async ({ page, state, proposals }) => {
  const one = nameOf(proposals, 'provider.delete');
  await page.goto(`/proposals/${one.id}`);
  await button(page, 'Approve').waitFor();
  await until('the page to follow', () => state.followers.size > 0);
  proposals.vote(one, { id: 'user_4', username: 'hedy' }, 'admin', 'approve', 'fine');
  state.evidence.append({ actor: 'user_4', action: 'proposal.approve', kind: 'proposal', id: one.id });
  await page.locator('.proposal-state').getByText('Being carried out').waitFor();
  await page.getByText('hedy').waitFor();
  // Its end is told to nobody; the page asks.
  proposals.finish(one, 'failed', { reason: 'the provider is gone' });
  const alert = page.getByRole('alert').filter({ hasText: 'It could not be carried out' });
  await alert.getByText('The provider is gone.').waitFor();
});

scenario('another proposal than was seen is not approved', async ({ page, proposals }) => {
  const one = nameOf(proposals, 'provider.delete');
  await page.goto(`/proposals/${one.id}`);
  await button(page, 'Approve').click();
  one.digest = 'f'.repeat(64);
  one.simulation.values.base_url = 'https://other.example.org/v1';
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Approve' }).click();
  const told = page.getByRole('alert').filter({ hasText: 'It changed while you looked at it' });
  await told.getByText('This is not what you saw.').waitFor();
  await page.getByText('https://other.example.org/v1').waitFor();
  await dialog.waitFor({ state: 'detached' });
  assert.equal(one.votes.length, 0);
  await button(page, 'Approve').click();
  await dialog.getByRole('button', { name: 'Approve' }).click();
  await page.locator('.proposal-state').getByText('Being carried out').waitFor();
  assert.equal(await told.count(), 0);
  proposals.finish(one, 'done');
  await page.locator('.proposal-state').getByText('Done').waitFor();
});

scenario('a rejection says why', async ({ page, state, proposals }) => {
  const one = nameOf(proposals, 'provider.delete');
  await page.goto(`/proposals/${one.id}`);
  await button(page, 'Reject').click();
  const dialog = page.getByRole('dialog', { name: 'Reject this change?' });
  await dialog.getByRole('textbox', { name: 'Why' }).fill('   ');
  await dialog.getByRole('button', { name: 'Reject' }).click();
  await dialog.getByText('Say why.').waitFor();
  assert.equal(asked(state, `POST /api/v1/proposals/${one.id}/reject`).length, 0);
  await dialog.getByRole('textbox', { name: 'Why' }).fill('it is still needed');
  await dialog.getByRole('button', { name: 'Reject' }).click();
  await page.locator('.proposal-state').getByText('Rejected').waitFor();
  await page.getByText('it is still needed').waitFor();
  assert.equal(await button(page, 'Approve').count(), 0);
  await page
    .getByRole('link', { name: /^Proposals,? 1 waiting for you$/ })
    .first()
    .waitFor();
});

scenario('who asked withdraws, and does not approve', async ({ page, proposals }) => {
  const one = nameOf(proposals, 'policy.update');
  await page.goto(`/proposals/${one.id}`);
  await page.getByText('1 of 2 administrators').waitFor();
  await page.getByText('1 of 3 auditors').waitFor();
  await page.getByText('I tried them on last week').waitFor();
  assert.equal(await button(page, 'Approve').count(), 0);
  await button(page, 'Withdraw').click();
  await page.getByRole('dialog').getByRole('button', { name: 'Withdraw' }).click();
  await page.locator('.proposal-state').getByText('Withdrawn').waitFor();
  assert.equal(one.state, 'withdrawn');
});

scenario('what a change answered is fetched once', async ({ page, state, proposals }) => {
  const one = nameOf(proposals, 'token.create');
  await page.goto(`/proposals/${one.id}`);
  await page.getByText('It is kept for you until you fetch it, once.').waitFor();
  await button(page, 'Fetch the answer').click();
  const dialog = page.getByRole('dialog', { name: 'What the change answered' });
  await dialog.getByText('It is shown only this once.').waitFor();
  assert.equal(await dialog.getByTestId('secret').textContent(), SECRET);
  await dialog.getByRole('button', { name: 'Copy', exact: true }).waitFor();
  await dialog.getByText('The whole answer').click();
  await dialog.getByText('"Nightly import"').waitFor();
  assert.deepEqual(await audit(page), []);
  // A stray key does not throw it away.
  await page.keyboard.press('Escape');
  await dialog.getByRole('button', { name: 'I have saved it' }).click();
  await dialog.waitFor({ state: 'detached' });
  await button(page, 'Fetch the answer').waitFor({ state: 'detached' });
  assert.equal(asked(state, `POST /api/v1/proposals/${one.id}/collect`).length, 1);
  assert.equal((await page.content()).includes(SECRET), false);
});

scenario('of what is private to somebody else nothing is shown', async ({ page, proposals }) => {
  const one = nameOf(proposals, 'profile.update');
  await page.goto('/proposals');
  await row(page, 'Change agent settings').getByText('private').waitFor();
  await page.goto(`/proposals/${one.id}`);
  await page.getByText('This is private to grace').waitFor();
  assert.equal((await page.content()).includes('payroll'), false);
  assert.equal(await page.locator('.proposal-asked').count(), 0);
  assert.equal((await page.content()).includes('/api/v1/profile'), false);
  assert.equal(await button(page, 'Check again').count(), 0);
  await button(page, 'Approve').waitFor();
});

scenario('checked again, it says whether it still holds and what differs', async ({ page, proposals }) => {
  const one = nameOf(proposals, 'provider.delete');
  await page.goto(`/proposals/${one.id}`);
  await button(page, 'Check again').click();
  await page.getByText('It still holds').waitFor();
  one.now = { values: { ...one.simulation.values, base_url: 'https://new.example.org/v1' }, instances: [] };
  await button(page, 'Check again').click();
  await page.getByText('It would do something else now').waitFor();
  const found = page.locator('.proposal-differences');
  assert.equal(await found.locator('dt').count(), 2);
  assert.match(await found.locator('[data-sign="-"]').first().textContent(), /models\.example\.org/);
  assert.match(await found.locator('[data-sign="+"]').first().textContent(), /new\.example\.org/);
  assert.deepEqual(await audit(page), []);
  one.now = { problem: 'there is no such provider' };
  await button(page, 'Check again').click();
  await page.getByText('It could not be carried out now').waitFor();
  await page.getByText('There is no such provider.').waitFor();
});

scenario('a member sees what they asked for', async ({ page, state, proposals }) => {
  state.me.role = 'member';
  state.me.permissions = [];
  proposals.list.length = 0;
  const one = proposals.add({ requester: ADA, values: { name: 'Shared' } });
  await page.goto('/proposals?tab=mine');
  await row(page, 'Delete provider: Shared').getByText('You').waitFor();
  await page.getByRole('link', { name: /Delete provider: Shared/ }).click();
  await button(page, 'Withdraw').waitFor();
  assert.equal(await page.getByRole('link', { name: 'In the log' }).count(), 0);
  assert.equal(await page.getByRole('link', { name: 'Access rules' }).count(), 0);
  assert.equal(one.state, 'open');
});
