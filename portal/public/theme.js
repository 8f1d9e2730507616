// Sets colour scheme and language before the first paint. It stands in a file of its own because the
// content security policy of the server allows no inline script.
(() => {
  const root = document.documentElement;
  let wanted = 'auto';
  try {
    wanted = localStorage.getItem('mantine-color-scheme-value') || 'auto';
    const locale = localStorage.getItem('fractal.locale');
    if (locale) root.lang = locale;
  } catch {
    // Storage may be blocked: the system's scheme is used.
  }
  const dark = wanted === 'dark' || (wanted === 'auto' && matchMedia('(prefers-color-scheme: dark)').matches);
  root.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');
})();
