// A picture goes along with a message: from the file that was picked to what the model is asked.
import { strict as assert } from 'node:assert';
import { crc32, deflateSync } from 'node:zlib';
import { until } from './house.mjs';
import { box, finished, lastAnswer, PATIENCE, say } from './steps.mjs';

/** A square of one colour as the bytes of a PNG. */
export function png(side, [red, green, blue]) {
  const chunk = (type, data) => {
    const named = Buffer.concat([Buffer.from(type), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(named));
    return Buffer.concat([length, named, sum]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(side, 0);
  head.writeUInt32BE(side, 4);
  // Eight bits each of red, green and blue; the rest is what every PNG has.
  head.set([8, 2, 0, 0, 0], 8);
  const row = Buffer.concat([Buffer.from([0]), Buffer.alloc(side * 3, Buffer.from([red, green, blue]))]);
  const rows = Buffer.concat(Array.from({ length: side }, () => row));
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** The picture is shown before it is sent, and the model gets its very bytes. */
export async function sendPicture({ page, model, inspect }) {
  const picture = png(48, [200, 40, 40]);
  await page.goto('/');
  // The button opens the browser's own window, where a file is picked.
  const picking = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Attach files' }).click();
  await (await picking).setFiles({ name: 'red.png', mimeType: 'image/png', buffer: picture });
  const file = page.locator('.composer .file', { hasText: 'red.png' });
  const preview = file.locator('img');
  await until('the preview to be drawn', () => preview.evaluate((image) => image.naturalWidth === 48));
  // Away from the button, whose hint would lie over the picture.
  await page.mouse.move(0, 0);
  await box(page).focus();
  await page.getByRole('tooltip').waitFor({ state: 'detached' });
  await inspect(page, 'picture-picked');

  model.state.asked.length = 0;
  await say(page, 'what colour is this?');
  await lastAnswer(page).getByText('word12').waitFor({ timeout: PATIENCE });
  await finished(page);
  assert.equal(await file.count(), 0, 'the next message begins without it');
  // The gateway adds what it knows in a message of its own after the person's.
  const parts = model.state.asked[0].messages.flatMap((one) => (one.role === 'user' ? one.content : []));
  assert.deepEqual(
    parts.filter((part) => part.type === 'image_url').map((part) => part.image_url.url),
    [`data:image/png;base64,${picture.toString('base64')}`],
  );
  assert.ok(parts.some((part) => part.type === 'text' && part.text.endsWith('what colour is this?')));
  // The history holds the words as they were written, without what the gateway puts in front for its model.
  await page.reload();
  await page.locator('.bubble').getByText('what colour is this?', { exact: true }).waitFor();
  assert.equal(await page.locator('.bubble').innerText(), 'what colour is this?');
  // The transcript keeps what it was, not what it was called.
  await page.locator('.message.mine .file').getByText('Picture', { exact: true }).waitFor();
  await inspect(page, 'picture-sent');
}
