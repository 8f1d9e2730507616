// Access rules, as an owner writes, tries and asks them, in a real browser against the scripted server.
import { strict as assert } from 'node:assert';
import { after, before, test } from 'node:test';
import { audit, DESKTOP, launch, open, PHONE } from './browser.mjs';
import { until } from './house.mjs';
import { startMock } from './mock.mjs';
import { NO_MEMBERS, TWO_OWNERS } from './rules.mjs';

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
        await body({ ...view, rules: mock.state.rules, state: mock.state });
        assert.deepEqual(await audit(view.page), []);
        assert.deepEqual(view.problems, []);
      } finally {
        await view.context.close();
        await mock.close();
      }
    });
  }
}

const text = (page) => page.getByRole('textbox', { name: 'Your rules, in Cedar' });
const list = (page) => page.getByRole('textbox', { name: 'List of tests' });
const force = (page) => page.getByRole('button', { name: 'Put in force' });
/** The line the caret is in. */
const line = (area) => area.evaluate((one) => one.value.slice(0, one.selectionStart).split('\n').length);

scenario('a finding stands at its line, and leads there', async ({ page }) => {
  await page.goto('/settings/rules');
  await text(page).fill(NO_MEMBERS.replace('principal.role', 'principal.rol'));
  const finding = page.getByRole('button', { name: /Line 3, character 30/ });
  await finding.waitFor();
  assert.match(await finding.textContent(), /not found.*did you mean/i);
  assert.equal(await page.locator('.code-gutter [data-mark="error"]').first().textContent(), '3');
  assert.equal(await force(page).isDisabled(), true);
  await page.getByText('The text has 1 error.').waitFor();
  await finding.click();
  assert.equal(await line(text(page)), 3);
  // A warning keeps nobody from it.
  await text(page).fill(NO_MEMBERS.replace('principal has role', 'false'));
  await page.getByRole('img', { name: 'Warning' }).waitFor();
  await page.getByText('1 rule, sound').waitFor();
});

scenario('a test that fails keeps rules from being in force', async ({ page }) => {
  await page.goto('/settings/rules');
  await page.getByText('All 2 get their answers').waitFor();
  await text(page).fill(TWO_OWNERS);
  const failed = page.getByRole('button', { name: /members ask for agents/ });
  await failed.getByText('got').waitFor();
  assert.match(await failed.textContent(), /Expected\s*Refused\s*got\s*Allowed\s*own/);
  await page.getByText('1 test does not get its answer.').waitFor();
  assert.equal(await force(page).isDisabled(), true);
  await failed.click();
  assert.equal(await line(list(page)), 2);
  await list(page).fill('[\n  {"name": }\n]');
  await page.getByRole('button', { name: /Line 2.*no list in JSON/ }).waitFor();
  assert.equal(await force(page).isDisabled(), true);
  await list(page).fill(
    '[{"name": "x", "expect": "deny", "request": {"actor": {}, "action": "fly", "resource": {"kind": "instance"}}}]',
  );
  await page.getByRole('button', { name: /Test 1.*there is no such action/ }).waitFor();
});

scenario('rules are tried on what was decided, and put in force', async ({ page, rules, state }) => {
  await page.goto('/settings/rules');
  await text(page).fill(`${NO_MEMBERS}\n${TWO_OWNERS.replace('keys-need-two', 'two-for-keys')}`);
  await page.getByRole('button', { name: 'Try on what was decided' }).click();
  await page.getByText('Asked again: 228 decisions').waitFor();
  const changes = page.getByRole('region', { name: 'Decisions that would come out otherwise' });
  assert.match(
    await changes.getByRole('row').filter({ hasText: 'instance.create' }).first().textContent(),
    /grace.*14/,
  );
  assert.match(
    await changes.getByRole('row').filter({ hasText: 'key.export' }).textContent(),
    /Waits for approval/,
  );
  await page.getByRole('textbox', { name: 'Why' }).fill('a clearer name');
  await page.getByText('Becomes version 3').waitFor();
  // Through a reload nothing is lost.
  await page.reload();
  await page.getByText('Becomes version 3').waitFor();
  await force(page).click();
  await page.getByText('Version 3 is in force').waitFor();
  assert.equal(rules.versions.length, 3);
  assert.equal(rules.versions[2].comment, 'a clearer name');
  assert.equal(rules.versions[2].tests.length, 2);
  await page.getByText('Version 3, in force').waitFor();
  await page.getByRole('tab', { name: 'Versions' }).click();
  await page.getByRole('button', { name: /Version 3.*in force.*a clearer name.*ada/ }).click();
  assert.match(await page.locator('.diff [data-sign="-"]').textContent(), /keys-need-two/);
  assert.match(await page.locator('.diff [data-sign="+"]').textContent(), /two-for-keys/);
  // The frame follows what happens in the log.
  assert.equal(state.log.filter((one) => one.key === 'PUT /api/v1/policy').length, 1);
});

scenario('what locks its author out is refused beside the text', async ({ page }) => {
  await page.goto('/settings/rules');
  await text(page).fill(NO_MEMBERS.replace('instance.create', 'policy.update'));
  await list(page).fill('');
  await force(page).click();
  await page.locator('.findings').getByText('Would lock you out').waitFor();
});

