import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../../engine/errors/index.js';
import type { Decision, SignerIdentity } from '../../../signing/index.js';
import { type BundleEvidence, judgeEvidence } from '../../../signing/trust/judge-bundle.js';
import { judgeSignatures } from '../../../signing/trust/judge-signatures.js';
import { NOW, sha256, utf8 } from '../sample-bundle.js';
import { evidence, keyIdOf, keyOf, program, trustPolicy, workflow } from './trust-evidence.js';

const TEAM = `keys:
  - { id: ci, publicKey: ci.pub }
  - { id: alice, publicKey: alice.pub }
  - { id: bob, publicKey: bob.pub }
  - { id: carol, publicKey: carol.pub }
`;
const RELEASE_AND_TWO = `threshold: 3
${TEAM}groups: { release: [ci], security: [alice, bob, carol] }
require: [{ group: release, threshold: 1 }, { group: security, threshold: 2 }]
`;
const ONE_OF_TEAM = `threshold: 1\n${TEAM}`;
const AUDIT_ONLY = `threshold: 1
keys:
  - { id: ci, publicKey: ci.pub, may: { effects: [audit] } }
  - { id: alice, publicKey: alice.pub }
`;
const KEYLESS = `threshold: 1
sigstore: { trustedRoot: root.json }
identities:
  - { id: release, issuer: https://token.actions.githubusercontent.com, subjectPattern: "https://github.com/acme/x/*@refs/tags/v*" }
`;
const PROVENANCE = `${ONE_OF_TEAM}provenance: { builders: [https://builder/1], repositories: [https://github.com/acme/x] }\n`;

const [ci, alice, bob, carol, mallory] = (['ci', 'alice', 'bob', 'carol', 'mallory'] as const).map(keyOf);
const people = (...list: readonly (SignerIdentity | undefined)[]): SignerIdentity[] =>
  list.filter((one) => one !== undefined);

const judge = (policy: string, judged: BundleEvidence, now = NOW): Decision =>
  judgeEvidence(trustPolicy(policy), judged, now);

const builtBy = (identity: SignerIdentity | undefined, builder: string, repository: string) =>
  people(identity).map((one) => ({ identity: one, builder, repositories: [repository] }));

describe('a bundle is accepted that', () => {
  test.each<{ name: string; policy: string; judged: BundleEvidence }>([
    { name: 'one trusted signer signed', policy: ONE_OF_TEAM, judged: evidence(people(ci)) },
    { name: 'a stranger signed, too', policy: ONE_OF_TEAM, judged: evidence(people(mallory, ci)) },
    {
      name: 'release and two of security signed',
      policy: RELEASE_AND_TWO,
      judged: evidence(people(carol, ci, alice)),
    },
    { name: 'a signer signed twice', policy: ONE_OF_TEAM, judged: evidence(people(ci, ci)) },
    {
      name: 'somebody signed who may beside one who may not',
      policy: AUDIT_ONLY,
      judged: evidence(people(ci, alice)),
    },
    {
      name: 'an audit-only key signed, when it only audits',
      policy: AUDIT_ONLY,
      judged: evidence(people(ci), {
        predicate: {
          programs: [program({ effects: [] })],
          policies: [{ file: 'a.yaml', name: 'a', effects: ['audit'] }],
        },
      }),
    },
    {
      name: 'an allowed workflow signed',
      policy: KEYLESS,
      judged: evidence([workflow('https://github.com/acme/x/release.yml@refs/tags/v1.0')]),
    },
    {
      name: 'has exactly the minimum version',
      policy: `${ONE_OF_TEAM}minimumVersions: { edge-1: 1.2.0 }`,
      judged: evidence(people(ci)),
    },
    {
      name: 'has no version, when another name has a minimum',
      policy: `${ONE_OF_TEAM}minimumVersions: { edge-2: 1.2.0 }`,
      judged: evidence(people(ci), { bundle: { name: 'edge-1', digest: 'sha256:0' } }),
    },
    {
      name: 'has the provenance that is asked for',
      policy: PROVENANCE,
      judged: evidence(people(ci), {
        provenance: builtBy(alice, 'https://builder/1', 'https://github.com/acme/x'),
      }),
    },
    {
      name: 'is signed before the policy expires',
      policy: `expires: 2026-06-01T00:00:01Z\n${ONE_OF_TEAM}`,
      judged: evidence(people(ci)),
    },
    {
      name: 'is signed on the first moment of a key',
      policy: 'threshold: 1\nkeys: [{ id: ci, publicKey: ci.pub, validFrom: 2026-06-01T00:00:00Z }]',
      judged: evidence(people(ci)),
    },
  ])('$name', ({ policy, judged }) => {
    const decision = judge(policy, judged);
    expect(decision).toMatchObject({ accepted: true, bundle: judged.bundle });
    expect(decision.refusal).toBeUndefined();
    expect(decision.requirements.every(({ met }) => met)).toBe(true);
  });
});

