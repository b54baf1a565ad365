import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DirectoryBundle } from '../../engine/bundles/directory-bundle.js';
import { writeBundle } from '../../engine/bundles/write-bundle.js';
import { BUNDLE_LIMITS, type BundleFiles } from '../../signing/index.js';
import {
  CI_KEY,
  SAMPLE_BUNDLE,
  SAMPLE_INPUT,
  samplePredicate,
  signBundle,
  utf8,
} from '../signing/sample-bundle.js';

let root: string;
let bundle: string;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'vespid-bundle-'));
  bundle = join(root, 'bundle');
  await writeBundle(bundle, SAMPLE_BUNDLE);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Every file of the bundle, as the pipeline lists and reads them. */
async function readBundle(path: string): Promise<BundleFiles> {
  const source = new DirectoryBundle(path);
  const files = new Map<string, Uint8Array>();
  for (const name of (await source.list()).keys()) files.set(name, await source.read(name));
  return files;
}

const rejection = (code: string) => ({ code, hint: expect.any(String) });
const aBlob = `blobs/sha256/${'0'.repeat(64)}`;

describe('DirectoryBundle', () => {
  test('gives back what writeBundle wrote, also through a link to the directory', async () => {
    expect(await readBundle(bundle)).toEqual(SAMPLE_BUNDLE);
    symlinkSync(bundle, join(root, 'link'));
    expect(await readBundle(join(root, 'link'))).toEqual(SAMPLE_BUNDLE);
  });

  test.each<{ name: string; change: () => unknown; code: string }>([
    {
      name: 'a symlink',
      change: () => symlinkSync('/etc/passwd', join(bundle, aBlob)),
      code: 'BUNDLE_FILE_NOT_REGULAR',
    },
    {
      name: 'a directory that is a symlink',
      change: () => {
        rmSync(join(bundle, 'blobs'), { recursive: true });
        symlinkSync('/', join(bundle, 'blobs'));
      },
      code: 'BUNDLE_FILE_NOT_REGULAR',
    },
    {
      name: 'a pipe',
      change: () => execFileSync('mkfifo', [join(bundle, aBlob)]),
      code: 'BUNDLE_FILE_NOT_REGULAR',
    },
    {
      name: 'a directory for a blob',
      change: () => mkdirSync(join(bundle, aBlob)),
      code: 'BUNDLE_FILE_UNEXPECTED',
    },
    {
      name: 'another directory',
      change: () => mkdirSync(join(bundle, 'extra')),
      code: 'BUNDLE_FILE_UNEXPECTED',
    },
    {
      name: 'another file',
      change: () => writeFileSync(join(bundle, 'blobs', 'x'), 'x'),
      code: 'BUNDLE_FILE_UNEXPECTED',
    },
    {
      name: 'a name that is not UTF-8',
      change: () => writeFileSync(Buffer.concat([Buffer.from(`${bundle}/`), Buffer.of(0xff)]), 'x'),
      code: 'BUNDLE_FILE_UNEXPECTED',
    },
    {
      name: 'no index and no layout',
      change: () => ['index.json', 'oci-layout'].map((name) => rmSync(join(bundle, name))),
      code: 'BUNDLE_NOT_A_BUNDLE',
    },
  ])('refuses $name', async ({ change, code }) => {
    change();
    await expect(readBundle(bundle)).rejects.toMatchObject(rejection(code));
  });

  test('refuses a socket', async () => {
    // The path of a socket is at most 107 bytes, so it cannot be at the name of a blob.
    rmSync(join(bundle, 'index.json'));
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(bundle, 'index.json'), resolve));
    await expect(readBundle(bundle)).rejects.toMatchObject(rejection('BUNDLE_FILE_NOT_REGULAR'));
    await new Promise((resolve) => server.close(resolve));
  });

  test.each([
    { name: 'a missing path', path: () => join(root, 'gone'), code: 'INPUT_NOT_FOUND' },
    { name: 'a file', path: () => join(bundle, 'index.json'), code: 'BUNDLE_NOT_A_BUNDLE' },
    { name: 'an empty directory', path: () => mkdtempSync(join(root, 'e')), code: 'BUNDLE_NOT_A_BUNDLE' },
    { name: 'some other directory', path: () => '/etc', code: 'BUNDLE_NOT_A_BUNDLE' },
  ])('refuses $name', async ({ path, code }) => {
    await expect(readBundle(path())).rejects.toMatchObject(rejection(code));
  });

  test('refuses too many files before it looks at one', async () => {
    for (let count = 0; count <= BUNDLE_LIMITS.maxFiles; count++) {
      writeFileSync(join(bundle, `blobs/sha256/${String(count).padStart(64, '0')}`), '');
    }
    await expect(readBundle(bundle)).rejects.toMatchObject(rejection('BUNDLE_TOO_LARGE'));
  });

  test.each<{ name: string; change: (path: string) => unknown; code: string }>([
    { name: 'longer', change: (path) => appendFileSync(path, 'x'), code: 'BUNDLE_FILE_CHANGED' },
    { name: 'shorter', change: (path) => truncateSync(path, 3), code: 'BUNDLE_FILE_CHANGED' },
    { name: 'gone', change: (path) => rmSync(path), code: 'INPUT_UNREADABLE' },
    {
      name: 'a link',
      change: (path) => {
        rmSync(path);
        symlinkSync('/etc/passwd', path);
      },
      code: 'BUNDLE_FILE_NOT_REGULAR',
    },
    {
      name: 'a pipe',
      change: (path) => {
        rmSync(path);
        execFileSync('mkfifo', [path]);
      },
      code: 'BUNDLE_FILE_NOT_REGULAR',
    },
  ])('refuses a file that became $name since it was listed', async ({ change, code }) => {
    const source = new DirectoryBundle(bundle);
    await source.list();
    change(join(bundle, 'index.json'));
    await expect(source.read('index.json')).rejects.toMatchObject(rejection(code));
  });

  test('says which file it may not read', async () => {
    chmodSync(root, 0o755);
    chmodSync(join(bundle, 'index.json'), 0);
    await withoutPrivileges(() =>
      expect(readBundle(bundle)).rejects.toMatchObject(rejection('INPUT_UNREADABLE')),
    );
  });
});

