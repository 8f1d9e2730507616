import { expect, test, vi } from 'vitest';
import { redirectAddress } from './address';

test('a redirect address is shown whole, by the public address or by where the Portal was opened', () => {
  vi.stubGlobal('location', { origin: 'http://192.168.1.5:8088' });
  const path = '/api/v1/auth/oidc/callback';
  expect(redirectAddress()).toBe(`http://192.168.1.5:8088${path}`);
  expect(redirectAddress(path)).toBe(`http://192.168.1.5:8088${path}`);
  expect(redirectAddress(`https://fractal.example${path}`)).toBe(`https://fractal.example${path}`);
});
