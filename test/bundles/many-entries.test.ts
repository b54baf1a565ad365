import type { Dirent } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { DirectoryBundle } from '../../engine/bundles/directory-bundle.js';

/** How many entries of a directory without end were asked for. */
const asked = vi.hoisted(() => ({ count: 0 }));

vi.mock('node:fs/promises', async (importActual) => ({
  ...(await importActual<typeof import('node:fs/promises')>()),
  // What the reader uses of a Dir.
  opendir: async () => endless(),
}));

async function* endless(): AsyncGenerator<Pick<Dirent, 'name' | 'isFile' | 'isDirectory'>> {
  const isFile = () => true;
  const isDirectory = () => false;
  yield { name: 'index.json', isFile, isDirectory };
  for (; ; asked.count++) {
    if (asked.count > 10_000) throw new Error('a directory was read to its end');
    yield { name: 'oci-layout', isFile, isDirectory };
  }
}

test('a directory of any number of entries is refused after the first too many', async () => {
  await expect(new DirectoryBundle('many').list()).rejects.toMatchObject({ code: 'BUNDLE_TOO_LARGE' });
  expect(asked.count).toBeLessThan(1000);
});