/** Root may read every file: as root, `body` runs with the rights of nobody. */
async function withoutPrivileges(body: () => Promise<void>): Promise<void> {
  const NOBODY = 65534;
  if (process.geteuid?.() !== 0) return body();
  process.seteuid?.(NOBODY);
  try {
    await body();
  } finally {
    process.seteuid?.(0);
  }
}

describe('writeBundle', async () => {
  const other = await signBundle(
    { ...SAMPLE_INPUT, name: 'other', objects: [] },
    samplePredicate([]),
    CI_KEY,
  );

  test('replaces a bundle whole, and leaves nothing beside it', async () => {
    await writeBundle(bundle, other);
    expect(await readBundle(bundle)).toEqual(other);
    expect(readdirSync(root)).toEqual(['bundle']);
    expect(statSync(bundle).mode & 0o777).toBe(0o777 & ~process.umask());
  });

  test('fills an empty directory', async () => {
    const empty = mkdtempSync(join(root, 'empty-'));
    await writeBundle(empty, other);
    expect(await readBundle(empty)).toEqual(other);
  });

  test.each<{ name: string; prepare: () => string }>([
    {
      name: 'a file',
      prepare: () => {
        writeFileSync(join(root, 'file'), 'precious');
        return join(root, 'file');
      },
    },
    {
      name: 'a directory with other files',
      prepare: () => {
        mkdirSync(join(root, 'home'));
        writeFileSync(join(root, 'home', 'precious'), 'x');
        return join(root, 'home');
      },
    },
    {
      name: 'a bundle with another file in it',
      prepare: () => {
        writeFileSync(join(bundle, 'notes.txt'), 'precious');
        return bundle;
      },
    },
    {
      name: 'a symlink to a bundle',
      prepare: () => {
        symlinkSync(bundle, join(root, 'link'));
        return join(root, 'link');
      },
    },
  ])('refuses to overwrite $name', async ({ prepare }) => {
    const target = prepare();
    const before = readdirSync(root);
    await expect(writeBundle(target, other)).rejects.toMatchObject(rejection('BUNDLE_OUTPUT_OCCUPIED'));
    expect(readdirSync(root)).toEqual(before);
    expect(await readBundleOrCode(bundle)).not.toEqual(other);
  });

  test('says that the parent directory is missing', async () => {
    await expect(writeBundle(join(root, 'no', 'b'), other)).rejects.toMatchObject(
      rejection('INPUT_NOT_FOUND'),
    );
  });

  test('never writes outside, and keeps the old bundle on failure', async () => {
    const evil = new Map(other).set('../escaped', utf8('x'));
    await expect(writeBundle(bundle, evil)).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(existsSync(join(root, 'escaped'))).toBe(false);
    expect(await readBundle(bundle)).toEqual(SAMPLE_BUNDLE);
    expect(readdirSync(root)).toEqual(['bundle']);
  });
});

async function readBundleOrCode(path: string): Promise<unknown> {
  return readBundle(path).catch((error: unknown) => error);
}
