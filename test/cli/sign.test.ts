import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openBundleSource, writeBundle } from '../../engine/bundles/index.js';
import { computePredicate } from '../../engine/loader/index.js';
import {
  createBundle,
  decodeSigstoreBundle,
  generateKeyPair,
  inspectBundle,
  KeySigner,
  parsePrivateKey,
} from '../../signing/index.js';
import { policyText, runVespid, Workspace } from './run-vespid.js';

let workspace: Workspace;
const at = (name: string) => workspace.path(name);

/** A command line that has to succeed without a word on standard error, as the value that it prints. */
async function runJson(...args: readonly string[]): Promise<Record<string, unknown>> {
  const { exitCode, stdout, stderr } = await runVespid(...args, '--json');
  expect({ exitCode, stderr, stdout: exitCode === 0 ? '' : stdout }).toEqual({
    exitCode: 0,
    stderr: '',
    stdout: '',
  });
  return JSON.parse(stdout);
}

/** The code of a command line that has to fail. */
async function refusal(...args: readonly string[]): Promise<{ exitCode: number; code: string }> {
  const { exitCode, stdout } = await runVespid(...args, '--json');
  return { exitCode: Number(exitCode), code: JSON.parse(stdout).error?.code };
}

/** The payload of each attestation of a bundle, in base64. */
async function payloadsOf(path: string): Promise<string[]> {
  const source = await openBundleSource(path);
  const payloads: string[] = [];
  for (const file of (await source.list()).keys()) {
    const bytes = await source.read(file);
    if (!new TextDecoder().decode(bytes).includes('"dsseEnvelope"')) continue;
    payloads.push(Buffer.from(decodeSigstoreBundle(bytes, file).payload).toString('base64'));
  }
  return payloads;
}

beforeEach(async () => {
  workspace = new Workspace();
  for (const name of ['ci', 'security']) await runVespid('keygen', '--out', at(name));
  writeFileSync(at('a.yaml'), policyText({ name: 'a' }));
  writeFileSync(
    at('both.yaml'),
    `apiVersion: vespid.dev/v1
kind: TrustPolicy
threshold: 2
keys:
  - { id: ci, publicKey: ci.pub }
  - { id: security, publicKey: security.pub }
`,
  );
});

afterEach(() => {
  vi.unstubAllEnvs();
  workspace[Symbol.dispose]();
});

const verifyBoth = (bundle: string) => runVespid('verify', bundle, '--trust', at('both.yaml'));

describe('sign', () => {
  it('signs with several keys at once', async () => {
    const keys = ['--key', at('ci.key'), '--key', at('security.key')];
    const value = await runJson('sign', at('a.yaml'), ...keys, '--out', at('x.bundle'));
    expect(value).toMatchObject({ signers: [/^key /, /^key /].map((form) => expect.stringMatching(form)) });
    expect((await verifyBoth(at('x.bundle'))).exitCode).toBe(0);
  });

  it.each([
    { name: 'PEM', encode: (pem: string) => pem },
    { name: 'base64 of PEM', encode: (pem: string) => Buffer.from(pem).toString('base64') },
  ])('signs with a key in the environment, as $name', async ({ encode }) => {
    vi.stubEnv('SIGNING_KEY', encode(readFileSync(at('security.key'), 'utf8')));
    const keys = ['--key', at('ci.key'), '--key-env', 'SIGNING_KEY'];
    await runJson('sign', at('a.yaml'), ...keys, '--out', at('x.bundle'));
    expect((await verifyBoth(at('x.bundle'))).exitCode).toBe(0);
  });

  it('signs with a key under a passphrase', async () => {
    vi.stubEnv('VESPID_PASSPHRASE', 'correct horse');
    await runJson('keygen', '--encrypt', '--force', '--out', at('security'));
    const keys = ['--key', at('ci.key'), '--key', at('security.key')];
    await runJson('sign', at('a.yaml'), ...keys, '--out', at('x.bundle'));
    expect((await verifyBoth(at('x.bundle'))).exitCode).toBe(0);
  });

  it('signs by a command, and writes nothing when it used another key', async () => {
    writeFileSync(
      at('sign.mjs'),
      `import { sign } from 'node:crypto'; import { readFileSync } from 'node:fs';
       process.stdout.write(sign(null, readFileSync(0), readFileSync(process.argv[2])).toString('base64'));`,
    );
    const command = (key: string) => `'${process.execPath}' '${at('sign.mjs')}' '${at(key)}'`;
    const sign = (key: string, out: string) => [
      ...['sign', at('a.yaml'), '--key', at('ci.key'), '--out', at(out)],
      ...['--sign-command', command(key), '--public-key', at('security.pub')],
    ];
    await runJson(...sign('security.key', 'x.bundle'));
    expect((await verifyBoth(at('x.bundle'))).exitCode).toBe(0);
    expect(await refusal(...sign('ci.key', 'y.bundle'))).toEqual({
      exitCode: 1,
      code: 'SIGNER_KEY_MISMATCH',
    });
    expect(existsSync(at('y.bundle'))).toBe(false);
  });
});

