import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBundle } from '../../engine/agent/index.js';
import { writeBundle } from '../../engine/bundles/index.js';
import { VespidError } from '../../engine/errors/index.js';
import { computePredicate } from '../../engine/loader/index.js';
import { openTrustPolicy } from '../../engine/trust/index.js';
import {
  type BundlePredicate,
  createBundle,
  KeySigner,
  type ProgramClaim,
  parsePrivateKey,
} from '../../signing/index.js';
import { policyText, runVespid, Workspace } from './run-vespid.js';

/**
 * A signer that is trusted within limits, and lies: the statement claims what the limits allow, the object does more.
 * Signatures, digests and subjects all fit, so that only the bytes can tell.
 */
const workspace = new Workspace();
const at = (name: string) => workspace.path(name);

const LIMITS = 'helpers: { deny: ["bpf_send_signal*"] }, effects: [audit]';

beforeAll(async () => {
  await runVespid('keygen', '--out', at('ci'));
  writeFileSync(at('kill.yaml'), policyText({ effect: 'kill' }));
  await runVespid('compile', at('kill.yaml'), '--out', at('objects'));
  const key = `keys: [{ id: ci, publicKey: ci.pub, may: { ${LIMITS} } }]`;
  writeFileSync(at('trust.yaml'), `apiVersion: vespid.dev/v1\nkind: TrustPolicy\nthreshold: 1\n${key}\n`);
}, 60_000);

afterAll(() => workspace[Symbol.dispose]());

/** Signs what an honest `vespid sign` would sign, with other claims. */
async function signClaiming(lie: (predicate: BundlePredicate) => BundlePredicate): Promise<string> {
  const bytes = Uint8Array.from(readFileSync(at('objects/file.open.bpf.o')));
  const input = { name: 'edge', policies: [], objects: [{ name: 'file.open.bpf.o', bytes }] };
  const key = new KeySigner(parsePrivateKey(readFileSync(at('ci.key'), 'utf8'), 'ci.key'));
  await writeBundle(
    at('lie.bundle'),
    await createBundle(input, lie(computePredicate(input, '0.0.0')), [key]),
  );
  return at('lie.bundle');
}

const inEach =
  (lie: (claim: ProgramClaim) => Partial<ProgramClaim>) =>
  (predicate: BundlePredicate): BundlePredicate => ({
    ...predicate,
    programs: predicate.programs.map((claim) => ({ ...claim, ...lie(claim) })),
  });
const harmless = inEach(({ helpers }) => ({
  effects: [],
  helpers: helpers.filter((name) => !name.startsWith('bpf_send_signal')),
}));

describe('a statement that is validly signed and false', () => {
  it.each<{ what: string; lie: (predicate: BundlePredicate) => BundlePredicate; code: string }>([
    { what: 'nothing: it is true, and not allowed', lie: (it) => it, code: 'BUNDLE_SIGNER_NOT_ENTITLED' },
    { what: 'fewer helpers and effects than the programs have', lie: harmless, code: 'BUNDLE_CLAIM_FALSE' },
    {
      what: 'half of the programs',
      lie: (predicate) => ({ ...harmless(predicate), programs: harmless(predicate).programs.slice(1) }),
      code: 'BUNDLE_CLAIM_FALSE',
    },
    {
      what: 'another program type',
      lie: (predicate) => inEach(() => ({ type: 'tracing' }))(harmless(predicate)),
      code: 'BUNDLE_CLAIM_FALSE',
    },
    {
      what: 'other instructions',
      lie: (predicate) => inEach(() => ({ sha256: '00'.repeat(32) }))(harmless(predicate)),
      code: 'BUNDLE_CLAIM_FALSE',
    },
  ])('claims $what: $code', async ({ lie, code }) => {
    const bundle = await signClaiming(lie);
    const { exitCode, stderr } = await runVespid('verify', bundle, '--trust', at('trust.yaml'));
    expect({ exitCode, code: stderr.split(':')[0] }).toEqual({ exitCode: 3, code });
    // What `vespid run` loads from.
    const opened = await openBundle(bundle, openTrustPolicy(at('trust.yaml')), new Date()).catch((e) => e);
    expect(opened).toBeInstanceOf(VespidError);
    expect(opened).toMatchObject({ code });
  });
});
