import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parsePublicKey } from '../../signing/index.js';
import { policyText, runVespid, Workspace } from './run-vespid.js';

const workspace = new Workspace();
const at = (name: string) => workspace.path(name);
const keyIdOf = (name: string): string => parsePublicKey(readFileSync(at(`${name}.pub`), 'utf8'), name).keyId;

const trust = (name: string, rest: string): string => {
  writeFileSync(at(name), `apiVersion: vespid.dev/v1\nkind: TrustPolicy\n${rest}`);
  return at(name);
};
const explain = (policy: string, ...more: readonly string[]) =>
  runVespid('verify', at('x.bundle'), '--trust', policy, '--explain', ...more);

beforeAll(async () => {
  for (const name of ['ci', 'alice', 'mallory']) await runVespid('keygen', '--out', at(name));
  writeFileSync(at('a.yaml'), policyText({ name: 'a', effect: 'deny' }));
  await runVespid('sign', at('a.yaml'), '--key', at('ci.key'), '--out', at('x.bundle'), '--name', 'edge');
  for (const name of ['alice', 'mallory']) {
    await runVespid('sign', '--add', at('x.bundle'), '--key', at(`${name}.key`));
  }
});

afterAll(() => workspace[Symbol.dispose]());

const AUDIT_ONLY = `threshold: 1
keys: [{ id: ci, publicKey: ci.pub, may: { effects: [audit] } }]
`;

describe('verify --explain', () => {
  it('shows why an accepted bundle is accepted, and then its content', async () => {
    const policy = trust(
      'ok.yaml',
      `threshold: 1
keys:
  - { id: ci, publicKey: ci.pub, may: { effects: [audit] } }
  - { id: alice, publicKey: alice.pub }
groups: { security: [alice] }
require: [{ group: security, threshold: 1 }]
`,
    );
    const { exitCode, stdout, stderr } = await explain(policy);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const tree = stdout.slice(stdout.indexOf(`${at('x.bundle')}: edge`), stdout.indexOf('\n\nKIND'));
    const blocks = tree
      .split('\n')
      .slice(1)
      .join('\n')
      .split(/^(?=[├└])/m);
    expect(blocks.find((block) => block.startsWith('├─ ci'))).toMatch(
      /^├─ ci: key [0-9a-f]{64}\n│ {2}├─ valid: yes\n│ {2}├─ entitled: no, \d+ grants? (is|are) missing\n(│ {2}│ {2}[├└]─ .*: effect (deny|kill) is not among its allowed effects\n)+│ {2}└─ counted: no\n$/,
    );
    expect(blocks.find((block) => block.startsWith('├─ alice'))).toBe(
      `├─ alice: key ${keyIdOf('alice')}\n│  ├─ valid: yes\n│  ├─ entitled: yes, to everything in the bundle\n│  └─ counted: yes\n`,
    );
    expect(blocks.find((block) => block.startsWith('├─ key'))).toBe(
      `├─ key ${keyIdOf('mallory')}\n│  ├─ valid: no, the trust policy does not name it\n│  ├─ entitled: not judged\n│  └─ counted: no\n`,
    );
    expect(blocks.slice(-2)).toEqual([
      '├─ required\n│  ├─ signers: met, 1 of 1: alice\n│  └─ group security: met, 1 of 1: alice\n',
      '└─ accepted by the trust policy',
    ]);
  });

  it('shows why a refused bundle is refused, with exit code 3', async () => {
    const { exitCode, stdout, stderr } = await explain(trust('audit.yaml', AUDIT_ONLY));
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(/^BUNDLE_SIGNER_NOT_ENTITLED: ci may not sign .*: effect deny is not among its/);
    expect(stdout).toContain('│  └─ signers: NOT met, 0 of 1\n└─ REFUSED: BUNDLE_SIGNER_NOT_ENTITLED\n');
  });

  it('says the same to machines, whether accepted or refused', async () => {
    const refused = JSON.parse((await explain(trust('audit.yaml', AUDIT_ONLY), '--json')).stdout);
    expect(refused).toMatchObject({
      ok: false,
      error: {
        code: 'BUNDLE_SIGNER_NOT_ENTITLED',
        details: {
          decision: {
            accepted: false,
            bundle: { name: 'edge' },
            refusal: { code: 'BUNDLE_SIGNER_NOT_ENTITLED' },
            requirements: [{ label: 'signers', needed: 1, counted: 0, by: [], met: false }],
          },
        },
      },
    });
    const ci = refused.error.details.decision.signers.find(({ id }: { id?: string }) => id === 'ci');
    expect(ci).toMatchObject({ standing: 'accepted', counted: false });
    expect(ci.missingGrants[0]).toMatchObject({ grant: 'effects', required: 'deny', allowed: ['audit'] });
    const accepted = await explain(
      trust('all.yaml', 'threshold: 1\nkeys: [{ id: ci, publicKey: ci.pub }]'),
      '--json',
    );
    expect(JSON.parse(accepted.stdout)).toMatchObject({ ok: true, decision: { accepted: true } });
  });

  it('names who is revoked, and why', async () => {
    const policy = trust(
      'revoked.yaml',
      `threshold: 1
keys: [{ id: ci, publicKey: ci.pub }]
revoked: { keys: [{ keyId: ${keyIdOf('mallory')}, reason: "stolen\\e[2J" }] }
`,
    );
    const { exitCode, stdout } = await explain(policy);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/valid: no, it is revoked: stolen/);
    expect(stdout).not.toContain('\u001b');
  });

  it('says when the trust policy was not asked', async () => {
    await runVespid('sign', at('a.yaml'), '--key', at('ci.key'), '--out', at('broken.bundle'));
    rmSync(at('broken.bundle/index.json'));
    const policy = trust('audit.yaml', AUDIT_ONLY);
    const args = ['verify', at('broken.bundle'), '--trust', policy, '--explain'];
    const { exitCode, stdout } = await runVespid(...args);
    expect(exitCode).toBe(3);
    expect(stdout).toBe(`${at('broken.bundle')}: the trust policy was not asked\n`);
  });

  it('says nothing of it when not asked', async () => {
    const { stdout } = await runVespid('verify', at('x.bundle'), '--trust', trust('audit.yaml', AUDIT_ONLY));
    expect(stdout).toBe('');
  });
});
