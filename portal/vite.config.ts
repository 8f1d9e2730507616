import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

const server = process.env.FRACTAL_URL ?? 'http://127.0.0.1:8088';

export default defineConfig({
  plugins: [react()],
  build: {
    target: 'es2022',
    manifest: 'manifest.json',
    // Data URLs would be refused by nothing, but files can be cached for ever.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  server: { proxy: { '/api': server, '/v1': server } },
  test: { include: ['src/**/*.test.{ts,tsx}'], environment: 'node' },
});
