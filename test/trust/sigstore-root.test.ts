import { readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { fetchSigstoreRoot } from '../../engine/trust/index.js';
import { runVespid, Workspace } from '../cli/run-vespid.js';
import { expectRejection } from '../signers/sample-surroundings.js';
import { SigstoreInstance } from '../signing/attestation/sigstore-instance.js';
import { TufRepository } from './tuf-repository.js';

const TIMING = { timeoutMs: 2000, retries: 0 };

let trustedRoot: string;
beforeAll(async () => {
  trustedRoot = JSON.stringify((await SigstoreInstance.start()).trustedRoot);
});

/** Fetches from a repository, starting from its own root or another. */
async function fetchFrom(repository: TufRepository, root = repository.root): Promise<string> {
  using workspace = new Workspace();
  const rootPath = workspace.path('root.json');
  writeFileSync(rootPath, root);
  return await fetchSigstoreRoot({ mirrorUrl: repository.url, rootPath }, TIMING);
}

/** The reason tells that it was refused for this, and not for something else. */
async function expectUnavailable(reason: RegExp, fetched: Promise<string>): Promise<void> {
  expect((await expectRejection('SIGSTORE_ROOT_UNAVAILABLE', fetched)).message).toMatch(reason);
}

describe('the trusted root of a Sigstore instance', () => {
  test('is fetched as it was signed', async () => {
    await using repository = await TufRepository.start(trustedRoot);
    expect(await fetchFrom(repository)).toBe(trustedRoot);
  });

  test('of another content than was signed is refused', async () => {
    await using repository = await TufRepository.start(trustedRoot);
    repository.files.set('/targets/trusted_root.json', trustedRoot.replace('http://rekor', 'http://evil1'));
    await expectUnavailable(/hash/i, fetchFrom(repository));
  });

  test('of a repository of other keys is refused', async () => {
    await using repository = await TufRepository.start(trustedRoot);
    await using other = await TufRepository.start(trustedRoot);
    await expectUnavailable(/sign/i, fetchFrom(repository, other.root));
  });

  test('of a repository that nobody signs any more is refused', async () => {
    await using repository = await TufRepository.start(trustedRoot, -1);
    await expectUnavailable(/expired/i, fetchFrom(repository));
  });

  test.each(['/timestamp.json', '/snapshot.json', '/targets.json', '/targets/trusted_root.json'])(
    'without %s is refused',
    async (path) => {
      await using repository = await TufRepository.start(trustedRoot);
      repository.files.delete(path);
      await expectUnavailable(/404|failed to download/i, fetchFrom(repository));
    },
  );

  test('that was signed, but is none, is refused', async () => {
    await using repository = await TufRepository.start('{"mediaType":"text/plain"}');
    await expectRejection('TRUST_POLICY_ROOT_INVALID', fetchFrom(repository));
  });

  test('of a repository without a root to start from is refused', async () => {
    await using repository = await TufRepository.start(trustedRoot);
    await expectUnavailable(/No root.json/, fetchSigstoreRoot({ mirrorUrl: repository.url }, TIMING));
  });
});

describe('vespid trust sigstore-root', () => {
  test('writes what it fetched', async () => {
    await using repository = await TufRepository.start(trustedRoot);
    using workspace = new Workspace();
    writeFileSync(workspace.path('root.json'), repository.root);
    const out = workspace.path('trusted_root.json');
    const { exitCode, stdout } = await runVespid(
      ...['trust', 'sigstore-root', '--out', out, '--mirror', `${repository.url}/`],
      ...['--tuf-root', workspace.path('root.json'), '--json'],
    );
    expect({ exitCode, result: JSON.parse(stdout) }).toEqual({
      exitCode: 0,
      result: { ok: true, trustedRoot: out, mirror: repository.url },
    });
    expect(readFileSync(out, 'utf8')).toBe(trustedRoot);
  });

  test.each([
    { name: 'a mirror without its root', args: ['--mirror', 'https://tuf.example.com'], code: 'USAGE' },
    { name: 'a root without its mirror', args: ['--tuf-root', 'root.json'], code: 'USAGE' },
    {
      name: 'a mirror that is no address',
      args: ['--mirror', 'tuf', '--tuf-root', 'root.json'],
      code: 'USAGE',
    },
    {
      name: 'a root that is not there',
      args: ['--mirror', 'https://tuf.example.com', '--tuf-root', '/nowhere/root.json'],
      code: 'INPUT_NOT_FOUND',
    },
  ])('refuses $name', async ({ args, code }) => {
    using workspace = new Workspace();
    const out = workspace.path('trusted_root.json');
    const { exitCode, stdout } = await runVespid('trust', 'sigstore-root', '--out', out, ...args, '--json');
    expect({ exitCode, error: JSON.parse(stdout).error.code }).toEqual({ exitCode: 2, error: code });
  });
});
