import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StateFile } from '../../engine/trust/index.js';
import { rememberBundle } from '../../signing/index.js';
import { runVespid, Workspace } from './run-vespid.js';

let workspace: Workspace;
const at = (name: string) => workspace.path(name);

async function run(...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runVespid(...args);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  return stdout;
}

async function runJson(...args: readonly string[]): Promise<Record<string, unknown>> {
  return JSON.parse(await run(...args, '--json'));
}

async function expectFailure(code: string, exitCode: number, ...args: readonly string[]): Promise<string> {
  const ended = await runVespid(...args);
  expect({ code: ended.stderr.split(':')[0], exitCode: ended.exitCode }, ended.stderr).toEqual({
    code,
    exitCode,
  });
  return ended.stderr;
}

function writePolicy(name: string, version: number, roots: readonly string[]): void {
  writeFileSync(
    at(name),
    `apiVersion: vespid.dev/v1
kind: TrustPolicy
version: ${version}
expires: 2999-01-01T00:00:00Z
threshold: 1
keys: [{ id: ci, publicKey: ci.pub }]
rootKeys: { threshold: 2, keys: [${roots.map((root) => `${root}.pub`).join(', ')}] }
`,
  );
}

/** Signs with the given keys, into `NAME.signed.json`. */
const sign = (name: string, ...keys: readonly string[]) =>
  runJson('trust', 'sign', at(`${name}.yaml`), ...keys.flatMap((key) => ['--key', at(`${key}.key`)]));

const keyIds = new Map<string, string>();

beforeEach(async () => {
  workspace = new Workspace();
  for (const name of ['ci', 'alice', 'bob', 'carol']) {
    const { keyId } = await runJson('keygen', '--out', at(name));
    keyIds.set(name, String(keyId));
  }
  writePolicy('v1.yaml', 1, ['alice', 'bob']);
  writePolicy('v2.yaml', 2, ['bob', 'carol']);
});

afterEach(() => workspace[Symbol.dispose]());

describe('trust sign', () => {
  it('signs with one key after another, on machines that share only the file', async () => {
    const first = await runVespid('trust', 'sign', at('v1.yaml'), '--key', at('alice.key'));
    expect(first).toMatchObject({ exitCode: 0 });
    expect(first.stderr).toContain('no node accepts it yet: 1 of 2');
    expect(first.stdout).toContain(`not yet by    ${keyIds.get('bob')}`);
    const value = await runJson(...['trust', 'sign', at('v1.signed.json'), '--add', '--key', at('bob.key')]);
    expect(value).toMatchObject({ version: 1, threshold: 2, complete: true, unsigned: [], others: [] });
    expect(value['signed']).toEqual([keyIds.get('alice'), keyIds.get('bob')]);
  });

  it('needs the public keys once: the signed file stands alone', async () => {
    await sign('v1', 'alice', 'bob');
    writeFileSync(at('ci.pub'), 'gone');
    await run('trust', 'show', at('v1.signed.json'));
  });

  it('takes a key from the environment', async () => {
    process.env['VESPID_TEST_ROOT'] = readFileSync(at('alice.key'), 'utf8');
    try {
      const out = ['--out', at('out.json')];
      const { stderr, exitCode } = await runVespid(
        ...['trust', 'sign', at('v1.yaml'), '--key-env', 'VESPID_TEST_ROOT', ...out],
      );
      expect({ exitCode, exists: existsSync(at('out.json')) }, stderr).toEqual({ exitCode: 0, exists: true });
    } finally {
      delete process.env['VESPID_TEST_ROOT'];
    }
  });

  it('says of a key that is not in the policy where it counts', async () => {
    const { stderr } = await runVespid('trust', 'sign', at('v1.yaml'), '--key', at('carol.key'));
    expect(stderr).toContain(`${keyIds.get('carol')} is not a root key of this policy`);
  });

  it('refuses what it cannot sign', async () => {
    await sign('v1', 'alice', 'bob');
    writeFileSync(at('plain.yaml'), readFileSync(at('v1.yaml'), 'utf8').replace(/rootKeys.*\n/, ''));
    const key = ['--key', at('alice.key')];
    await expectFailure('TRUST_POLICY_NOT_SIGNABLE', 1, 'trust', 'sign', at('plain.yaml'), ...key);
    await expectFailure('USAGE', 2, 'trust', 'sign', at('v1.yaml'), '--add', ...key);
    await expectFailure('USAGE', 2, 'trust', 'sign', at('v1.signed.json'), ...key);
    await expectFailure('USAGE', 2, 'trust', 'sign', at('v1.yaml'));
    await expectFailure('KEY_NOT_PRIVATE', 1, 'trust', 'sign', at('v1.yaml'), '--key', at('alice.pub'));
  });
});

