import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { policyText, runVespid, Workspace } from './run-vespid.js';

/** What a key limited by the trust policy can get onto a node, tried with what the compiler really makes. */
const workspace = new Workspace();
const at = (name: string) => workspace.path(name);

/** Verifies a bundle by a policy in which the only key has these limits. */
async function verifyBy(bundle: string, may: string) {
  const key = `keys: [{ id: ci, publicKey: ci.pub, may: { ${may} } }]`;
  writeFileSync(at('trust.yaml'), `apiVersion: vespid.dev/v1\nkind: TrustPolicy\nthreshold: 1\n${key}\n`);
  return runVespid('verify', at(bundle), '--trust', at('trust.yaml'));
}

beforeAll(async () => {
  await runVespid('keygen', '--out', at('ci'));
  for (const effect of ['audit', 'deny', 'kill']) {
    writeFileSync(at(`${effect}.yaml`), policyText({ name: effect, effect }));
    await runVespid('compile', at(`${effect}.yaml`), '--out', at(effect));
    const sign = async (input: string, out: string) => {
      const { exitCode } = await runVespid(
        'sign',
        input,
        '--key',
        at('ci.key'),
        '--out',
        at(out),
        '--name',
        'edge',
      );
      expect(exitCode).toBe(0);
    };
    await sign(at(`${effect}.yaml`), `${effect}.bundle`);
    // The object alone: no policy beside it admits to what it does.
    await sign(at(effect), `${effect}-object.bundle`);
  }
}, 60_000);

afterAll(() => workspace[Symbol.dispose]());

describe('a key that may only audit', () => {
  it.each(['audit.bundle', 'audit-object.bundle'])('signs %s', async (bundle) => {
    expect(await verifyBy(bundle, 'effects: [audit]')).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it.each(['deny', 'kill'])('signs neither a policy nor an object that can %s', async (effect) => {
    for (const bundle of [`${effect}.bundle`, `${effect}-object.bundle`]) {
      const { exitCode, stderr } = await verifyBy(bundle, 'effects: [audit]');
      expect(exitCode).toBe(3);
      expect(stderr).toMatch(
        /^BUNDLE_SIGNER_NOT_ENTITLED: ci may not sign program file\.open\.bpf\.o#\S+: effect (deny|kill) is not among its allowed effects/,
      );
    }
  });
});

describe('a key with other limits', () => {
  it.each([
    { name: 'its bundles', may: 'bundles: ["edge*"]' },
    { name: 'the program types that are used', may: 'programTypes: [lsm, tracing]' },
    { name: 'the hooks that are used', may: 'attachTargets: [file_open, sys_exit]' },
    { name: 'all effects', may: 'effects: [audit, deny, kill]' },
  ])('signs within $name', async ({ may }) => {
    expect(await verifyBy('deny.bundle', may)).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it.each([
    {
      name: 'another name',
      may: 'bundles: ["edge-*"]',
      says: 'bundle edge: the name edge is not among its allowed bundles',
    },
    {
      name: 'another program type',
      may: 'programTypes: [lsm]',
      says: 'program type tracing is not among its allowed program types',
    },
    {
      name: 'another hook',
      may: 'attachTargets: [file_open]',
      says: 'attach target sys_exit is not among its allowed attach targets',
    },
    {
      name: 'a denied helper',
      may: 'helpers: { deny: [bpf_send_signal] }',
      says: 'helper bpf_send_signal is among its denied helpers',
    },
    {
      name: 'a helper that is not allowed',
      may: 'helpers: { allow: ["bpf_map_*"] }',
      says: 'is not among its allowed helpers',
    },
  ])('does not sign $name', async ({ may, says }) => {
    const { exitCode, stderr } = await verifyBy('deny.bundle', may);
    expect(exitCode).toBe(3);
    expect(stderr).toContain(says);
  });
});
