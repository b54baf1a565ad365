import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runVespid, trustPolicyText, Workspace } from './run-vespid.js';

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
