// Every page on phone and desktop, light and dark, in English and German: nothing that axe objects to, nothing wider than the screen, and
// a screenshot to look at.
import { strict as assert } from 'node:assert';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { audit, DESKTOP, launch, open, PHONE, SHOTS } from './browser.mjs';
import { until } from './house.mjs';
import { COLLECTOR } from './incidents.mjs';
import { SETUP_TOKEN, startMock } from './mock.mjs';
import { inState, OWN } from './operations.mjs';
import { nameOf } from './proposals.mjs';
import { NO_MEMBERS, TWO_OWNERS } from './rules.mjs';

const heading = (name) => (page) => page.getByRole('heading', { name, level: 1 }).waitFor();
/** A turn in the middle of something; the same in both languages. */
const turn = (script, ready) => async (page, state) => {
  state.script = script;
  await page.locator('#composer').fill('clean up the build folder and tell me what you found');
  await page.locator('#composer').press('Enter');
  await ready(page);
};
/** A proposal opened from the list, where its address is found. */
const proposal = (action, act) => [
  '/proposals?tab=all',
  async (page, state) => {
    await page.locator(`a[href$="${nameOf(state.proposals, action).id}"]`).click();
    await page.locator('.proposal-facts').waitFor();
    await act?.(page, state);
  },
  'act',
];
/** An operation of a state, opened from the list. */
const operation = (of, act) => [
  '/operations?tab=all',
  async (page, state) => {
    await page.locator(`a[href$="${inState(state.operations, of).id}"]`).click();
    await page.locator('.operation-facts').waitFor();
    await act?.(page, state);
  },
  'act',
];
/** An incident that a check found, opened from the list. */
const incident = (check, tab = '') => [
  `/incidents${tab}`,
  async (page, state) => {
    const wanted = tab ? 'resolved' : 'open';
    const { id } = state.incidents.list.find((one) => one.check === check && one.state === wanted);
    await page.locator(`a[href$="${id}"]`).click();
    await page.locator('.incident-facts').waitFor();
  },
  'act',
];
const PAGES = [
  ['chat-new', '/', (page) => page.getByText('Hello Ada').waitFor()],
  [
    'chat',
    '/?session=chat-0',
    async (page) => {
      await page.locator('.hljs-keyword').first().waitFor();
      await page.locator('details.tools summary').first().click();
    },
  ],
  ['chat-working', '/', turn('working', (page) => page.locator('.growing strong').waitFor()), 'act'],
  ['chat-asking', '/', turn('ask', (page) => page.locator('.ask').waitFor()), 'act'],
  ['chat-failed', '/', turn('error', (page) => page.getByRole('alert').waitFor()), 'act'],
  ['chat-waking', '/', turn('asleep', (page) => page.locator('.turn-status').waitFor()), 'act'],
  ['chat-installing', '/', turn('installing', (page) => page.getByText('120').waitFor()), 'act'],
  ['chat-wide', '/?session=chat-1', (page) => page.getByRole('table').waitFor()],
  ['instances', '/instances?all', (page) => page.getByText('Grace').first().waitFor()],
  ['instance', '/instances/inst_01k9w3v5x7q2m4n6', (page) => page.locator('polyline').nth(1).waitFor()],
  [
    'instance-disk',
    '/instances/inst_01k9w3v5x7almost',
    (page) => page.getByText('Its disk is almost full').waitFor(),
  ],
  [
    'instance-timeline',
    '/instances/inst_01k9w3v5x7q2m4n6?tab=timeline',
    (page) => page.locator('.timeline li').first().waitFor(),
  ],
  [
    'instance-logs',
    '/instances/inst_01k9w3v5x7q2m4n6?tab=logs',
    (page) => page.locator('.log-line').nth(20).waitFor(),
  ],
  ['evidence', '/evidence', (page) => page.locator('a.entry').nth(20).waitFor()],
  [
    'evidence-none',
    '/evidence?action=engine.install',
    (page) => page.getByText('No entry matches').waitFor(),
  ],
  [
    'evidence-entry',
    '/evidence?seq=62',
    async (page) => {
      await page.getByRole('button', { name: /^(Verify|Prüfen)$/ }).click();
      await page.locator('.checks li').nth(5).waitFor();
      await page.locator('.checks li').nth(5).scrollIntoViewIfNeeded();
    },
    'act',
  ],
  ['evidence-private', '/evidence?seq=66', (page) => page.getByText('Only a commitment').first().waitFor()],
  [
    'evidence-alarm',
    '/evidence',
    async (page, state) => {
      await page.locator('.head-card:not(.witness-card)').waitFor();
      state.evidence.rekey();
      await page.reload();
      await page.getByRole('alert').waitFor();
    },
    'act',
  ],
  [
    'evidence-live',
    '/evidence',
    async (page, state) => {
      await page.locator('a.entry').first().waitFor();
      await until('the page to follow', () => state.followers.size > 0);
      for (const outcome of ['starting', 'ready'])
        state.evidence.append({ action: 'instance.seen', kind: 'instance', outcome });
      await page.locator('.waiting button').waitFor();
    },
    'act',
  ],
  [
    'evidence-witnesses',
    '/evidence?witnesses',
    (page) => page.getByText('It answered 503 Service Unavailable.').waitFor(),
  ],
  [
    'evidence-witnesses-alarm',
    '/evidence',
    async (page, state) => {
      Object.assign(state.witnesses.witnesses[0], {
        state: 'conflict',
        last_error: 'it has cosigned another history of 40 entries: this log was rewritten',
      });
      await page.reload();
      await page.locator('.alarm').waitFor();
    },
    'act',
  ],
  [
    'evidence-witnesses-new',
    '/evidence?witnesses',
    async (page) => {
      await page.locator('.mantine-Drawer-body .rows + div button').click();
      await page.locator('form input[name=key]').waitFor();
    },
    'act',
  ],
  ['evidence-proof', '/evidence?proof', (page) => page.locator('.proof-block').first().waitFor()],
  ['proposals', '/proposals', (page) => page.getByText('Delete provider: Shared').waitFor()],
  ['proposals-all', '/proposals?tab=all', (page) => page.getByText('Expired').waitFor()],
  [
    'proposals-none',
    '/proposals',
    async (page, state) => {
      state.proposals.list.length = 0;
      await page.reload();
      await page.locator('.empty').waitFor();
    },
    'act',
  ],
  ['proposal', ...proposal('provider.delete')],
  [
    'proposal-changed',
    ...proposal('provider.delete', async (page, state) => {
      const one = nameOf(state.proposals, 'provider.delete');
      one.now = { values: { ...one.simulation.values, name: 'Shared models' }, instances: [] };
      await page.locator('.section-head button').first().click();
      await page.locator('.proposal-differences').waitFor();
    }),
  ],
  [
    'proposal-approving',
    ...proposal('provider.delete', async (page) => {
      await page.getByRole('button', { name: /^(Approve|Genehmigen)$/ }).click();
      await page.getByRole('dialog').getByRole('textbox').fill('nobody uses it any more');
    }),
  ],
  ['proposal-own', ...proposal('policy.update')],
  ['proposal-private', ...proposal('profile.update')],
  ['proposal-failed', ...proposal('provider.create')],
  [
    'proposal-answer',
    ...proposal('token.create', async (page) => {
      await page.getByRole('button', { name: /^(Fetch the answer|Antwort abholen)$/ }).click();
      await page.getByTestId('secret').waitFor();
    }),
  ],
  [
    'proposal-waits',
    '/settings/providers',
    async (page, state) => {
      state.proposals.ask(/^DELETE \/api\/v1\/providers\//, { values: { name: 'Demo', type: 'demo' } });
      await page.locator('section.card').first().getByRole('button').last().click();
      await page.getByRole('dialog').getByRole('button').last().click();
      await page.locator('.waits').waitFor();
      await page.getByRole('dialog').waitFor({ state: 'detached' });
    },
    'act',
  ],
  ['operations', '/operations', (page) => page.locator('.operation-row').nth(4).waitFor()],
  ['operations-all', '/operations?tab=all', (page) => page.getByText('All 4 steps done').waitFor()],
  [
    'operations-none',
    '/operations?tab=stuck',
    async (page, state) => {
      state.operations.list.length = 0;
      await page.reload();
      await page.locator('.empty').waitFor();
    },
    'act',
  ],
  ['operation-pending', ...operation('pending')],
  ['operation-running', ...operation('running')],
  ['operation-undoing', ...operation('undoing')],
  ['operation-stuck', ...operation('stuck')],
  [
    'operation-skipping',
    ...operation('stuck', async (page) => {
      await page.getByRole('button', { name: /^(Skip step|Schritt überspringen)$/ }).click();
      await page.getByRole('dialog').getByRole('button').last().waitFor();
    }),
  ],
  [
    'operation-done',
    ...operation('done', async (page) => {
      await page.locator('.operation-output summary').first().click();
    }),
  ],
  ['operation-undone', ...operation('undone')],
  [
    'operation-key',
    '/operations?tab=all',
    async (page, state) => {
      const { id } = state.operations.rotate(4, state.operations.list[0].by);
      await page.reload();
      await page.locator(`a[href$="${id}"]`).click();
      await page.locator('.operation-facts').waitFor();
    },
    'act',
  ],
  ['operation-gone', '/operations/op_01k9w3v5x7nowhere', (page) => page.getByText('is not here').waitFor()],
  [
    'instance-operated',
    `/instances/${OWN}`,
    async (page, state) => {
      state.instances[0].operation_id = inState(state.operations, 'running').id;
      await page.reload();
      await page.locator('.operation-working').getByText('3').waitFor();
    },
    'act',
  ],
  [
    'instance-engine',
    `/instances/${OWN}`,
    async (page) => {
      await page.getByRole('button', { name: /^(More actions|Weitere Aktionen)$/ }).click();
      await page.getByRole('menuitem', { name: /^(Change engine|Engine wechseln)$/ }).click();
      await page.getByRole('combobox').waitFor();
    },
    'act',
  ],
  ['incidents', '/incidents', (page) => page.locator('.incident').nth(3).waitFor()],
  ['incidents-over', '/incidents?tab=resolved', (page) => page.locator('.incident').nth(1).waitFor()],
  [
    'incidents-none',
    '/incidents',
    async (page, state) => {
      state.incidents.list.length = 0;
      await page.reload();
      await page.locator('.empty time').waitFor();
    },
    'act',
  ],
  [
    'incidents-checks',
    '/incidents',
    async (page, state) => {
      const [disk, failed, jobs] = state.incidents.checks;
      Object.assign(disk, { error: 'the folder of the agents cannot be read: permission denied' });
      Object.assign(jobs, { looked_at: null });
      Object.assign(failed, { id: 'clock-skew', about: 'how far the clock is off' });
      state.incidents.list.length = 0;
      await page.reload();
      await page.locator('.incident-checks').scrollIntoViewIfNeeded();
      await page.getByText('clock-skew').waitFor();
    },
    'act',
  ],
  [
    'incidents-answering',
    '/incidents',
    async (page) => {
      await page
        .getByRole('button', { name: /^(I am on it|Ich kümmere mich)/ })
        .first()
        .click();
      await page.getByRole('dialog').getByRole('textbox').fill('I raise its limit');
    },
    'act',
  ],
  ['incident', ...incident('webhook-failing')],
  ['incident-over', ...incident('instance-failed', '?tab=resolved')],
  ['incident-gone', '/incidents/incd_01k9w3v5x7nowhere', (page) => page.getByText('is not here').waitFor()],
  [
    'instance-broken',
    `/instances/${COLLECTOR}`,
    (page) => page.getByText('Something is wrong with Collector').waitFor(),
  ],
  ['settings-agent', '/settings/agent', heading('Agent')],
  ['settings-providers', '/settings/providers', (page) => page.getByText('Anthropic').first().waitFor()],
  ['settings-providers-new', '/settings/providers?new', (page) => page.getByRole('radiogroup').waitFor()],
  ['settings-skills', '/settings/skills', (page) => page.getByText('Manage Trello').waitFor()],
  ['settings-usage', '/settings/usage', (page) => page.getByRole('table').waitFor()],
  ['settings-account', '/settings/account', heading('Account')],
  ['settings-sessions', '/settings/sessions', (page) => page.getByText('This one').waitFor()],
  ['settings-tokens', '/settings/tokens', (page) => page.getByText('Backup script').waitFor()],
  ['settings-people', '/settings/people', (page) => page.getByText('Alan').first().waitFor()],
  [
    'settings-people-erase',
    '/settings/people',
    async (page) => {
      await page.locator('.row button[aria-haspopup]').first().click();
      await page.getByRole('menuitem').nth(-2).click();
      await page.getByRole('dialog').waitFor();
    },
    'act',
  ],
  ['settings-sign-in', '/settings/sign-in', (page) => page.getByText('Company login').first().waitFor()],
  [
    'settings-sign-in-refused',
    '/settings/sign-in',
    async (page) => {
      await page
        .getByRole('button', { name: /^(Add|.* hinzufügen)/ })
        .first()
        .click();
      const form = page.getByRole('dialog');
      await form.locator('[name=name]').fill('Beside us');
      await form.locator('[name=issuer]').fill('http://192.168.1.7:9000');
      await form.locator('[name=client_id]').fill('fractal');
      await form.locator('[type=submit]').click();
      await form.locator('[aria-invalid=true]').waitFor();
    },
    'act',
  ],
  [
    'copy-by-hand',
    '/settings/sign-in',
    async (page) => {
      await page.evaluate(() => {
        delete Navigator.prototype.clipboard;
        document.execCommand = () => false;
      });
      await page.getByRole('button', { name: /^(Copy|Kopieren)$/ }).click();
      await page.getByRole('alert').waitFor();
    },
    'act',
  ],
  [
    'settings-installation',
    '/settings/installation',
    (page) => page.getByText('This machine').first().waitFor(),
  ],
  [
    'settings-installation-key',
    '/settings/installation',
    async (page) => {
      const card = page.locator('.section').last();
      await card.getByRole('button').click();
      await page.getByRole('dialog').getByRole('button').last().click();
      await card.getByRole('status').locator('code').waitFor();
      await card.locator('[data-tone=working]').waitFor();
      await card.scrollIntoViewIfNeeded();
    },
    'act',
  ],
  [
    'settings-installation-replacing',
    '/settings/installation',
    async (page) => {
      await page.locator('.section').last().getByRole('button').click();
      await page.getByRole('dialog').locator('code').waitFor();
    },
    'act',
  ],
  ['settings-rules', '/settings/rules', (page) => page.getByText('All 2 get their answers').waitFor()],
  [
    'settings-rules-wrong',
    '/settings/rules',
    async (page) => {
      await page
        .locator('textarea')
        .first()
        .fill(`${TWO_OWNERS}\n${NO_MEMBERS.replace('.role', '.rol')}`);
      await page.locator('.finding[data-severity=error]').first().waitFor();
    },
    'act',
  ],
  [
    'settings-rules-tried',
    '/settings/rules',
    async (page) => {
      await page.locator('textarea').first().fill(TWO_OWNERS);
      await page.locator('.finding[data-severity=error]').first().waitFor();
      await page.locator('.section-head button').last().click();
      await page.locator('.changes').scrollIntoViewIfNeeded();
      await page.locator('.force').scrollIntoViewIfNeeded();
    },
    'act',
  ],
  [
    'settings-rules-conflict',
    '/settings/rules',
    async (page, state) => {
      await page.locator('textarea').first().fill(NO_MEMBERS);
      await page.locator('textarea').nth(1).fill('');
      await page.locator('.force button[type=submit]:enabled').waitFor();
      state.rules.put(
        `${NO_MEMBERS}\n${TWO_OWNERS}// More to come.\n`,
        [],
        'a note',
        state.rules.versions[1].author,
      );
      await page.locator('.force button[type=submit]').click();
      await page.getByRole('alert').locator('summary').click();
    },
    'act',
  ],
  [
    'settings-rules-builtin',
    '/settings/rules?tab=builtin',
    (page) => page.getByText('privacy', { exact: true }).waitFor(),
  ],
  [
    'settings-rules-versions',
    '/settings/rules?tab=versions&version=2',
    (page) => page.locator('.diff').first().waitFor(),
  ],
  ['settings-rules-ask', '/settings/rules?tab=ask', (page) => page.locator('.answer').waitFor()],
  ['settings-webhooks', '/settings/webhooks', (page) => page.getByText('Old monitoring').waitFor()],
  [
    'settings-webhooks-none',
    '/settings/webhooks',
    async (page, state) => {
      state.webhooks.hooks.length = 0;
      await page.reload();
      await page.locator('.empty').waitFor();
    },
    'act',
  ],
  [
    'settings-webhooks-new',
    '/settings/webhooks?new',
    async (page) => {
      await page.getByRole('dialog').locator('.mantine-SegmentedControl-label').last().click();
      await page.getByRole('dialog').getByRole('combobox').click();
      await page.getByRole('option').nth(3).click();
      await page.keyboard.press('Escape');
    },
    'act',
  ],
  [
    'settings-webhook',
    '/settings/webhooks/hook_01k9w3v5x7q2m4n1',
    (page) => page.getByText('Works').waitFor(),
  ],
  [
    'settings-webhook-failing',
    '/settings/webhooks/hook_01k9w3v5x7q2m4n2',
    async (page) => {
      const given = page.locator('.delivery').nth(2);
      await given.locator('summary').click();
      await given.getByRole('button').last().waitFor();
    },
    'act',
  ],
  ['not-found', '/nowhere', (page) => page.getByText('Nothing is here').waitFor()],
  ['login', '/login', heading('Sign in'), 'out'],
  [
    'login-refused',
    '/login?return_to=/settings/tokens#error=sign-in-failed&reason=no-account',
    (page) => page.getByRole('alert').waitFor(),
    'out',
  ],
  ['invitation', '/invitation', heading('Welcome to Fractal'), 'out'],
  ['setup', `/setup#${SETUP_TOKEN}`, heading('Create your account'), 'fresh'],
];

/** The page itself in whichever language: its title, and none of the grey shapes that stand for it. */
async function settled(page) {
  await page.locator('h1').first().waitFor({ state: 'attached' });
  await page.waitForFunction(() => !document.querySelector('.mantine-Skeleton-root, [aria-busy=true]'));
}

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

// Every two of width, scheme and language meet in one of these four: what breaks a page is one of them, or two together.
const FORMS = [
  ['desktop-light', { size: DESKTOP }],
  ['phone-dark', { size: PHONE, scheme: 'dark' }],
  ['desktop-dark-de', { size: DESKTOP, scheme: 'dark', locale: 'de-AT' }],
  ['phone-light-de', { size: PHONE, locale: 'de-AT' }],
];

for (const [form, view] of FORMS) {
  for (const [name, path, ready, kind] of PAGES) {
    test(`${name} is accessible and fits, ${form}`, async () => {
      const mock = await startMock({ fresh: kind === 'fresh' });
      if (kind === 'out') mock.state.signedIn = false;
      const { page, context, problems } = await open(browser, mock.url, view);
      try {
        await page.goto(path);
        if (view.locale) await settled(page);
        if (!view.locale || kind === 'act') await ready(page, mock.state);
        await page.evaluate(() => document.fonts.ready);
        assert.equal(await page.locator('html').getAttribute('lang'), view.locale ? 'de' : 'en');
        await page.screenshot({ path: join(SHOTS, `${name}-${form}.png`) });
        assert.deepEqual(await audit(page), []);
        const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        assert.ok(over <= 0, `${over} px wider than the screen`);
        assert.deepEqual(problems, []);
      } finally {
        await context.close();
        await mock.close();
      }
    });
  }
}
