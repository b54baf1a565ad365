import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openBundleSource, writeBundle } from '../../../engine/bundles/index.js';
import { acceptBundle, type BundleFiles, readVerifiedBundle } from '../../../signing/index.js';
import {
  CI_KEY,
  expectRejection,
  NOW,
  SAMPLE_BUNDLE,
  SAMPLE_INPUT,
  samplePredicate,
  signBundle,
  TRUST_CI,
  utf8,
} from '../../signing/sample-bundle.js';
import { encodeTar } from './encode-tar.js';

let root: string;
let tar: string;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'vespid-tar-'));
  tar = join(root, 'starter.tar');
  await writeBundle(tar, SAMPLE_BUNDLE);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function readFiles(path: string): Promise<BundleFiles> {
  const source = await openBundleSource(path);
  const files = new Map<string, Uint8Array>();
  for (const name of (await source.list()).keys()) files.set(name, await source.read(name));
  return files;
}

describe('a bundle in a tar file', () => {
  test('gives back what was written, also through a link', async () => {
    expect(await readFiles(tar)).toEqual(SAMPLE_BUNDLE);
    symlinkSync(tar, join(root, 'link'));
    expect(await readFiles(join(root, 'link'))).toEqual(SAMPLE_BUNDLE);
  });

  test('is accepted like a directory', async () => {
    const accepted = await acceptBundle(await openBundleSource(tar), TRUST_CI, NOW);
    expect(await readVerifiedBundle(accepted)).toMatchObject(SAMPLE_INPUT);
  });

  test('is the same file for the same bundle', async () => {
    expect(readFileSync(tar)).toEqual(Buffer.concat([...encodeTar(SAMPLE_BUNDLE)]));
    expect(statSync(tar).mode & 0o777).toBe(0o644 & ~process.umask());
  });

  test('that was written anew since it was listed is refused', async () => {
    const source = await openBundleSource(tar);
    await source.list();
    appendFileSync(tar, new Uint8Array(512));
    await expectRejection('BUNDLE_FILE_CHANGED', () => source.read('index.json'));
  });

  test('that is gone since it was listed is refused', async () => {
    const source = await openBundleSource(tar);
    await source.list();
    rmSync(tar);
    await expectRejection('INPUT_UNREADABLE', () => source.read('index.json'));
  });

  test('is a regular file: no pipe, no device', async () => {
    const pipe = join(root, 'pipe.tar');
    execFileSync('mkfifo', [pipe]);
    for (const path of [pipe, '/dev/zero']) {
      await expectRejection('BUNDLE_FILE_NOT_REGULAR', () => readFiles(path));
    }
    await expectRejection('INPUT_NOT_FOUND', () => readFiles(join(root, 'gone.tar')));
    writeFileSync(join(root, 'text.tar'), 'kind: Policy\n');
    await expectRejection('BUNDLE_NOT_A_BUNDLE', () => readFiles(join(root, 'text.tar')));
  });
});

describe('writeBundle to a tar file', async () => {
  const other = await signBundle(
    { ...SAMPLE_INPUT, name: 'other', objects: [] },
    samplePredicate([]),
    CI_KEY,
  );

  test('replaces a bundle whole, and leaves nothing beside it', async () => {
    await writeBundle(tar, other);
    expect(await readFiles(tar)).toEqual(other);
    expect(readdirSync(root)).toEqual(['starter.tar']);
  });

  test.each<{ name: string; prepare: () => string }>([
    {
      name: 'another file',
      prepare: () => {
        writeFileSync(join(root, 'precious.tar'), 'precious');
        return join(root, 'precious.tar');
      },
    },
    {
      name: 'a tar file that is no bundle',
      prepare: () => {
        execFileSync('tar', ['-C', '/etc', '-cf', join(root, 'etc.tar'), 'hostname']);
        return join(root, 'etc.tar');
      },
    },
    {
      name: 'a directory',
      prepare: () => {
        mkdirSync(join(root, 'home.tar'));
        return join(root, 'home.tar');
      },
    },
    {
      name: 'a symlink to a bundle',
      prepare: () => {
        symlinkSync(tar, join(root, 'link.tar'));
        return join(root, 'link.tar');
      },
    },
  ])('refuses to overwrite $name', async ({ prepare }) => {
    const target = prepare();
    const before = readdirSync(root);
    await expectRejection('BUNDLE_OUTPUT_OCCUPIED', () => writeBundle(target, other));
    expect(readdirSync(root)).toEqual(before);
    expect(await readFiles(tar)).toEqual(SAMPLE_BUNDLE);
  });

  test('says that the parent directory is missing', async () => {
    await expectRejection('INPUT_NOT_FOUND', () => writeBundle(join(root, 'no', 'b.tar'), other));
  });

  test('never writes a path that is no file of a bundle, and keeps the old bundle', async () => {
    const evil = new Map(other).set('../escaped', utf8('x'));
    await expect(writeBundle(tar, evil)).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(existsSync(join(root, 'escaped'))).toBe(false);
    expect(await readFiles(tar)).toEqual(SAMPLE_BUNDLE);
    expect(readdirSync(root)).toEqual(['starter.tar']);
  });
});