describe('trust update', () => {
  const state = () => ['--state', at('state.json')];
  const pins = () => ['--root', at('alice.pub'), '--root', keyIds.get('bob') ?? ''];

  it('accepts the first by pinned keys, and the next by the first', async () => {
    await sign('v1', 'alice', 'bob');
    await sign('v2', 'alice', 'bob', 'carol');
    const first = await runJson('trust', 'update', at('v1.signed.json'), ...pins(), ...state());
    expect(first['applied']).toMatchObject([{ from: null, version: 1, unknownSigners: [] }]);
    const next = await runJson('trust', 'update', at('v2.signed.json'), ...state());
    expect(next['applied']).toMatchObject([{ from: 1, version: 2, unknownSigners: [] }]);
  });

  it('warns of trust on first use', async () => {
    await sign('v1', 'alice', 'bob');
    const { stderr } = await runVespid('trust', 'update', at('v1.signed.json'), ...state());
    expect(stderr).toContain('trusted on first use');
    expect(stderr).toContain(keyIds.get('alice'));
  });

  it('applies all or none', async () => {
    await sign('v1', 'alice', 'bob');
    await sign('v2', 'bob', 'carol');
    const files = [at('v1.signed.json'), at('v2.signed.json')];
    await expectFailure(
      ...(['TRUST_POLICY_ROOT_THRESHOLD_NOT_MET', 3] as const),
      ...['trust', 'update', ...files, ...state()],
    );
    expect(existsSync(at('state.json'))).toBe(false);
  });

  it('passes through expired ones to one that is not, and stops at none that is', async () => {
    const expired = (name: string) =>
      writeFileSync(at(name), readFileSync(at(name), 'utf8').replace('2999-', '2020-'));
    expired('v1.yaml');
    await runVespid('trust', 'sign', at('v1.yaml'), '--key', at('alice.key'), '--key', at('bob.key'));
    await sign('v2', 'alice', 'bob', 'carol');
    const [v1, v2] = [at('v1.signed.json'), at('v2.signed.json')];
    await expectFailure('TRUST_POLICY_EXPIRED', 3, 'trust', 'update', v1, ...pins(), ...state());
    const { applied } = await runJson('trust', 'update', v1, v2, ...pins(), ...state());
    expect(applied).toMatchObject([{ version: 1 }, { version: 2 }]);
  });

  it('refuses a plain trust policy, a stranger, and a way back', async () => {
    await sign('v1', 'alice', 'bob');
    await sign('v2', 'alice', 'bob', 'carol');
    await expectFailure('TRUST_POLICY_UNSIGNED', 3, 'trust', 'update', at('v1.yaml'), ...state());
    await expectFailure(
      ...(['TRUST_POLICY_ROOT_KEY_MISSING', 3] as const),
      ...['trust', 'update', at('v1.signed.json'), '--root', at('carol.pub'), ...state()],
    );
    await run('trust', 'update', at('v1.signed.json'), at('v2.signed.json'), ...pins(), ...state());
    await expectFailure(
      ...(['TRUST_POLICY_ROOT_THRESHOLD_NOT_MET', 3] as const),
      ...['trust', 'update', at('v1.signed.json'), ...state()],
    );
  });
});

describe('trust state', () => {
  const state = () => ['--state', at('state.json')];
  const release = { name: 'starter', version: '1.4.0', digest: `sha256:${'a'.repeat(64)}` };

  beforeEach(async () => {
    await sign('v1', 'alice', 'bob');
    const pinned = ['--root', at('alice.pub')];
    await run('trust', 'update', at('v1.signed.json'), ...pinned, ...state());
    new StateFile(at('state.json')).update((memory) => rememberBundle(memory, release));
  });

  it('shows what is remembered, for people and for machines', async () => {
    const text = await run('trust', 'state', 'show', ...state());
    for (const fact of ['version 1', '2 of 2', keyIds.get('alice'), 'starter', '1.4.0']) {
      expect(text).toContain(fact);
    }
    expect(await runJson('trust', 'state', 'show', ...state())).toEqual({
      ok: true,
      state: at('state.json'),
      trustPolicy: {
        version: 1,
        digest: expect.stringMatching(/^sha256:/),
        threshold: 2,
        rootKeys: [keyIds.get('alice'), keyIds.get('bob')],
      },
      bundles: [release],
    });
  });

  it('shows an empty memory, and makes no file of it', async () => {
    const { bundles } = await runJson('trust', 'state', 'show', '--state', at('none.json'));
    expect(bundles).toEqual([]);
    expect(existsSync(at('none.json'))).toBe(false);
  });

  it('forgets what it is told to, and only that', async () => {
    const left = await runJson('trust', 'state', 'forget', 'starter', ...state());
    expect(left).toMatchObject({ bundles: [], trustPolicy: { version: 1 } });
    const nothing = await runJson('trust', 'state', 'forget', '--trust-policy', ...state());
    expect(nothing).toEqual({ ok: true, state: at('state.json'), bundles: [] });
  });

  it('forgets nothing when one thing is unknown', async () => {
    const words = ['trust', 'state', 'forget', 'starter', 'startre', ...state()];
    await expectFailure('TRUST_STATE_NOT_REMEMBERED', 1, ...words);
    await expectFailure('USAGE', 2, 'trust', 'state', 'forget', ...state());
    expect((await runJson('trust', 'state', 'show', ...state()))['bundles']).toEqual([release]);
  });

  it('says what is wrong with a damaged file, and leaves it', async () => {
    writeFileSync(at('state.json'), 'x', { flag: 'a' });
    await expectFailure('TRUST_STATE_CORRUPT', 3, 'trust', 'state', 'show', ...state());
    await expectFailure('TRUST_STATE_CORRUPT', 3, 'trust', 'state', 'forget', 'starter', ...state());
  });
});