/** What GitHub Actions documents as always set; the values are those of its documentation. */
const GITHUB = {
  GITHUB_ACTIONS: 'true',
  GITHUB_SERVER_URL: 'https://github.com',
  GITHUB_REPOSITORY: 'octocat/hello-world',
  GITHUB_REPOSITORY_ID: '123456789',
  GITHUB_REPOSITORY_OWNER_ID: '1234567',
  GITHUB_REF: 'refs/heads/main',
  GITHUB_SHA: 'ffac537e6cbbf934b08745a378932722df287a53',
  GITHUB_WORKFLOW_REF: 'octocat/hello-world/.github/workflows/release.yml@refs/heads/main',
  GITHUB_EVENT_NAME: 'push',
  GITHUB_RUN_ID: '1658821493',
  GITHUB_RUN_ATTEMPT: '1',
  RUNNER_ENVIRONMENT: 'github-hosted',
};

describe('sign --provenance', () => {
  const sign = (...more: readonly string[]) => [
    ...['sign', at('a.yaml'), '--key', at('ci.key'), '--key', at('security.key'), '--out', at('x.bundle')],
    ...more,
  ];
  const stubAll = (variables: Readonly<Record<string, string>>) => {
    for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  };

  beforeEach(() => stubAll({ GITHUB_ACTIONS: '', GITLAB_CI: '' }));

  it('attests the CI job by itself, besides the bundle, for each signer', async () => {
    stubAll(GITHUB);
    expect(await runJson(...sign())).toMatchObject({ provenance: true });
    const payloads = (await payloadsOf(at('x.bundle'))).map((text) => Buffer.from(text, 'base64').toString());
    expect(
      payloads.filter((text) => text.includes('"predicateType":"https://slsa.dev/provenance/v1"')),
    ).toHaveLength(2);
    expect(payloads).toHaveLength(4);
    expect((await verifyBoth(at('x.bundle'))).exitCode).toBe(0);
  });

  it('attests nothing of the kind outside of CI, or when it is told so', async () => {
    expect(await runJson(...sign())).toMatchObject({ provenance: false });
    stubAll(GITHUB);
    expect(await runJson(...sign('--provenance', 'none'))).toMatchObject({ provenance: false });
    expect(await payloadsOf(at('x.bundle'))).toHaveLength(2);
  });

  it('attests what a file says, and refuses one that says something else', async () => {
    const predicate = {
      buildDefinition: { buildType: 'https://builds.example/v1', externalParameters: { target: 'release' } },
      runDetails: { builder: { id: 'https://builds.example/worker' } },
    };
    writeFileSync(at('provenance.json'), JSON.stringify(predicate));
    expect(await runJson(...sign('--provenance', at('provenance.json')))).toMatchObject({ provenance: true });
    writeFileSync(at('provenance.json'), '{}');
    expect(await refusal(...sign('--provenance', at('provenance.json')))).toMatchObject({
      code: 'PROVENANCE_INVALID',
    });
    expect(await refusal(...sign('--provenance', at('missing')))).toMatchObject({ code: 'INPUT_NOT_FOUND' });
  });

  it('stays when a signer is added', async () => {
    stubAll(GITHUB);
    await runJson('sign', at('a.yaml'), '--key', at('ci.key'), '--out', at('x.bundle'));
    await runJson('sign', '--add', at('x.bundle'), '--key', at('security.key'));
    expect(await payloadsOf(at('x.bundle'))).toHaveLength(3);
    expect((await verifyBoth(at('x.bundle'))).exitCode).toBe(0);
  });
});

