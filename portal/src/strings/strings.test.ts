import { expect, test } from 'vitest';
import { de } from './de';
import { en } from './en';
import { faultWords, type Key, loadCatalogue, nearest, t, tn, tWord } from './index';

const placeholders = (text: string) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();

test('both languages say everything, with the same placeholders and forms', () => {
  expect(Object.keys(de).sort()).toEqual(Object.keys(en).sort());
  for (const key of Object.keys(en) as Key[]) {
    expect(de[key].trim(), key).not.toBe('');
    expect(placeholders(de[key]), key).toEqual(placeholders(en[key]));
    expect(de[key].split(' | ').length, key).toBe(en[key].split(' | ').length);
  }
});

test('words are filled, counted and looked up', async () => {
  Object.assign(globalThis, { document: { documentElement: { lang: '' } } });
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
  await loadCatalogue('en');
});

test('the nearest language that we speak is chosen', () => {
  expect(nearest([null, 'fr-FR', 'de-AT', 'en'])).toBe('de');
  expect(nearest(['tlh'])).toBe('en');
});
