// What was typed and not sent, kept per conversation in this browser.
const PREFIX = 'fractal.draft.';
const LONGEST = 50_000;

export function readDraft(key: string): string {
  try {
    return localStorage.getItem(PREFIX + key) ?? '';
  } catch {
    return '';
  }
}

export function writeDraft(key: string, text: string): void {
  try {
    if (text) localStorage.setItem(PREFIX + key, text.slice(0, LONGEST));
    else localStorage.removeItem(PREFIX + key);
  } catch {
    // Storage is full or blocked: the draft lives as long as the page.
  }
}

/** The draft of a conversation that does not exist yet. */
export function newDraftKey(agent: string): string {
  return `new.${agent}`;
}