describe('sign --bundle-version', () => {
  const sign = (version: string) => [
    ...['sign', at('a.yaml'), '--key', at('ci.key'), '--key', at('security.key'), '--out', at('x.bundle')],
    ...['--bundle-version', version],
  ];

  it('is signed as part of the bundle', async () => {
    expect(await runJson(...sign('1.4.0-rc.1'))).toMatchObject({ version: '1.4.0-rc.1' });
    expect((await runVespid('verify', at('x.bundle'), '--trust', at('both.yaml'))).exitCode).toBe(0);
    expect((await inspectBundle(await openBundleSource(at('x.bundle')))).version).toBe('1.4.0-rc.1');
  });

  it.each(['1.4', 'v1.4.0', '01.4.0', ''])('is refused as %j', async (version) => {
    expect(await refusal(...sign(version))).toMatchObject({ code: 'SIGN_VERSION_INVALID' });
  });
});

describe('sign --out FILE.tar', () => {
  it('writes one file, named without its ending, to which a signer can be added', async () => {
    const value = await runJson('sign', at('a.yaml'), '--key', at('ci.key'), '--out', at('x.tar'));
    expect(value).toMatchObject({ bundle: at('x.tar'), name: 'x' });
    await runJson('sign', '--add', at('x.tar'), '--key', at('security.key'));
    expect(statSync(at('x.tar')).isFile()).toBe(true);
    expect((await verifyBoth(at('x.tar'))).exitCode).toBe(0);
  });
});

describe('sign --add', () => {
  const add = (...more: readonly string[]) => [
    'sign',
    '--add',
    at('x.bundle'),
    '--key',
    at('security.key'),
    ...more,
  ];

  beforeEach(async () => {
    await runJson('sign', at('a.yaml'), '--key', at('ci.key'), '--out', at('x.bundle'));
  });

  it('says so when the signer had signed before', async () => {
    const again = await runJson('sign', '--add', at('x.bundle'), '--key', at('ci.key'));
    expect(again).toMatchObject({
      attestations: 1,
      warnings: [expect.stringContaining('nothing was added')],
    });
    expect(await runJson(...add())).not.toHaveProperty('warnings');
  });

  it('adds a signer and changes nothing of what is signed', async () => {
    const before = await inspectBundle(await openBundleSource(at('x.bundle')));
    const [payload] = await payloadsOf(at('x.bundle'));
    expect((await verifyBoth(at('x.bundle'))).exitCode).toBe(3);
    const value = await runJson(...add());
    expect(value).toMatchObject({ digest: before.digest, attestations: 2 });
    expect(await payloadsOf(at('x.bundle'))).toEqual([payload, payload]);
    expect((await verifyBoth(at('x.bundle'))).exitCode).toBe(0);
  });

  it('shows what is being vouched for before it says that it signed', async () => {
    const { stdout, stderr } = await runVespid(...add());
    expect(stderr).toMatch(/^Vouching for:/);
    expect(stderr).toContain('file.open.bpf.o');
    expect(stdout).toContain('signature added');
  });

  it('signs twice with one key to the same bundle', async () => {
    await runJson(...add());
    const once = await payloadsOf(at('x.bundle'));
    expect(await runJson(...add())).toMatchObject({ attestations: 2 });
    expect(await payloadsOf(at('x.bundle'))).toEqual(once);
  });

  it('leaves the bundle alone when it is told another place', async () => {
    await runJson(...add('--out', at('y.bundle')));
    expect(await payloadsOf(at('x.bundle'))).toHaveLength(1);
    expect((await verifyBoth(at('y.bundle'))).exitCode).toBe(0);
  });

  it('refuses claims that are not true, whoever signed them, and writes nothing', async () => {
    const bytes = readFileSync(at('a.yaml'));
    const policies = [{ name: 'a.yaml', bytes }];
    const input = { name: 'lie', policies, objects: [] };
    const predicate = computePredicate(input, '0.0.0');
    const lie = {
      ...predicate,
      policies: predicate.policies.map((claim) => ({ ...claim, effects: ['deny'] })),
    };
    const key = new KeySigner(parsePrivateKey(readFileSync(at('ci.key'), 'utf8'), 'ci.key'));
    await writeBundle(at('x.bundle'), await createBundle(input, lie, [key]));
    expect(await refusal(...add())).toEqual({ exitCode: 3, code: 'BUNDLE_CLAIM_FALSE' });
    expect(await payloadsOf(at('x.bundle'))).toHaveLength(1);
  });
});

