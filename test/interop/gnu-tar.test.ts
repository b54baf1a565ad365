import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  linkSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openBundleSource, writeBundle } from '../../engine/bundles/index.js';
import type { ErrorCode } from '../../engine/errors/index.js';
import { acceptBundle, readVerifiedBundle } from '../../signing/index.js';
import { expectRejection, NOW, SAMPLE_BUNDLE, SAMPLE_INPUT, TRUST_CI } from '../signing/sample-bundle.js';

const tar = (...args: string[]): string =>
  execFileSync('tar', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

let root: string;
let directory: string;
let file: string;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'vespid-gnu-tar-'));
  directory = join(root, 'starter.bundle');
  file = join(root, 'starter.tar');
  await writeBundle(directory, SAMPLE_BUNDLE);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function verify(): Promise<unknown> {
  return readVerifiedBundle(await acceptBundle(await openBundleSource(file), TRUST_CI, NOW));
}

describe('GNU tar reads what we write', () => {
  test('without a complaint, and writes back the same bundle', async () => {
    await writeBundle(file, SAMPLE_BUNDLE);
    expect(tar('--list', '--file', file).trim().split('\n')).toEqual([...SAMPLE_BUNDLE.keys()].sort());
    rmSync(directory, { recursive: true });
    execFileSync('mkdir', [directory]);
    tar('--extract', '--file', file, '--directory', directory);
    expect(tar('--compare', '--file', file, '--directory', directory)).toBe('');
    const source = await openBundleSource(directory);
    expect(new Set((await source.list()).keys())).toEqual(new Set(SAMPLE_BUNDLE.keys()));
    expect(await readVerifiedBundle(await acceptBundle(source, TRUST_CI, NOW))).toMatchObject(SAMPLE_INPUT);
  });
});

describe('we read what GNU tar writes', () => {
  test.each<{ name: string; args: readonly string[] }>([
    { name: 'of the directory itself', args: ['.'] },
    { name: 'of its members', args: ['blobs', 'index.json', 'oci-layout'] },
    { name: 'in its own format', args: ['--format=gnu', '.'] },
    { name: 'in the standard format', args: ['--format=ustar', '.'] },
    { name: 'with a large user and group', args: ['--owner=:2000000', '--group=:3000000', '.'] },
    { name: 'from another year', args: ['--mtime=1999-12-31', '--mode=0400', '.'] },
    { name: 'in large records', args: ['--blocking-factor=200', '.'] },
  ])('$name', async ({ args }) => {
    tar('--create', '--file', file, '--directory', directory, ...args);
    expect(await verify()).toMatchObject(SAMPLE_INPUT);
  });
});

describe('we refuse what GNU tar writes', () => {
  const create = (...args: string[]) => tar('--create', '--file', file, '--directory', directory, ...args);
  const blob = () => join(directory, `blobs/sha256/${'0'.repeat(64)}`);

  test.each<{ name: string; write: () => unknown; code: ErrorCode }>([
    { name: 'in pax format', write: () => create('--format=posix', '.'), code: 'BUNDLE_TAR_UNSUPPORTED' },
    {
      name: 'with a symlink',
      write: () => {
        symlinkSync('/etc/passwd', blob());
        create('.');
      },
      code: 'BUNDLE_FILE_NOT_REGULAR',
    },
    {
      name: 'with a hard link',
      write: () => {
        linkSync(join(directory, 'index.json'), blob());
        create('index.json', 'oci-layout', 'blobs');
      },
      code: 'BUNDLE_FILE_NOT_REGULAR',
    },
    {
      name: 'with a pipe',
      write: () => {
        execFileSync('mkfifo', [blob()]);
        create('.');
      },
      code: 'BUNDLE_FILE_NOT_REGULAR',
    },
    {
      name: 'with a sparse file',
      write: () => {
        execFileSync('truncate', ['--size=1M', blob()]);
        create('--sparse', '.');
      },
      code: 'BUNDLE_TAR_UNSUPPORTED',
    },
    {
      name: 'with a long name',
      write: () => {
        writeFileSync(join(directory, 'x'.repeat(120)), '');
        create('.');
      },
      code: 'BUNDLE_TAR_UNSUPPORTED',
    },
    {
      name: 'with the name of the directory before each path',
      write: () => tar('--create', '--file', file, '--directory', root, 'starter.bundle'),
      code: 'BUNDLE_FILE_UNEXPECTED',
    },
    {
      name: 'with paths upwards',
      write: () =>
        tar('--create', '--file', file, '-P', '--directory', join(directory, 'blobs'), '../index.json'),
      code: 'BUNDLE_FILE_UNEXPECTED',
    },
    {
      name: 'appended to',
      write: () => {
        create('.');
        tar('--append', '--file', file, '--directory', directory, './index.json');
      },
      code: 'BUNDLE_FILE_DUPLICATE',
    },
    {
      name: 'and a second archive behind it',
      write: () => {
        create('.');
        const first = join(root, 'first.tar');
        renameSync(file, first);
        create('.');
        execFileSync('sh', ['-c', 'cat "$1" >>"$2"', 'sh', first, file]);
      },
      code: 'BUNDLE_TAR_MALFORMED',
    },
    {
      name: 'compressed',
      write: () => create('--gzip', '.'),
      code: 'BUNDLE_NOT_A_BUNDLE',
    },
    {
      name: 'and bytes behind its end',
      write: () => {
        create('.');
        appendFileSync(file, 'x'.repeat(512));
      },
      code: 'BUNDLE_TAR_MALFORMED',
    },
  ])('$name', async ({ write, code }) => {
    write();
    await expectRejection(code, verify);
  });
});
