import { chmodSync, lstatSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parsePublicKey } from '../../signing/index.js';
import { type RunResult, runVespid, trustPolicyText, Workspace } from './run-vespid.js';

let workspace: Workspace;
const at = (name: string) => workspace.path(name);

const POLICY = `# who may sign what
apiVersion: vespid.dev/v1
kind: TrustPolicy
expires: 2099-01-01T00:00:00Z
threshold: 2
keys:
  - id: ci # the build
    publicKey: ci.pub
    may:
      bundles: ["edge-*"]
      helpers: { allow: ["bpf_get_*"], deny: [bpf_send_signal] }
      attachTargets: ["", "file_*"]
      effects: [audit]
  - { id: alice, publicKey: alice.pub, validUntil: "2098-01-01T00:00:00Z" }
  - { id: bob, publicKey: bob.pub, validFrom: 2098-01-01T00:00:00Z }
groups: { security: [alice, bob] }
require: [{ group: security, threshold: 1 }]
revoked: { digests: [{ digest: "sha256:${'0'.repeat(64)}", reason: CVE-2026-1 }] }
minimumVersions: { edge-1: 1.4.0 }
provenance: { builders: [https://builder/1] }
`;

beforeEach(async () => {
  workspace = new Workspace();
  for (const name of ['ci', 'alice', 'bob']) await runVespid('keygen', '--out', at(name));
  writeFileSync(at('trust.yaml'), POLICY);
});

afterEach(() => workspace[Symbol.dispose]());

describe('trust show', () => {
  it('says who may sign what, until when, what is needed and what is revoked', async () => {
    const { exitCode, stdout, stderr } = await runVespid('trust', 'show', at('trust.yaml'));
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    for (const line of [
      /^expires +2099-01-01T00:00:00\.000Z, in \d+ days$/m,
      /^needs +2 of 3 signers$/m,
      /^needs +1 of group security: alice, bob$/m,
      /^needs +SLSA provenance by https:\/\/builder\/1$/m,
      /^needs +edge-1 of version 1\.4\.0 or later$/m,
      /^ci +accepted +for ever +key [0-9a-f]{64}$/m,
      /^alice +accepted +2098-01-01T00:00:00\.000Z, in \d+ days +key /m,
      /^bob +not-yet-valid /m,
      /^ci may sign only$/m,
      /^ {2}bundles +edge-\*$/m,
      /^ {2}helpers +bpf_get_\*, but not bpf_send_signal$/m,
      /^ {2}attach targets +"" \(none\), file_\*$/m,
      /^ {2}effects +audit$/m,
      /^alice may sign everything$/m,
      /^sha256:0{64} +CVE-2026-1$/m,
    ]) {
      expect(stdout).toMatch(line);
    }
  });

  it('says the same to machines', async () => {
    const { stdout } = await runVespid('trust', 'show', at('trust.yaml'), '--json');
    expect(JSON.parse(stdout)).toEqual({
      ...{ ok: true, trust: at('trust.yaml'), expires: '2099-01-01T00:00:00.000Z', threshold: 2 },
      signers: [
        {
          ...{ id: 'ci', kind: 'key', keyId: expect.any(String), standing: 'accepted' },
          may: {
            bundles: ['edge-*'],
            helpers: { allow: ['bpf_get_*'], deny: ['bpf_send_signal'] },
            attachTargets: ['', 'file_*'],
            effects: ['audit'],
          },
        },
        expect.objectContaining({ id: 'alice', validUntil: '2098-01-01T00:00:00.000Z' }),
        expect.objectContaining({ id: 'bob', standing: 'not-yet-valid' }),
      ],
      groups: { security: ['alice', 'bob'] },
      require: [{ group: 'security', threshold: 1 }],
      revoked: { keys: [], identities: [], digests: [{ digest: expect.any(String), reason: 'CVE-2026-1' }] },
      minimumVersions: { 'edge-1': '1.4.0' },
      provenance: { builders: ['https://builder/1'] },
    });
  });

  it('shows an expired policy, too', async () => {
    writeFileSync(at('old.yaml'), POLICY.replace('2099', '2020'));
    const { exitCode, stdout } = await runVespid('trust', 'show', at('old.yaml'));
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^expires +2020-01-01T00:00:00\.000Z, past$/m);
  });
});