describe('sign refuses', () => {
  const rows: readonly { name: string; args: readonly string[] }[] = [
    { name: 'nothing to sign', args: ['--key', '@ci.key', '--out', '@x'] },
    { name: 'nobody to sign', args: ['@a.yaml', '--out', '@x'] },
    { name: 'one key twice', args: ['@a.yaml', '--key', '@ci.key', '--key', '@ci.key', '--out', '@x'] },
    { name: 'no place for the bundle', args: ['@a.yaml', '--key', '@ci.key'] },
    { name: 'a command without its key', args: ['@a.yaml', '--sign-command', 'cat', '--out', '@x'] },
    { name: 'a public key without its command', args: ['@a.yaml', '--public-key', '@ci.pub', '--out', '@x'] },
    {
      name: 'a command with an open quote',
      args: ['@a.yaml', '--sign-command', "cat '", '--public-key', '@ci.pub', '--out', '@x'],
    },
    { name: 'a time that is none', args: ['@a.yaml', '--sign-timeout', '1.5', '--out', '@x'] },
    {
      name: 'options of keyless alone',
      args: ['@a.yaml', '--key', '@ci.key', '--rekor-url', 'https://x', '--out', '@x'],
    },
    { name: 'inputs beside --add', args: ['@a.yaml', '--add', '@x', '--key', '@ci.key'] },
    { name: 'a name beside --add', args: ['--add', '@x', '--name', 'y', '--key', '@ci.key'] },
    {
      name: 'a version beside --add',
      args: ['--add', '@x', '--bundle-version', '1.0.0', '--key', '@ci.key'],
    },
  ];

  it.each(rows)('$name', async ({ args }) => {
    const words = args.map((word) => (word.startsWith('@') ? at(word.slice(1)) : word));
    expect(await refusal('sign', ...words)).toEqual({ exitCode: 2, code: 'USAGE' });
    expect(existsSync(at('x'))).toBe(false);
  });

  it('a variable that is not set', async () => {
    const args = ['sign', at('a.yaml'), '--key-env', 'VESPID_NOT_SET', '--out', at('x')];
    expect(await refusal(...args)).toEqual({ exitCode: 2, code: 'SIGNER_VARIABLE_MISSING' });
  });

  it('to quote a variable that holds something else', async () => {
    vi.stubEnv('SIGNING_KEY', generateKeyPair().privateKeyPem.slice(0, 80));
    const { exitCode, stdout, stderr } = await runVespid(
      ...['sign', at('a.yaml'), '--key-env', 'SIGNING_KEY', '--out', at('x'), '--verbose'],
    );
    expect(exitCode).toBe(1);
    expect(stdout + stderr).toContain('SIGNING_KEY');
    expect(stdout + stderr).not.toContain('MC4CAQAw');
  });
});
