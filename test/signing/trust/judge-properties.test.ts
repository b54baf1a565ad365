import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SignerIdentity, TrustedSigner, TrustPolicy } from '../../../signing/index.js';
import { type GrantsDocument, resolveGrants } from '../../../signing/trust/grants.js';
import { type BundleEvidence, judgeEvidence } from '../../../signing/trust/judge-bundle.js';
import { EMPTY_TRUST, NOW } from '../sample-bundle.js';
import { evidence, keyOf, program, TEAM_KEYS, type TeamMember, workflow } from './trust-evidence.js';

const MEMBERS: readonly TeamMember[] = ['ci', 'alice', 'bob'];
const NAMES = ['a', 'b', 'c', 'a/b'];
const EFFECTS = ['audit', 'deny', 'kill'] as const;

const patterns = fc.subarray([...NAMES, '', '*', '**', 'a*'], { minLength: 1 });
const calls = fc.record(
  { allow: fc.subarray([...NAMES, '*']), deny: fc.subarray(NAMES) },
  { requiredKeys: [] },
);
const grants: fc.Arbitrary<GrantsDocument> = fc.record(
  {
    bundles: patterns,
    programTypes: patterns,
    attachTypes: patterns,
    attachTargets: patterns,
    helpers: calls,
    kfuncs: calls,
    effects: fc.subarray([...EFFECTS], { minLength: 1 }),
  },
  { requiredKeys: [] },
);

/** What a policy says, with grants still as text, so that the properties can add to them. */
interface Draft {
  readonly threshold: number;
  readonly security: number;
  readonly may: readonly (GrantsDocument | undefined)[];
  readonly revoked: readonly TeamMember[];
}

const drafts: fc.Arbitrary<Draft> = fc.record({
  threshold: fc.integer({ min: 1, max: 3 }),
  security: fc.integer({ min: 0, max: 2 }),
  may: fc.array(fc.option(grants, { nil: undefined, freq: 2 }), { minLength: 4, maxLength: 4 }),
  revoked: fc.subarray([...MEMBERS], { maxLength: 1 }),
});

function policyOf({ threshold, security, may, revoked }: Draft): TrustPolicy {
  const termsAt = (at: number) => {
    const document = may[at];
    return document === undefined ? {} : { may: resolveGrants(document) };
  };
  const keys = MEMBERS.map(
    (id, at): TrustedSigner => ({ kind: 'key', id, publicKey: TEAM_KEYS[id].publicKey, ...termsAt(at) }),
  );
  const { issuer } = RELEASE;
  const release: TrustedSigner = {
    kind: 'keyless',
    id: 'release',
    issuer,
    subject: { kind: 'exact', subject: RELEASE.subject },
    ...termsAt(MEMBERS.length),
  };
  return {
    ...EMPTY_TRUST,
    threshold,
    signers: [...keys, release],
    groups: new Map([['security', ['alice', 'bob']]]),
    requirements: security === 0 ? [] : [{ group: 'security', threshold: security }],
    revokedKeys: new Map(revoked.map((id) => [TEAM_KEYS[id].publicKey.keyId, 'lost'])),
  };
}

const RELEASE = {
  issuer: 'https://token.actions.githubusercontent.com',
  subject: 'https://github.com/acme/x',
};
const identities = fc.constantFrom<SignerIdentity>(
  ...[...MEMBERS, 'mallory' as const].map(keyOf),
  workflow(RELEASE.subject),
  workflow(`${RELEASE.subject}/evil`),
);
const names = fc.constantFrom(...NAMES);
const programs = fc
  .record({
    type: names,
    attachType: fc.constantFrom('', ...NAMES),
    attachTarget: fc.constantFrom('', ...NAMES),
    helpers: fc.subarray(NAMES),
    kfuncs: fc.subarray(NAMES),
    effects: fc.subarray<'deny' | 'kill'>(['deny', 'kill']),
  })
  .map(program);
const evidences: fc.Arbitrary<BundleEvidence> = fc
  .record({
    signedBy: fc.array(identities, { maxLength: 6 }),
    name: names,
    programs: fc.array(programs, { maxLength: 2 }),
    effects: fc.subarray([...EFFECTS]),
  })
  .map(({ signedBy, name, programs: list, effects }) =>
    evidence(signedBy, {
      bundle: { name, digest: 'sha256:0' },
      predicate: { programs: list, policies: [{ file: 'a.yaml', name: 'a', effects }] },
    }),
  );