const digestOf = (subject: string): string => `sha256:${sha256(utf8(subject))}`;
const revokedDigest = (subject: string): string =>
  `${ONE_OF_TEAM}revoked: { digests: [{ digest: "${digestOf(subject)}", reason: CVE-2026-1 }] }`;

describe('a bundle is refused', () => {
  test.each<{ name: string; policy: string; judged: BundleEvidence; code: ErrorCode; says: string }>([
    {
      name: 'that nobody signed',
      policy: ONE_OF_TEAM,
      judged: evidence([]),
      code: 'BUNDLE_SIGNER_UNKNOWN',
      says: 'expected 1 distinct trusted signers, found 0',
    },
    {
      name: 'of a stranger',
      policy: ONE_OF_TEAM,
      judged: evidence(people(mallory)),
      code: 'BUNDLE_SIGNER_UNKNOWN',
      says: `expected 1 distinct trusted signers, found 0; signed by key ${keyIdOf('mallory')} (unknown)`,
    },
    {
      name: 'of one signer who signed twice, for a threshold of two',
      policy: ONE_OF_TEAM.replace('1', '2'),
      judged: evidence(people(ci, ci)),
      code: 'BUNDLE_THRESHOLD_NOT_MET',
      says: 'expected 2 distinct trusted signers, found 1; signed by ci (accepted), ci (counted already)',
    },
    {
      name: 'without the release group',
      policy: RELEASE_AND_TWO,
      judged: evidence(people(alice, bob, carol)),
      code: 'BUNDLE_THRESHOLD_NOT_MET',
      says: 'expected 1 of group release, found 0; signed by alice (accepted), bob (accepted), carol (accepted)',
    },
    {
      name: 'with one of security, twice',
      policy: RELEASE_AND_TWO,
      judged: evidence(people(ci, alice, alice)),
      code: 'BUNDLE_THRESHOLD_NOT_MET',
      says: 'expected 3 distinct trusted signers, found 2; expected 2 of group security, found 1; signed by ci (accepted), alice (accepted), alice (counted already)',
    },
    {
      name: 'of a revoked key, with the reason',
      policy: `${ONE_OF_TEAM}revoked: { keys: [{ keyId: ${keyIdOf('ci')}, reason: lost laptop }] }`,
      judged: evidence(people(ci)),
      code: 'BUNDLE_SIGNER_REVOKED',
      says: 'expected 1 distinct trusted signers, found 0; signed by ci (revoked: lost laptop)',
    },
    {
      name: 'when a revoked key is needed for its group',
      policy: `${RELEASE_AND_TWO}revoked: { keys: [{ keyId: ${keyIdOf('bob')}, reason: left }] }`,
      judged: evidence(people(ci, alice, bob)),
      code: 'BUNDLE_THRESHOLD_NOT_MET',
      says: 'expected 3 distinct trusted signers, found 2; expected 2 of group security, found 1; signed by ci (accepted), alice (accepted), bob (revoked: left)',
    },
    {
      name: 'of a key that is revoked and no longer named',
      policy: `${ONE_OF_TEAM}revoked: { keys: [{ keyId: ${keyIdOf('mallory')}, reason: stolen }] }`,
      judged: evidence(people(mallory)),
      code: 'BUNDLE_SIGNER_REVOKED',
      says: `expected 1 distinct trusted signers, found 0; signed by key ${keyIdOf('mallory')} (revoked: stolen)`,
    },
    {
      name: 'of an expired key',
      policy: 'threshold: 1\nkeys: [{ id: ci, publicKey: ci.pub, validUntil: 2026-06-01T00:00:00Z }]',
      judged: evidence(people(ci)),
      code: 'BUNDLE_SIGNER_EXPIRED',
      says: 'expected 1 distinct trusted signers, found 0; signed by ci (expired)',
    },
    {
      name: 'of a key that is not yet valid',
      policy: 'threshold: 1\nkeys: [{ id: ci, publicKey: ci.pub, validFrom: 2026-06-01T00:00:01Z }]',
      judged: evidence(people(ci)),
      code: 'BUNDLE_SIGNER_NOT_YET_VALID',
      says: 'expected 1 distinct trusted signers, found 0; signed by ci (not-yet-valid)',
    },
    {
      name: 'by an expired policy',
      policy: `expires: 2026-06-01T00:00:00Z\n${ONE_OF_TEAM}`,
      judged: evidence(people(ci)),
      code: 'TRUST_POLICY_EXPIRED',
      says: 'expected a trust policy that is valid, found one that expired at 2026-06-01T00:00:00.000Z',
    },
    {
      name: 'that has what its only signer may not sign',
      policy: AUDIT_ONLY,
      judged: evidence(people(ci)),
      code: 'BUNDLE_SIGNER_NOT_ENTITLED',
      says: 'ci may not sign program file.bpf.o#lsm/file_open/restrict: effect deny is not among its allowed effects (and 1 more); expected 1 distinct trusted signers, found 0 entitled to all of it',
    },
    {
      name: 'when a group is met only with one who may not sign it',
      policy: RELEASE_AND_TWO.replace('bob.pub', 'bob.pub, may: { helpers: { allow: ["bpf_get_*"] } }'),
      judged: evidence(people(ci, alice, bob)),
      code: 'BUNDLE_SIGNER_NOT_ENTITLED',
      says: 'bob may not sign program file.bpf.o#lsm/file_open/restrict: helper bpf_ringbuf_output is not among its allowed helpers; expected 3 distinct trusted signers, found 2; expected 2 of group security, found 1 entitled to all of it',
    },
    {
      name: 'when each signer may sign one half',
      policy: `threshold: 1
keys:
  - { id: ci, publicKey: ci.pub, may: { programTypes: [lsm] } }
  - { id: alice, publicKey: alice.pub, may: { programTypes: [xdp] } }
`,
      judged: evidence(people(ci, alice), {
        predicate: { programs: [program(), program({ name: 'drop', type: 'xdp' })] },
      }),
      code: 'BUNDLE_SIGNER_NOT_ENTITLED',
      says: 'ci may not sign program file.bpf.o#lsm/file_open/drop: program type xdp is not among its allowed program types; expected 1 distinct trusted signers, found 0 entitled to all of it',
    },
    ...['manifest', 'protect.yaml', 'file.bpf.o', 'file.bpf.o#lsm/file_open/restrict'].map((subject) => ({
      name: `whose ${subject} is revoked`,
      policy: revokedDigest(subject),
      judged: evidence(people(ci)),
      code: 'BUNDLE_DIGEST_REVOKED' as const,
      says: `expected nothing that the trust policy revokes, found ${subject === 'manifest' ? 'bundle:edge-1' : subject} (${digestOf(subject)}): CVE-2026-1`,
    })),
    ...[
      { version: '1.1.9', found: '1.1.9' },
      { version: '1.2.0-rc.1', found: '1.2.0-rc.1' },
      { version: undefined, found: 'none' },
    ].map(({ version, found }) => ({
      name: `below its minimum version: ${found}`,
      policy: `${ONE_OF_TEAM}minimumVersions: { edge-1: 1.2.0 }`,
      judged: evidence(people(ci), {
        bundle: { name: 'edge-1', digest: 'sha256:0', ...(version === undefined ? {} : { version }) },
      }),
      code: 'BUNDLE_VERSION_BELOW_MINIMUM' as const,
      says: `expected version 1.2.0 of edge-1 or a later one, found ${found}`,
    })),
    ...[
      { what: 'none', provenance: [], found: 'none' },
      {
        what: 'of a stranger',
        provenance: builtBy(mallory, 'https://builder/1', 'https://github.com/acme/x'),
        found: 'by https://builder/1 from https://github.com/acme/x',
      },
      {
        what: 'of another builder',
        provenance: builtBy(ci, 'https://builder/10', 'https://github.com/acme/x'),
        found: 'by https://builder/10 from https://github.com/acme/x',
      },
      {
        what: 'in two halves',
        provenance: [
          ...builtBy(ci, 'https://builder/1', 'https://github.com/evil/x'),
          ...builtBy(ci, 'https://builder/2', 'https://github.com/acme/x'),
        ],
        found:
          'by https://builder/1 from https://github.com/evil/x; by https://builder/2 from https://github.com/acme/x',
      },
    ].map(({ what, provenance, found }) => ({
      name: `without the provenance that is asked for: ${what}`,
      policy: PROVENANCE,
      judged: evidence(people(ci), { provenance }),
      code: 'BUNDLE_PROVENANCE_NOT_MET' as const,
      says: `expected SLSA provenance of a trusted signer by https://builder/1 from https://github.com/acme/x, found ${found}`,
    })),
    {
      name: 'when only provenance could meet the threshold',
      policy: PROVENANCE.replace('threshold: 1', 'threshold: 2'),
      judged: evidence(people(ci), {
        provenance: builtBy(alice, 'https://builder/1', 'https://github.com/acme/x'),
      }),
      code: 'BUNDLE_THRESHOLD_NOT_MET',
      says: 'expected 2 distinct trusted signers, found 1; signed by ci (accepted)',
    },
    ...[
      'https://evil.example/https://github.com/acme/x/release.yml@refs/tags/v1',
      'https://github.com/acme/x/release.yml@refs/tags/v1/../../heads/main',
      'https://github.com/acme/x/release.yml@refs/tags/v1\n',
      'https://github.com/acme/x-evil/release.yml@refs/tags/v1',
      'https://github.com/acme/x/a/release.yml@refs/tags/v1',
      'https://github.com/ACME/x/release.yml@refs/tags/v1',
    ].map((subject) => ({
      name: `of a workflow that only resembles the allowed one: ${JSON.stringify(subject)}`,
      policy: KEYLESS,
      judged: evidence([workflow(subject)]),
      code: 'BUNDLE_SIGNER_UNKNOWN' as const,
      says: `expected 1 distinct trusted signers, found 0; signed by ${subject} of https://token.actions.githubusercontent.com (unknown)`,
    })),
    {
      name: 'of the allowed workflow by another issuer',
      policy: KEYLESS,
      judged: evidence([
        {
          kind: 'keyless',
          issuer: 'https://token.actions.githubusercontent.com.evil.example',
          subject: 'https://github.com/acme/x/release.yml@refs/tags/v1',
        },
      ]),
      code: 'BUNDLE_SIGNER_UNKNOWN',
      says: 'expected 1 distinct trusted signers, found 0; signed by https://github.com/acme/x/release.yml@refs/tags/v1 of https://token.actions.githubusercontent.com.evil.example (unknown)',
    },
    {
      name: 'of two subjects that one pattern allows, for a threshold of two',
      policy: `${KEYLESS.replace('threshold: 1', 'threshold: 2')}keys: [{ id: alice, publicKey: alice.pub }]`,
      judged: evidence([
        workflow('https://github.com/acme/x/release.yml@refs/tags/v1'),
        workflow('https://github.com/acme/x/release.yml@refs/tags/v2'),
      ]),
      code: 'BUNDLE_THRESHOLD_NOT_MET',
      says: 'expected 2 distinct trusted signers, found 1; signed by release (accepted), release (counted already)',
    },
    {
      name: 'of one subject that two ids allow, for a threshold of two',
      policy: `${KEYLESS.replace('threshold: 1', 'threshold: 2')}  - { id: nightly, issuer: https://token.actions.githubusercontent.com, subjectPattern: "https://github.com/acme/**" }`,
      judged: evidence([
        workflow('https://github.com/acme/x/release.yml@refs/tags/v1'),
        workflow('https://github.com/acme/x/release.yml@refs/tags/v1'),
      ]),
      code: 'BUNDLE_THRESHOLD_NOT_MET',
      says: 'expected 2 distinct trusted signers, found 1; signed by release (accepted), release (counted already)',
    },
    {
      name: 'of a revoked subject of an allowed pattern',
      policy: `${KEYLESS}revoked: { identities: [{ issuer: https://token.actions.githubusercontent.com, subject: "https://github.com/acme/x/release.yml@refs/tags/v3", reason: bad build }] }`,
      judged: evidence([workflow('https://github.com/acme/x/release.yml@refs/tags/v3')]),
      code: 'BUNDLE_SIGNER_REVOKED',
      says: 'expected 1 distinct trusted signers, found 0; signed by release (revoked: bad build)',
    },
    {
      name: 'when the time is not known and a key has an end',
      policy: 'threshold: 1\nkeys: [{ id: ci, publicKey: ci.pub, validUntil: 2030-01-01T00:00:00Z }]',
      judged: evidence(people(ci)),
      code: 'BUNDLE_SIGNER_EXPIRED',
      says: 'expected 1 distinct trusted signers, found 0; signed by ci (expired)',
    },
  ])('$name', ({ name, policy, judged, code, says }) => {
    const decision = judge(policy, judged, name.includes('time is not known') ? new Date(Number.NaN) : NOW);
    expect(decision.accepted).toBe(false);
    expect(decision.refusal?.message).toBe(says);
    expect(decision.refusal?.code).toBe(code);
    expect(decision.refusal?.hint).toBeTruthy();
  });
});

