import { expect, test } from 'vitest';
import { enter, faultWords, loadCatalogue, nearest, t, tn, tWord } from './index';
import { ROOMS, type Room } from './rooms';

Object.assign(globalThis, { document: { documentElement: { lang: '' } } });
const placeholders = (text: string) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();

test.each(Object.keys(ROOMS) as Room[])(
  'both languages say everything in the room %s, with the same placeholders and forms',
  async (name) => {
    const [en, de] = (await Promise.all([ROOMS[name].en(), ROOMS[name].de()])).map(
      (nouns) => Object.assign({}, ...Object.values(nouns)) as Record<string, string>,
    );
    expect(Object.keys(de ?? {}).sort()).toEqual(Object.keys(en ?? {}).sort());
    for (const [key, english] of Object.entries(en ?? {})) {
      const german = de?.[key] ?? '';
      expect(german.trim(), key).not.toBe('');
      expect(placeholders(german), key).toEqual(placeholders(english));
      expect(german.split(' | ').length, key).toBe(english.split(' | ').length);
    }
  },
);

test('words are filled, counted and looked up', async () => {
  await loadCatalogue('en');
  await enter('settings', 'instances');
  expect(t('chat.welcome', { name: 'Ada' })).toBe('Hello Ada');
  expect(tn('provider.modelCount', 1)).toBe('1 model');
  expect(tn('provider.modelCount', 1200)).toBe('1,200 models');
  expect(tWord('outcome', 'ready')).toBe('ready');
  expect(tWord('outcome', 'never heard of')).toBe('never heard of');
  const refused = { code: 'key_refused', message: 'It refused the key.', remedy: 'Enter another.' } as const;
  expect(faultWords(refused).message).toBe('It refused the key.');
  await loadCatalogue('de');
  expect(tn('provider.modelCount', 1200)).toBe('1.200 Modelle');
  expect(faultWords(refused).message).toBe('Der Anbieter hat den Schlüssel abgelehnt.');
});

test('the setting that permits private networks is called the same on the page where people sign in', async () => {
  for (const [gate, settings] of [
    [await ROOMS.gate.en(), await ROOMS.settings.en()],
    [await ROOMS.gate.de(), await ROOMS.settings.de()],
  ] as const) {
    const label = settings.provider['provider.private'];
    expect(gate.login['login.refused.address-refused.remedy']).toContain(label);
  }
});

test('a room that is entered while the language changes speaks the new one', async () => {
  await loadCatalogue('en');
  await Promise.all([loadCatalogue('de'), enter('evidence')]);
  expect(tWord('kind', 'key')).toBe('Schlüssel');
  await Promise.all([enter('gate'), loadCatalogue('en')]);
  expect(t('login.title')).toBe('Sign in');
  expect(tWord('kind', 'key')).toBe('Keys');
});

test('the nearest language that we speak is chosen', () => {
  expect(nearest([null, 'fr-FR', 'de-AT', 'en'])).toBe('de');
  expect(nearest(['tlh'])).toBe('en');
});
