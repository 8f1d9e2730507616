// One conversation in several tabs of a browser: all show the same answer as it grows, and a stop in one ends it in all.
import { strict as assert } from 'node:assert';
import { openTab } from './browser.mjs';
import { finished, lastAnswer, PATIENCE, say } from './steps.mjs';

const words = (page) => lastAnswer(page).locator('.markdown').innerText();
const plain = (text) => text.replace(/\s+/g, ' ').trim();

/** All show these words as the newest, and not one more. */
async function allShow(tabs, last) {
  for (const tab of tabs) await lastAnswer(tab).getByText(`word${last}`).waitFor({ timeout: PATIENCE });
  const said = Array.from({ length: last }, (_, i) => `word${i + 1}`).join(' ');
  for (const tab of tabs) assert.equal(plain(await words(tab)), said);
}

/** Opens the conversation of a page beside it. A browser without a screen shows every tab, as windows side by side are shown. */
async function openBeside({ page, context, house, problems }) {
  const other = await openTab(context, [house.url], problems);
  await other.goto(page.url());
  return other;
}

/** As another tab in front of it would do. */
async function setHidden(page, hidden) {
  await page.evaluate((value) => {
    Object.defineProperty(document, 'hidden', { configurable: true, value });
    Object.defineProperty(document, 'visibilityState', {
      configurable: true,
      value: value ? 'hidden' : 'visible',
    });
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
  }, hidden);
}

/** Four windows side by side in the middle of an answer: streams of their own would be more than a browser opens to one host. */
export async function watchInManyTabs(scene) {
  const { page, model } = scene;
  // The model stops for breath where the tabs are compared: an answer that runs on is never read twice alike.
  Object.assign(model.state, { pause: 20, words: 24, most: 6 });
  await page.goto('/');
  await say(page, 'tell it to both');
  await lastAnswer(page).getByText('word6').waitFor({ timeout: PATIENCE });
  const others = [];
  try {
    for (let n = 0; n < 3; n += 1) others.push(await openBeside(scene));
    const tabs = [page, ...others];
    await allShow(tabs, 6);
    // Who did not ask sees the question while the answer is on its way.
    for (const tab of tabs) {
      const asked = tab.locator('.bubble').getByText('tell it to both', { exact: true });
      await asked.waitFor();
      assert.equal(await asked.count(), 1);
    }
    model.state.most = 12;
    await allShow(tabs, 12);
    model.state.most = Number.POSITIVE_INFINITY;
    await Promise.all(tabs.map(finished));
    await allShow(tabs, 24);
    for (const tab of tabs)
      assert.equal(await tab.locator('.bubble').getByText('tell it to both', { exact: true }).count(), 1);
  } finally {
    for (const other of others) await other.close();
  }
}

/** A turn that was had in another tab while nobody looked at this one. */
export async function comeBackToATab(scene) {
  const { page, model } = scene;
  Object.assign(model.state, { pause: 5, words: 9, most: Number.POSITIVE_INFINITY });
  await page.goto('/');
  await say(page, 'said here');
  await finished(page);
  await setHidden(page, true);
  const other = await openBeside(scene);
  try {
    await say(other, 'said there');
    await finished(other);
    // The same words again right after a reload: a question of its own.
    await other.reload();
    await say(other, 'said there');
    await finished(other);
    assert.equal(await other.locator('.bubble').getByText('said there', { exact: true }).count(), 2);
  } finally {
    await other.close();
  }
  await setHidden(page, false);
  await page
    .locator('.bubble')
    .getByText('said there', { exact: true })
    .nth(1)
    .waitFor({ timeout: PATIENCE });
  assert.equal(await page.locator('.bubble').count(), 3);
}

/** What was read stays, in both and in the history. */
export async function stopInTheOtherTab(scene) {
  const { page, model } = scene;
  Object.assign(model.state, { pause: 20, words: 24, most: 5 });
  await page.reload();
  await say(page, 'something long');
  await lastAnswer(page).getByText('word5').waitFor({ timeout: PATIENCE });
  const other = await openBeside(scene);
  const tabs = [page, other];
  try {
    await allShow(tabs, 5);
    await other.getByRole('button', { name: 'Stop' }).click();
    await Promise.all(tabs.map(finished));
    await allShow(tabs, 5);
  } finally {
    await other.close();
    Object.assign(model.state, { pause: 5, words: 12, most: Number.POSITIVE_INFINITY });
  }
  // The history tells the same, and the page is in front again.
  await page.reload();
  await finished(page);
  await allShow([page], 5);
}
