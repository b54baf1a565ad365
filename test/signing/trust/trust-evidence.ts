import type { SignerIdentity, TrustPolicy } from '../../../signing/index.js';
import { parseTrustPolicy } from '../../../signing/index.js';
import { writePem } from '../../../signing/keys/pem.js';
import { encodeSpki } from '../../../signing/keys/public-key.js';
import type { BundleEvidence } from '../../../signing/trust/judge-bundle.js';
import type { SignedContent } from '../../../signing/trust/missing-grants.js';
import { sampleKey, sha256, utf8 } from '../sample-bundle.js';

/** Signers of the tests of the trust policy, by name; each name is the file `NAME.pub`, too. */
export const TEAM_KEYS = {
  ci: sampleKey(1),
  alice: sampleKey(2),
  bob: sampleKey(3),
  carol: sampleKey(4),
  mallory: sampleKey(5),
};
export type TeamMember = keyof typeof TEAM_KEYS;

export const keyIdOf = (name: TeamMember): string => TEAM_KEYS[name].publicKey.keyId;
export const keyOf = (name: TeamMember): SignerIdentity => ({ kind: 'key', keyId: keyIdOf(name) });

export const GITHUB_ISSUER = 'https://token.actions.githubusercontent.com';
export const workflow = (subject: string): SignerIdentity => ({
  kind: 'keyless',
  issuer: GITHUB_ISSUER,
  subject,
});

/** Reads a trust policy of which `rest` is all but apiVersion and kind; keys are `NAME.pub`. */
export function trustPolicy(rest: string): TrustPolicy {
  return parseTrustPolicy(
    `apiVersion: vespid.dev/v1\nkind: TrustPolicy\n${rest}`,
    'trust.yaml',
    readTeamFile,
  );
}

export function readTeamFile(path: string): string {
  if (path.endsWith('.json')) return '{}';
  const key = Object.entries(TEAM_KEYS).find(([name]) => path.endsWith(`${name}.pub`))?.[1];
  if (key === undefined) throw new Error(`ENOENT: ${path}`);
  return writePem('PUBLIC KEY', encodeSpki(key.publicKey.bytes));
}

type Program = SignedContent['predicate']['programs'][number];

/** A program that denies opening a file, with changes. */
export function program(changes: Partial<Program> = {}): Program {
  return {
    object: 'file.bpf.o',
    section: 'lsm/file_open',
    name: 'restrict',
    type: 'lsm',
    attachType: 'lsm_mac',
    attachTarget: 'file_open',
    helpers: ['bpf_get_current_pid_tgid', 'bpf_ringbuf_output'],
    kfuncs: [],
    effects: ['deny'],
    ...changes,
  };
}

export const MANIFEST_DIGEST = `sha256:${sha256(utf8('manifest'))}`;

/** A bundle `edge-1` of one policy and the program of {@link program}, signed by these. */
export function evidence(
  signedBy: readonly SignerIdentity[],
  changes: Partial<Omit<BundleEvidence, 'predicate'>> & {
    readonly predicate?: Partial<BundleEvidence['predicate']>;
  } = {},
): BundleEvidence {
  const subject = (name: string) => ({ name, digest: { sha256: sha256(utf8(name)) } });
  const { predicate, ...others } = changes;
  return {
    bundle: { name: 'edge-1', version: '1.2.0', digest: MANIFEST_DIGEST },
    attestations: signedBy.map((identity, at) => ({ digest: `sha256:${sha256(utf8(`${at}`))}`, identity })),
    subjects: [
      { name: 'bundle:edge-1', digest: { sha256: sha256(utf8('manifest')) } },
      subject('protect.yaml'),
      subject('file.bpf.o'),
      subject('file.bpf.o#lsm/file_open/restrict'),
    ],
    provenance: [],
    ...others,
    predicate: {
      programs: [program()],
      policies: [{ file: 'protect.yaml', name: 'protect', effects: ['deny'] }],
      structOps: [],
      ...predicate,
    },
  };
}
