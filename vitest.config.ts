import { defineConfig } from 'vitest/config';

/** One project per kind of machine a test needs; `scripts/test.mjs` says which run where. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          // Every CPU: by itself vitest leaves one free, which is half of a machine with two.
          maxWorkers: '100%',
          include: ['test/**/*.test.ts'],
          exclude: ['test/host/**', 'test/interop/**', 'test/kafka/**', 'test/vm/**', 'test/package/**'],
        },
      },
      {
        test: {
          name: 'host',
          include: ['test/host/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'interop',
          include: ['test/interop/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'kafka',
          include: ['test/kafka/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 240_000,
        },
      },
    ],
  },
});
