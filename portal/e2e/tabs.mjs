// One conversation in two tabs of a browser: both show the same answer as it grows, and a stop in one ends it in both.
import { strict as assert } from 'node:assert';
import { openTab } from './browser.mjs';
import { finished, lastAnswer, PATIENCE, say } from './steps.mjs';

const words = (page) => lastAnswer(page).locator('.markdown').innerText();
const plain = (text) => text.replace(/\s+/g, ' ').trim();

/** Both show these words as the newest, and not one more. */
async function bothShow(tabs, last) {
  for (const tab of tabs) await lastAnswer(tab).getByText(`word${last}`).waitFor({ timeout: PATIENCE });
  const said = Array.from({ length: last }, (_, i) => `word${i + 1}`).join(' ');
  for (const tab of tabs) assert.equal(plain(await words(tab)), said);
}

/**
 * Opens the conversation of a page in a second tab, in front of it. A browser without a screen shows every tab, so the
 * one behind is told that it is: tabs that cannot be seen let go of connections, of which a browser has six to a host.
 */
async function openInFront({ page, context, house, problems }) {
  await page.evaluate(() => {
    Object.defineProperty(document, 'hidden', { configurable: true, value: true });
    Object.defineProperty(document, 'visibilityState', { configurable: true, value: 'hidden' });
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
  });
  const other = await openTab(context, [house.url], problems);
  await other.goto(page.url());
  return other;
}

export async function watchInTwoTabs(scene) {
  const { page, model } = scene;
  // The model stops for breath where the tabs are compared: an answer that runs on is never read twice alike.
  Object.assign(model.state, { pause: 20, words: 24, most: 6 });
  await page.goto('/');
  await say(page, 'tell it to both');
  await lastAnswer(page).getByText('word6').waitFor({ timeout: PATIENCE });
  const other = await openInFront(scene);
  const tabs = [page, other];
  try {
    await bothShow(tabs, 6);
    await other.getByText('tell it to both', { exact: true }).first().waitFor();
    model.state.most = 12;
    await bothShow(tabs, 12);
    model.state.most = Number.POSITIVE_INFINITY;
    await Promise.all(tabs.map(finished));
    await bothShow(tabs, 24);
  } finally {
    await other.close();
  }
}

/** What was read stays, in both and in the history. */
export async function stopInTheOtherTab(scene) {
  const { page, model } = scene;
  Object.assign(model.state, { pause: 20, words: 24, most: 5 });
  await page.reload();
  await say(page, 'something long');
  await lastAnswer(page).getByText('word5').waitFor({ timeout: PATIENCE });
  const other = await openInFront(scene);
  const tabs = [page, other];
  try {
    await bothShow(tabs, 5);
    await other.getByRole('button', { name: 'Stop' }).click();
    await Promise.all(tabs.map(finished));
    await bothShow(tabs, 5);
  } finally {
    await other.close();
    Object.assign(model.state, { pause: 5, words: 12, most: Number.POSITIVE_INFINITY });
  }
  // The history tells the same, and the page is in front again.
  await page.reload();
  await finished(page);
  await bothShow([page], 5);
}
