// Into the clipboard, also where browsers offer none to scripts: on plain http under another name than that of this machine.

/** Whether it worked; `beside` is what was clicked. */
export async function copyText(text: string, beside: Element): Promise<boolean> {
  try {
    if ('clipboard' in navigator) {
      await navigator.clipboard.writeText(text);
      return true;
    }
  } catch {
    // Refused, by a policy or by somebody: the old way may still be open.
  }
  return copySelected(text, beside);
}

function copySelected(text: string, beside: Element): boolean {
  const before = document.activeElement;
  const area = document.createElement('textarea');
  area.value = text;
  area.readOnly = true;
  area.className = 'visually-hidden';
  // A dialog keeps the focus inside itself.
  (beside.closest('[role="dialog"]') ?? document.body).append(area);
  try {
    area.focus({ preventScroll: true });
    area.select();
    return document.execCommand('copy');
  } catch {
    return false;
  } finally {
    area.remove();
    if (before instanceof HTMLElement) before.focus({ preventScroll: true });
  }
}
