// What the scenarios on the real server share: talking in the chat, and how long a gateway may take.
export const PATIENCE = 120_000;

export const box = (page) => page.getByRole('textbox', { name: 'Message' });
export const lastAnswer = (page) => page.getByRole('article').last();
export const finished = (page) =>
  page.getByRole('button', { name: 'Ask again' }).waitFor({ timeout: PATIENCE });

export async function say(page, text) {
  await box(page).fill(text);
  await box(page).press('Enter');
}