describe('a decision', () => {
  test('says of each attestation what became of it, in the order of the bundle', () => {
    const { signers, requirements } = judge(
      RELEASE_AND_TWO.replace('bob.pub', 'bob.pub, may: { effects: [audit] }'),
      evidence(people(mallory, bob, ci, ci, alice)),
    );
    expect(signers.map(({ id, standing, counted }) => [id, standing, counted])).toEqual([
      [undefined, 'unknown', false],
      ['bob', 'accepted', false],
      ['ci', 'accepted', true],
      ['ci', 'accepted', false],
      ['alice', 'accepted', true],
    ]);
    expect(signers.map(({ missingGrants }) => missingGrants?.length)).toEqual([undefined, 2, 0, 0, 0]);
    expect(requirements).toEqual([
      { label: 'signers', needed: 3, counted: 2, by: ['ci', 'alice'], met: false },
      { label: 'group release', needed: 1, counted: 1, by: ['ci'], met: true },
      { label: 'group security', needed: 2, counted: 1, by: ['alice'], met: false },
    ]);
  });

  test('judges no grants before enough signers signed', () => {
    const { signers } = judge(AUDIT_ONLY.replace('threshold: 1', 'threshold: 2'), evidence(people(ci)));
    expect(signers[0]).toEqual({
      id: 'ci',
      identity: ci,
      attestation: expect.stringMatching(/^sha256:/),
      standing: 'accepted',
      counted: true,
    });
  });

  test('counts provenance in a row of its own', () => {
    const provenance = builtBy(alice, 'https://builder/1', 'https://github.com/acme/x');
    expect(judge(PROVENANCE, evidence(people(ci), { provenance })).requirements).toEqual([
      { label: 'signers', needed: 1, counted: 1, by: ['ci'], met: true },
      { label: 'provenance', needed: 1, counted: 1, by: ['alice'], met: true },
    ]);
  });

  test('by signatures alone knows nothing of the content', () => {
    const { bundle, attestations } = evidence(people(ci));
    expect(judgeSignatures(trustPolicy(AUDIT_ONLY), bundle, attestations, NOW).accepted).toBe(true);
  });
});