/** What `draft` grants to the signer at `at`, and one thing more: the property may pick any. */
function grantMore(draft: Draft, at: number, dimension: keyof GrantsDocument, added: string): Draft {
  const before = draft.may[at];
  if (before === undefined) return draft;
  return {
    ...draft,
    may: draft.may.map((may, index) => (index === at ? widen(before, dimension, added) : may)),
  };
}

function widen(may: GrantsDocument, dimension: keyof GrantsDocument, added: string): GrantsDocument {
  const { [dimension]: limited, ...others } = may;
  // Taking the limit away altogether grants the most.
  if (limited === undefined || added === '') return others;
  if (Array.isArray(limited)) return { ...may, [dimension]: [...limited, added] };
  if (!('allow' in limited)) return { ...may, [dimension]: {} };
  return { ...may, [dimension]: { ...limited, allow: [...(limited.allow ?? []), added] } };
}

const accepts = (draft: Draft, judged: BundleEvidence): boolean =>
  judgeEvidence(policyOf(draft), judged, NOW).accepted;

const RUNS = { numRuns: 1000 };
const implies = (condition: boolean, conclusion: () => boolean): boolean => !condition || conclusion();

describe('judging', () => {
  test('is met by both answers in these properties', () => {
    const answers = fc
      .sample(fc.tuple(drafts, evidences), { numRuns: 2000, seed: 1 })
      .map(([draft, judged]) => accepts(draft, judged));
    const accepted = answers.filter(Boolean).length;
    expect(accepted).toBeGreaterThan(100);
    expect(accepted).toBeLessThan(1900);
  });

  test('granting more never turns an acceptance into a refusal', () => {
    const dimension = fc.constantFrom<keyof GrantsDocument>(
      ...([
        'bundles',
        'programTypes',
        'attachTypes',
        'attachTargets',
        'helpers',
        'kfuncs',
        'effects',
      ] as const),
    );
    const added = fc.constantFrom('', 'a', '*', '**', 'deny', 'kill');
    fc.assert(
      fc.property(drafts, evidences, fc.nat(3), dimension, added, (draft, judged, at, where, what) => {
        const wider = grantMore(draft, at, where, what);
        expect(implies(accepts(draft, judged), () => accepts(wider, judged))).toBe(true);
      }),
      RUNS,
    );
  });

  test('removing a signature never turns a refusal into an acceptance', () => {
    fc.assert(
      fc.property(drafts, evidences, fc.nat(5), (draft, judged, removed) => {
        const attestations = judged.attestations.filter((_, at) => at !== removed);
        const fewer = { ...judged, attestations };
        expect(implies(accepts(draft, fewer), () => accepts(draft, judged))).toBe(true);
      }),
      RUNS,
    );
  });

  test('revoking a key never turns a refusal into an acceptance', () => {
    fc.assert(
      fc.property(drafts, evidences, fc.constantFrom(...MEMBERS), (draft, judged, id) => {
        const stricter = { ...draft, revoked: [...draft.revoked, id] };
        expect(implies(!accepts(draft, judged), () => !accepts(stricter, judged))).toBe(true);
      }),
      RUNS,
    );
  });

  test('the order of attestations changes neither the answer nor who counts', () => {
    fc.assert(
      fc.property(drafts, evidences, fc.infiniteStream(fc.nat()), (draft, judged, ranks) => {
        const shuffled = judged.attestations
          .map((attestation) => ({ attestation, rank: Number(ranks.next().value) }))
          .sort((left, right) => left.rank - right.rank)
          .map(({ attestation }) => attestation);
        const before = judgeEvidence(policyOf(draft), judged, NOW);
        const after = judgeEvidence(policyOf(draft), { ...judged, attestations: shuffled }, NOW);
        expect(after.requirements).toEqual(before.requirements);
        expect(after.refusal?.code).toBe(before.refusal?.code);
      }),
      RUNS,
    );
  });

  test('nobody counts who is not accepted, entitled and the first of his id', () => {
    fc.assert(
      fc.property(drafts, evidences, (draft, judged) => {
        const { accepted, signers, requirements } = judgeEvidence(policyOf(draft), judged, NOW);
        const counted = signers.filter((signer) => signer.counted);
        expect(new Set(counted.map(({ id }) => id)).size).toBe(counted.length);
        expect(requirements[0]?.counted).toBe(counted.length);
        for (const { standing, missingGrants = [] } of counted) {
          expect({ standing, missing: missingGrants.length }).toEqual({ standing: 'accepted', missing: 0 });
        }
        expect(accepted).toBe(requirements.every(({ met }) => met));
      }),
      RUNS,
    );
  });
});