scenario('another version meanwhile is explained, and no text is lost', async ({ page, rules }) => {
  await page.goto('/settings/rules');
  const mine = `${NO_MEMBERS}\n${TWO_OWNERS}\n// mine\n`;
  await text(page).fill(mine);
  await page.getByText('Becomes version 3').waitFor();
  rules.put(`${NO_MEMBERS}// theirs\n`, [], 'without the second', { id: 'user_2', username: 'grace' });
  await force(page).click();
  const told = page.getByRole('alert').filter({ hasText: 'Version 3 was put in force meanwhile' });
  await told.getByText('without the second').waitFor();
  assert.equal(await text(page).inputValue(), mine);
  assert.equal(await force(page).isDisabled(), true);
  await told.getByText('What version 3 changed').click();
  await told.getByText('// theirs').waitFor();
  // Nothing of it is cut off, however long the lines of the rules are.
  const cut = await told.evaluate((one) => one.scrollWidth - one.clientWidth);
  assert.ok(cut <= 0, `${cut} px are cut off`);
  await told.getByRole('button', { name: 'Load version 3' }).click();
  await page.getByText('Version 3, in force').waitFor();
  assert.match(await text(page).inputValue(), /theirs/);
  await page.getByRole('button', { name: 'Bring it back' }).click();
  assert.equal(await text(page).inputValue(), mine);
  await told.getByRole('button', { name: 'Go on with mine' }).click();
  await page.getByText('Becomes version 4').waitFor();
  await force(page).click();
  await page.getByText('Version 4 is in force').waitFor();
  assert.equal(rules.versions.at(-1).text, mine);
});

scenario('an earlier text is used again, and the built-in rules are a way back', async ({ page, rules }) => {
  await page.goto('/settings/rules?tab=versions');
  await page.getByRole('button', { name: /Version 1/ }).click();
  await page.getByText('Against the built-in rules alone').waitFor();
  await page.getByRole('button', { name: 'Use this text again' }).click();
  assert.equal(await text(page).inputValue(), NO_MEMBERS);
  assert.equal(await page.getByRole('textbox', { name: 'Why' }).inputValue(), 'As in version 1');
  await page.getByRole('button', { name: 'Undo my changes' }).click();
  await page.getByRole('button', { name: 'Go back' }).click();
  const dialog = page.getByRole('dialog', { name: 'Go back to the built-in rules?' });
  await dialog.getByRole('button', { name: 'Go back' }).click();
  await page.getByText('Version 3 is in force').waitFor();
  await page.getByText('Only the built-in rules').waitFor();
  assert.equal(rules.versions.at(-1).text, '');
});

scenario('one asks the rules, and keeps the answer as a test', async ({ page, rules }) => {
  await page.goto('/settings/rules?tab=ask');
  const answer = page.getByRole('region', { name: 'Answer' });
  await answer.getByText('Refused').waitFor();
  await answer.getByText('no rule permits it').waitFor();
  await page.getByRole('combobox', { name: 'Action' }).fill('chat.read');
  await page.getByRole('option', { name: 'chat.read' }).click();
  await answer.getByText('Nobody but its owner gets at what is private').waitFor();
  await page.getByText('Their own', { exact: true }).click();
  await answer.getByText('Allowed').waitFor();
  await page.getByRole('combobox', { name: 'Action' }).fill('key.export');
  await page.getByRole('option', { name: 'key.export' }).click();
  await answer.getByText('Waits for approval').waitFor();
  await answer.getByText('keys-need-two').waitFor();
  await answer.getByRole('button', { name: 'Keep as a test' }).click();
  await page.getByText('All 3 get their answers').waitFor();
  await force(page).click();
  await page.getByText('Version 3 is in force').waitFor();
  assert.equal(rules.versions.at(-1).tests[2].expect, 'needs_approval');
});

scenario('members see none of it, auditors read only', async ({ page, state }) => {
  const all = state.me.permissions;
  state.me.permissions = all.filter((one) => one === 'policy.view' || !one.startsWith('policy.'));
  await page.goto('/settings/rules');
  await page.getByText('Version 2, in force').waitFor();
  assert.equal(await text(page).getAttribute('readonly'), '');
  assert.equal(await force(page).count(), 0);
  assert.equal(await page.getByRole('button', { name: 'Go back' }).count(), 0);
  state.me.permissions = all.filter((one) => !one.startsWith('policy.'));
  await page.reload();
  await page.getByRole('heading', { name: 'Nothing is here' }).waitFor();
  assert.equal(await page.getByRole('link', { name: 'Access rules' }).count(), 0);
  await until('nothing to be asked', () => !state.log.slice(-5).some((one) => one.key.includes('policy/')));
});

scenario('the built-in rules say what they do, and show their text when asked', async ({ page }) => {
  await page.goto('/settings/rules?tab=builtin');
  const rule = page.getByRole('listitem').filter({ hasText: 'admin-lifecycle' });
  await rule.getByText('Permits').waitFor();
  await rule.locator('summary').click();
  await rule.getByText('Action::').first().waitFor();
  await page.getByRole('listitem').filter({ hasText: 'privacy' }).getByText('Forbids').waitFor();
});
