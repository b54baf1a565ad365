import { describe, expect, it } from 'vitest';
import { policyWarnings } from '../../engine/trust/index.js';
import { NOW } from '../signing/sample-bundle.js';
import { keyIdOf, trustPolicy } from '../signing/trust/trust-evidence.js';

const KNOWN = {
  programTypes: ['lsm', 'xdp', 'cgroup_skb'],
  attachTypes: ['lsm_mac', 'xdp'],
  helpers: ['bpf_get_current_comm', 'bpf_send_signal'],
};

const warningsOf = (policy: string): readonly string[] => policyWarnings(trustPolicy(policy), KNOWN, NOW);

/** Two keys of which one suffices, `ci` with these fields and some grant that is good. */
const withCi = (fields: string): string => `threshold: 1
keys:
  - { id: ci, publicKey: ci.pub${fields} }
  - { id: alice, publicKey: alice.pub, may: { effects: [audit] } }
`;
const withGrants = (may: string): string => withCi(`, may: { ${may} }`);
const GOOD = withGrants('bundles: ["edge-*"]');
const withSubject = (pattern: string): string => `${GOOD}sigstore: { trustedRoot: root.json }
identities:
  - { id: gh, issuer: https://i.example, subjectPattern: "${pattern}", may: { effects: [audit] } }
`;

describe('policyWarnings', () => {
  it.each([
    { name: 'a good policy', policy: GOOD },
    {
      name: 'an end that is far away',
      policy: withCi(', may: { effects: [audit] }, validUntil: 2027-06-01T00:00:00Z'),
    },
    {
      name: 'patterns that match',
      policy: withGrants('programTypes: ["cgroup_*"], attachTypes: ["", lsm_mac]'),
    },
    { name: 'everything denied', policy: withGrants('helpers: { deny: ["*"] }') },
    {
      name: 'a workflow at tags',
      policy: withSubject('https://github.com/acme/x/.github/workflows/r.yml@refs/tags/*'),
    },
    {
      name: 'an address of mail in one domain',
      policy: withSubject('*@acme.example').replace('"*@', '"ci-*@'),
    },
  ])('says nothing of $name', ({ policy }) => {
    expect(warningsOf(policy)).toEqual([]);
  });

  it.each([
    {
      name: 'an unlimited key',
      policy: withCi(''),
      says: 'ci may sign everything: limit it with may, to what it has to sign',
    },
    {
      name: 'a key about to expire',
      policy: withCi(', may: { effects: [audit] }, validUntil: 2026-06-20T12:00:00Z'),
      says: 'ci expires in 19 days, at 2026-06-20T12:00:00.000Z',
    },
    {
      name: 'an expired key',
      policy: withCi(', may: { effects: [audit] }, validUntil: 2026-06-01T00:00:00Z'),
      says: 'ci expired at 2026-06-01T00:00:00.000Z',
    },
    {
      name: 'an expired policy',
      policy: `expires: 2026-01-01T00:00:00Z\n${GOOD}`,
      says: 'the trust policy expired at 2026-01-01T00:00:00.000Z',
    },
    {
      name: 'a threshold without reserve',
      policy: GOOD.replace('threshold: 1', 'threshold: 2'),
      says: 'the threshold needs all 2 signers that are valid now: losing one of them stops every bundle',
    },
    {
      name: 'a threshold that nobody meets any more',
      policy: withCi(', may: { effects: [audit] }, validUntil: 2026-01-01T00:00:00Z').replace(
        'threshold: 1',
        'threshold: 2',
      ),
      says: 'the threshold is 2, but only 1 signers are valid now',
    },
    {
      name: "a group's threshold without reserve",
      policy: `${GOOD}groups: { all: [ci, alice] }\nrequire: [{ group: all, threshold: 2 }]`,
      says: 'the threshold of group all needs all 2 signers that are valid now: losing one of them stops every bundle',
    },
    {
      name: 'a group without use',
      policy: `${GOOD}groups: { all: [ci] }`,
      says: 'group all is not required: nothing depends on it',
    },
    {
      name: 'a revoked key in the lists',
      policy: `${GOOD}revoked: { keys: [{ keyId: ${keyIdOf('ci')}, reason: lost }] }`,
      says: 'ci is revoked: remove it from keys, identities and groups',
    },
    {
      name: 'a slip in a program type',
      policy: withGrants('programTypes: [lms]'),
      says: 'ci, programTypes: lms matches nothing that is known; did you mean lsm?',
    },
    {
      name: 'another case',
      policy: withGrants('programTypes: [LSM]'),
      says: 'ci, programTypes: LSM matches nothing that is known; did you mean lsm?',
    },
    {
      name: 'a helper without its prefix',
      policy: withGrants('helpers: { deny: [send_signal] }'),
      says: 'ci, helpers.deny: send_signal matches nothing that is known; did you mean bpf_send_signal?',
    },
    {
      name: 'a pattern of helpers without prefix',
      policy: withGrants('helpers: { allow: ["get_*"] }'),
      says: 'ci, helpers.allow: get_* matches nothing that is known',
    },
    {
      name: 'a limit that is none',
      policy: withGrants('bundles: ["**"]'),
      says: 'ci, bundles: ** limits nothing',
    },
    {
      name: 'allowing all helpers',
      policy: withGrants('helpers: { allow: ["*"] }'),
      says: 'ci, helpers.allow: * limits nothing',
    },
    {
      name: 'everybody at a host',
      policy: withSubject('https://github.com/**'),
      says: 'gh trusts everybody at https://github.com/: name the owner before any *',
    },
    {
      name: 'everybody',
      policy: withSubject('**'),
      says: 'gh trusts everybody at its issuer: name the owner before any *',
    },
    {
      name: 'a prefix of an owner',
      policy: withSubject('https://github.com/acme*/x@refs/tags/v1'),
      says: 'gh trusts everybody at https://github.com/acme: name the owner before any *',
    },
    {
      name: 'every repository',
      policy: withSubject('https://github.com/acme/**'),
      says: 'gh trusts every repository of https://github.com/acme/: name the repository before any *',
    },
    {
      name: 'every branch',
      policy: withSubject('https://github.com/acme/x/.github/workflows/r.yml@refs/**'),
      says: 'gh trusts every branch and pull request: end the pattern with @refs/tags/* or one branch',
    },
    {
      name: 'an identity behind a pattern that takes its attestations',
      policy: `${withSubject('https://github.com/acme/x/*')}  - { id: late, issuer: https://i.example, subject: "https://github.com/acme/x/y", may: { effects: [audit] } }`,
      says: 'late never counts: its subject matches the pattern of gh, which stands before it',
    },
  ])('warns of $name', ({ policy, says }) => {
    expect(warningsOf(policy)).toContain(says);
  });
});