describe('trust check', () => {
  it('finds nothing to say of a sound policy', async () => {
    const sound = trustPolicyText('ci.pub')
      .concat('    may: { effects: [audit] }\n')
      .concat('  - { id: alice, publicKey: alice.pub, may: { programTypes: [cgroup_skb] } }\n');
    writeFileSync(at('sound.yaml'), sound);
    expect(await runVespid('trust', 'check', at('sound.yaml'), '--strict')).toEqual({
      exitCode: 0,
      stdout: `${at('sound.yaml')} is sound\n`,
      stderr: '',
    });
  });

  it('warns, and fails only when asked to', async () => {
    const lenient = await runVespid('trust', 'check', at('trust.yaml'));
    expect(lenient.exitCode).toBe(0);
    expect(lenient.stderr).toMatch(/^warning: alice may sign everything/m);
    const strict = await runVespid('trust', 'check', at('trust.yaml'), '--strict', '--json');
    expect(strict.exitCode).toBe(1);
    expect(JSON.parse(strict.stdout)).toMatchObject({
      ok: false,
      error: { code: 'TRUST_POLICY_DOUBTFUL', details: { warnings: expect.any(Array) } },
    });
  });

  it('knows the names that claims have', async () => {
    const known = POLICY.replace(
      'attachTargets: ["", "file_*"]',
      'programTypes: [lsm, cgroup_sock_addr, xdpp]',
    );
    writeFileSync(at('known.yaml'), known);
    const { stderr } = await runVespid('trust', 'check', at('known.yaml'));
    expect(stderr.match(/matches nothing/g)).toHaveLength(1);
    expect(stderr).toContain('xdpp matches nothing that is known; did you mean xdp?');
  });

  it('points at a fault', async () => {
    writeFileSync(at('bad.yaml'), POLICY.replace('security: [alice', 'security: [alize'));
    const { exitCode, stderr } = await runVespid('trust', 'check', at('bad.yaml'));
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/bad\.yaml:\d+:\d+: TRUST_POLICY_GROUP_INVALID: .*alize/);
    expect(stderr).toContain('did you mean alice?');
  });
});

const textOf = (name: string): string => readFileSync(at(name), 'utf8');
const keyIdOf = (name: string): string => parsePublicKey(textOf(`${name}.pub`), name).keyId;

/** Runs a command that has to succeed, and gives the lines that it added to the policy. */
async function addedLines(...args: readonly string[]): Promise<string[]> {
  const before = textOf('trust.yaml').split('\n');
  const { exitCode, stderr } = await runVespid('trust', ...args);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  const after = textOf('trust.yaml').split('\n');
  const kept = after.filter((line) => before.includes(line));
  expect(kept).toEqual(before.filter((line) => after.includes(line)));
  return after.filter((line) => !before.includes(line));
}

async function refused(...args: readonly string[]): Promise<RunResult> {
  const before = textOf('trust.yaml');
  const result = await runVespid('trust', ...args);
  expect(result.exitCode).not.toBe(0);
  expect(textOf('trust.yaml')).toBe(before);
  return result;
}

describe('trust add', () => {
  beforeEach(() => runVespid('keygen', '--out', at('carol')));

  it('adds a key with its limits and groups, and leaves every other line as it was', async () => {
    const terms = ['--effect', 'audit', '--bundle', 'edge-*', '--deny-helper', 'bpf_send_signal'];
    const more = ['--valid-until', '2099-01-01T00:00:00Z', '--group', 'security'];
    expect(await addedLines('add', 'key', at('trust.yaml'), at('carol.pub'), ...terms, ...more)).toEqual([
      '  - { id: carol, publicKey: carol.pub, validUntil: "2099-01-01T00:00:00Z", may: { bundles: ["edge-*"], helpers: { deny: [bpf_send_signal] }, effects: [audit] } }',
      'groups: { security: [alice, bob, carol] }',
    ]);
    expect((await runVespid('trust', 'show', at('trust.yaml'))).stdout).toContain(keyIdOf('carol'));
  });

  it('puts the key itself into the policy when asked to', async () => {
    await addedLines('add', 'key', at('trust.yaml'), at('carol.pub'), '--id', 'c', '--inline');
    expect((await runVespid('trust', 'show', at('trust.yaml'))).stdout).toContain(keyIdOf('carol'));
  });

  it('adds an identity, and the trusted root that it needs', async () => {
    writeFileSync(at('root.json'), '{}');
    const who = ['--id', 'release', '--issuer', 'https://issuer.example'];
    const subject = ['--subject-pattern', 'https://github.com/acme/x@refs/tags/*'];
    const identity = ['add', 'identity', at('trust.yaml'), ...who, ...subject];
    expect((await refused(...identity)).stderr).toContain('missing field "sigstore"');
    expect(await addedLines(...identity, '--trusted-root', at('root.json'))).toEqual([
      ...['sigstore:', '  trustedRoot: root.json', 'identities:', '  - id: release'],
      ...['    issuer: https://issuer.example', '    subjectPattern: https://github.com/acme/x@refs/tags/*'],
    ]);
  });

  it.each<{ name: string; args: () => readonly string[]; code: string }>([
    {
      name: 'a key twice',
      args: () => ['key', at('trust.yaml'), at('ci.pub'), '--id', 'x'],
      code: 'TRUST_POLICY_KEY_DUPLICATE',
    },
    {
      name: 'an id twice',
      args: () => ['key', at('trust.yaml'), at('carol.pub'), '--id', 'ci'],
      code: 'TRUST_POLICY_ID_DUPLICATE',
    },
    {
      name: 'an unknown effect',
      args: () => ['key', at('trust.yaml'), at('carol.pub'), '--effect', 'Audit'],
      code: 'TRUST_POLICY_INVALID',
    },
    {
      name: 'a bad date',
      args: () => ['key', at('trust.yaml'), at('carol.pub'), '--valid-until', 'soon'],
      code: 'TRUST_POLICY_DATE_INVALID',
    },
    { name: 'a private key', args: () => ['key', at('trust.yaml'), at('carol.key')], code: 'KEY_NOT_PUBLIC' },
    {
      name: 'a file that is not there',
      args: () => ['key', at('trust.yaml'), at('gone/x.pub')],
      code: 'INPUT_NOT_FOUND',
    },
    {
      name: 'an identity without subject',
      args: () => ['identity', at('trust.yaml'), '--id', 'x', '--issuer', 'https://i.example'],
      code: 'TRUST_POLICY_INVALID',
    },
  ])('refuses $name and changes nothing', async ({ args, code }) => {
    expect((await refused('add', ...args())).stderr).toContain(`${code}: `);
  });

  it('only prints the change with --dry-run', async () => {
    const before = textOf('trust.yaml');
    const args = ['trust', 'add', 'key', at('trust.yaml'), at('carol.pub'), '--dry-run'];
    const { stdout } = await runVespid(...args);
    expect(stdout).toContain('\n+  - { id: carol, publicKey: carol.pub }\n');
    expect(JSON.parse((await runVespid(...args, '--json')).stdout)).toEqual({
      ...{ ok: true, trust: at('trust.yaml'), written: false },
      diff: expect.stringContaining('+  - { id: carol'),
    });
    expect(textOf('trust.yaml')).toBe(before);
  });

  it('keeps the mode of the file, and a link to it', async () => {
    chmodSync(at('trust.yaml'), 0o640);
    symlinkSync('trust.yaml', at('link.yaml'));
    await addedLines('add', 'key', at('link.yaml'), at('carol.pub'));
    expect(lstatSync(at('link.yaml')).isSymbolicLink()).toBe(true);
    expect(statSync(at('trust.yaml')).mode & 0o777).toBe(0o640);
  });
});

