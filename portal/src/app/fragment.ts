// Printed addresses carry their secret in the fragment, which browsers never send. It is read once and taken
// off the address at once, so that neither history nor a shared screen keeps it.

let first = typeof location === 'undefined' ? '' : decodeURIComponent(location.hash.slice(1));
if (first) history.replaceState(history.state, '', location.pathname + location.search);

/** The secret of the address that was opened, when it has the given prefix. */
export function secretFromAddress(prefix: string): string {
  return first.startsWith(prefix) ? first : '';
}

/** A value such as `error` of `#error=sign-in-failed`. */
export function valueFromAddress(name: string): string | null {
  return new URLSearchParams(first).get(name);
}

/** What was told once is over as soon as somebody got in, also for the next who comes to this page without a load. */
export function forgetAddress(): void {
  first = '';
}
