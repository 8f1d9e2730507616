// An identity provider, from the form of an administrator to somebody who comes in by it.
import { strict as assert } from 'node:assert';
import { open } from './browser.mjs';
import { CLIENT_SECRET, signInThere } from './identity.mjs';

const NAME = 'Company login';
const button = (page) => page.getByRole('link', { name: `Continue with ${NAME}` });
const whoAmI = (page) => page.evaluate(async () => (await fetch('/api/v1/me')).json());

/** Opens the form of a provider, lets it be changed, and saves. */
async function edit(page, name, change) {
  await page.getByRole('region', { name }).getByRole('button', { name: 'Edit' }).click();
  const form = page.getByRole('dialog');
  await change(form);
  await form.getByRole('button', { name: 'Save' }).click();
  await form.waitFor({ state: 'detached' });
}

/** Added by its form, tested by its button, renamed, and still so after a reload. */
export async function addProvider({ page, house, provider, inspect }) {
  await page.goto('/settings/sign-in');
  await page.getByRole('button', { name: 'Add identity provider' }).first().click();
  const form = page.getByRole('dialog');
  await form.getByRole('textbox', { name: 'Name' }).fill('Compny');
  await form.getByRole('textbox', { name: 'Issuer address' }).fill(provider.issuer);
  await form.getByRole('textbox', { name: 'Client id' }).fill('fractal');
  await form.getByRole('textbox', { name: 'Client secret' }).fill(CLIENT_SECRET);
  const callback = '/api/v1/auth/oidc/callback';
  await form.getByText(house.url + callback).waitFor();
  await inspect(page, 'identity-provider-form');
  await form.getByRole('button', { name: 'Save' }).click();
  // Its address is on this machine, which has to be said.
  await form.locator('[aria-invalid=true]').waitFor();
  await form.getByText('turn on “It is on this machine or in a private network”').waitFor();
  await inspect(page, 'identity-provider-refused');
  await form.getByRole('switch', { name: 'private network' }).click();
  await form.getByRole('button', { name: 'Save' }).click();
  await form.waitFor({ state: 'detached' });

  const card = page.getByRole('region', { name: 'Compny' });
  await card.getByRole('button', { name: 'Test now' }).click();
  await card.getByText('It answered in').waitFor();
  await edit(page, 'Compny', async (form) => {
    await form.getByText('One is stored').waitFor();
    assert.equal(await form.getByRole('switch', { name: 'private network' }).isChecked(), true);
    await form.getByRole('textbox', { name: 'Name' }).fill(NAME);
  });
  await page.reload();
  const kept = page.getByRole('region', { name: NAME });
  await kept.getByText(provider.issuer).waitFor();
  await kept.getByText(house.url + callback).waitFor();
  await inspect(page, 'identity-provider');
}

/** Refused until unknown people get an account; then signed in, by another browser as the same person. */
export async function comeIn({ browser, page, house, provider, inspect }) {
  // The provider's page asks the internet for a font, and has to do without it.
  const fonts = 'https://fonts.googleapis.com/';
  const visit = async () => {
    const visitor = await open(browser, house.url, { also: [provider.issuer, fonts] });
    await visitor.context.route(`${fonts}**`, (route) => route.abort());
    return visitor;
  };
  const signedIn = async (visitor) => {
    await visitor.waitForURL((url) => url.origin === house.url && url.pathname !== '/login');
    await visitor.getByRole('button', { name: 'Account of grace.hopper of the test' }).waitFor();
    return whoAmI(visitor);
  };
  const guest = await visit();
  const again = await visit();
  try {
    await guest.page.goto('/settings/account');
    await button(guest.page).waitFor();
    await inspect(guest.page, 'login-identity-provider');
    await button(guest.page).click();
    await signInThere(guest.page, provider.issuer, 'grace.hopper');
    await guest.page.getByRole('alert').getByText('No account here is linked').waitFor();
    assert.equal(new URL(guest.page.url()).hash, '');
    await inspect(guest.page, 'login-unknown');

    await edit(page, NAME, (form) =>
      form.getByRole('switch', { name: 'Unknown people get an account' }).click(),
    );
    // The provider still knows who sits there.
    await button(guest.page).click();
    const me = await signedIn(guest.page);
    assert.deepEqual([me.username, me.role, me.has_password], ['hopper', 'member', false]);
    await guest.page.goto('/settings/account');
    await guest.page.getByRole('heading', { name: 'Account' }).waitFor();
    await inspect(guest.page, 'account-identity-provider');
    await page.goto('/settings/people');
    await page.locator('.rows li', { hasText: 'hopper' }).waitFor();

    await again.page.goto('/settings/account');
    await button(again.page).click();
    await signInThere(again.page, provider.issuer, 'grace.hopper');
    assert.equal((await signedIn(again.page)).id, me.id);
    assert.equal(new URL(again.page.url()).pathname, '/settings/account', 'back where they wanted to go');
    assert.deepEqual([...guest.problems, ...again.problems], []);
  } finally {
    await guest.context.close();
    await again.context.close();
  }
}

/** Switched off in the settings it is gone from the page where people sign in. */
export async function switchOff({ browser, page, house }) {
  await page.goto('/settings/sign-in');
  const card = page.getByRole('region', { name: NAME });
  await card.getByRole('switch', { name: 'People may sign in with it' }).click();
  await card.getByText('Off', { exact: true }).waitFor();
  const stranger = await open(browser, house.url);
  try {
    await stranger.page.goto('/login');
    await stranger.page.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
    const methods = await stranger.page.evaluate(async () => (await fetch('/api/v1/auth/methods')).json());
    assert.deepEqual(methods.oidc, []);
    assert.equal(await button(stranger.page).count(), 0);
  } finally {
    await stranger.context.close();
  }
}