describe('trust revoke', () => {
  it('revokes a key by its id, and a bundle by its digest', async () => {
    expect(await addedLines('revoke', 'key', at('trust.yaml'), 'ci', '--reason', 'lost: INC-7')).toEqual([
      `revoked: { digests: [{ digest: "sha256:${'0'.repeat(64)}", reason: CVE-2026-1 }], keys: [{ keyId: ${keyIdOf('ci')}, reason: "lost: INC-7" }] }`,
    ]);
    const digest = `sha256:${'1'.repeat(64)}`;
    await addedLines('revoke', 'digest', at('trust.yaml'), digest, '--reason', 'CVE-2026-2');
    const { stdout } = await runVespid('trust', 'show', at('trust.yaml'));
    expect(stdout).toMatch(new RegExp(`^key ${keyIdOf('ci')} +lost: INC-7$`, 'm'));
    expect(stdout).toMatch(new RegExp(`^${digest} +CVE-2026-2$`, 'm'));
    expect(stdout).toMatch(/^ci +revoked/m);
  });

  it('revokes a key that the policy does not name', async () => {
    const keyId = 'ab'.repeat(32);
    await addedLines('revoke', 'key', at('trust.yaml'), keyId, '--reason', 'stolen');
    expect(textOf('trust.yaml')).toContain(keyId);
  });

  it('revokes one subject of an issuer', async () => {
    const who = ['https://issuer.example', 'https://github.com/acme/x@refs/tags/v3'];
    await addedLines('revoke', 'identity', at('trust.yaml'), ...who, '--reason', 'bad build');
    expect((await runVespid('trust', 'show', at('trust.yaml'))).stdout).toContain('bad build');
  });

  it.each<{ name: string; args: () => readonly string[]; says: string }>([
    {
      name: 'an unknown key',
      args: () => ['key', at('trust.yaml'), 'cy', '--reason', 'x'],
      says: 'did you mean ci?',
    },
    { name: 'no reason', args: () => ['key', at('trust.yaml'), 'ci'], says: '--reason' },
    {
      name: 'a digest of another form',
      args: () => ['digest', at('trust.yaml'), 'md5:1', '--reason', 'x'],
      says: 'TRUST_POLICY_INVALID: ',
    },
  ])('refuses $name and changes nothing', async ({ args, says }) => {
    expect((await refused('revoke', ...args())).stderr).toContain(says);
  });

  it('says so when nobody could sign any more', async () => {
    await addedLines('revoke', 'key', at('trust.yaml'), 'alice', '--reason', 'left');
    const { stderr } = await refused('revoke', 'key', at('trust.yaml'), 'ci', '--reason', 'left');
    expect(stderr).toContain('TRUST_POLICY_THRESHOLD_UNREACHABLE: ');
    expect(stderr).toContain('lower the threshold or add signers');
  });
});
