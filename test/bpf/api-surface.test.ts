import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { apiSurface } from './api-surface.js';
import { ROOT } from './documentation.js';

const ENTRY = join(ROOT, 'dist/engine/bpf/index.d.ts');

test('the public API of vespid/bpf is as api-surface.txt has it', async () => {
  expect(existsSync(ENTRY), `${ENTRY} is missing: run npx tsc -b first`).toBe(true);
  await expect(
    apiSurface(ENTRY),
    'the public API of vespid/bpf changed. If that is meant, say it in CHANGELOG.md and run: npx tsc -b && npx vitest run --project unit test/bpf/api-surface.test.ts -u',
  ).toMatchFileSnapshot('api-surface.txt');
});
