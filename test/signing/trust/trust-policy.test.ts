import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../../engine/errors/index.js';
import { parseRfc3339 } from '../../../signing/documents/rfc3339.js';
import { generateKeyPair, parseTrustPolicy } from '../../../signing/index.js';
import { writePem } from '../../../signing/keys/pem.js';
import { encodeSpki } from '../../../signing/keys/public-key.js';
import { CI_KEY, EMPTY_TRUST, expectRefusal, RELEASE_KEY, STRANGER_KEY } from '../sample-bundle.js';

const pemOf = (key: typeof CI_KEY): string => writePem('PUBLIC KEY', encodeSpki(key.publicKey.bytes));
const FILES: Record<string, string> = {
  'etc/ci.pub': pemOf(CI_KEY),
  'etc/copy.pub': pemOf(CI_KEY),
  '/keys/release.pub': pemOf(RELEASE_KEY),
  'etc/ci.key': generateKeyPair().privateKeyPem,
  'etc/weak.pub': writePem('PUBLIC KEY', encodeSpki(Uint8Array.of(1, ...new Uint8Array(31)))),
  'etc/garbage.pub': 'garbage',
  'etc/release.pub': pemOf(RELEASE_KEY),
  'etc/other.pub': pemOf(STRANGER_KEY),
  'etc/trusted_root.json': '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}',
  'etc/twice.json': '{"a":1,"a":2}',
  'etc/list.json': '[]',
};

const parse = (text: string) =>
  parseTrustPolicy(text, 'etc/trust.yaml', (path) => {
    const content = FILES[path];
    if (content === undefined) throw new Error(`ENOENT: ${path}`);
    return content;
  });

const policy = (rest: string): string => `apiVersion: vespid.dev/v1\nkind: TrustPolicy\n${rest}`;
const SMALLEST = policy('threshold: 1\nkeys:\n  - id: ci\n    publicKey: ci.pub\n');
/** Three keys, then `rest`, whose first line is the file's line 7. */
const withTeam = (rest: string): string =>
  policy(`threshold: 1
keys:
  - { id: ci, publicKey: ci.pub }
  - { id: alice, publicKey: release.pub }
  - { id: bob, publicKey: other.pub }
${rest}`);
/** An identity with these fields on line 6. */
const withIdentity = (fields: string): string =>
  policy(`threshold: 1
sigstore: { trustedRoot: trusted_root.json }
identities:
  - { id: release, ${fields} }
`);
const GITHUB = 'issuer: https://token.actions.githubusercontent.com';
const CI_ID = CI_KEY.keyId;
const withKey = (fields: string): string => policy(`threshold: 1\nkeys:\n  - { id: ci, ${fields} }\n`);

interface Fault {
  readonly name: string;
  readonly text: string;
  readonly code: ErrorCode;
  readonly line: number;
  readonly caretAt?: string;
}

const FULL_FORM_FAULTS: readonly Fault[] = [
  {
    name: 'neither keys nor identities',
    text: policy('threshold: 1'),
    code: 'TRUST_POLICY_INVALID',
    line: 1,
  },
  {
    name: 'a bad expiry',
    text: SMALLEST.replace('threshold', 'expires: tomorrow\nthreshold'),
    code: 'TRUST_POLICY_DATE_INVALID',
    line: 3,
    caretAt: 'tomorrow',
  },
  ...[
    { what: 'no grants at all', may: '{ }', caretAt: '{ }' },
    { what: 'an unknown effect', may: '{ effects: [Audit] }', caretAt: 'Audit' },
    { what: 'an unknown dimension', may: '{ program: [lsm] }', caretAt: 'program' },
    { what: 'a list of no bundles', may: '{ bundles: [] }', caretAt: '[]' },
    { what: 'an empty pattern', may: '{ bundles: [""] }', caretAt: '""' },
    { what: 'a pattern with a letter beyond ASCII', may: '{ programTypes: ["l\u0455m"] }', caretAt: '"l' },
    { what: 'a pattern with a space', may: '{ programTypes: ["lsm "] }', caretAt: '"lsm "' },
    { what: 'helpers by number', may: '{ helpers: { allow: [14] } }', caretAt: '14' },
    { what: 'a pattern twice', may: '{ bundles: [a, a] }', caretAt: '[a, a]' },
  ].map(({ what, may, caretAt }) => ({
    name: what,
    text: withKey(`publicKey: ci.pub, may: ${may}`),
    code: 'TRUST_POLICY_INVALID' as const,
    line: 5,
    caretAt,
  })),
  {
    name: 'an identity without sigstore',
    text: policy(`threshold: 1\nidentities:\n  - { id: release, ${GITHUB}, subject: x }\n`),
    code: 'TRUST_POLICY_INVALID',
    line: 5,
  },
  ...[
    { what: 'an identity without subject', fields: GITHUB, caretAt: '{ id' },
    { what: 'both forms of subject', fields: `${GITHUB}, subject: a, subjectPattern: b`, caretAt: '{ id' },
    { what: 'a pattern as exact subject', fields: `${GITHUB}, subject: "a/*"`, caretAt: '"a/*"' },
    { what: 'an issuer without https', fields: 'issuer: http://a.example, subject: a', caretAt: 'http:' },
  ].map(({ what, fields, caretAt }) => ({
    name: what,
    text: withIdentity(fields),
    code: 'TRUST_POLICY_INVALID' as const,
    line: 6,
    caretAt,
  })),
  {
    name: 'an identity twice',
    text: `${withIdentity(`${GITHUB}, subject: x`)}  - { id: two, ${GITHUB}, subject: x }`,
    code: 'TRUST_POLICY_KEY_DUPLICATE',
    line: 7,
    caretAt: 'x',
  },
  {
    name: 'one id for a key and an identity',
    text: `${withIdentity(`${GITHUB}, subject: x`)}keys: [{ id: release, publicKey: ci.pub }]`,
    code: 'TRUST_POLICY_ID_DUPLICATE',
    line: 6,
    caretAt: 'release',
  },
  ...[
    { what: 'that is not there', root: 'gone.json', code: 'TRUST_POLICY_ROOT_UNREADABLE' as const },
    { what: 'with a member twice', root: 'twice.json', code: 'TRUST_POLICY_ROOT_INVALID' as const },
    { what: 'that is a list', root: 'list.json', code: 'TRUST_POLICY_ROOT_INVALID' as const },
  ].map(({ what, root, code }) => ({
    name: `a trusted root ${what}`,
    text: withIdentity(`${GITHUB}, subject: x`).replace('trusted_root.json', root),
    code,
    line: 4,
    caretAt: root,
  })),
  {
    name: 'a group with an unknown member',
    text: withTeam('groups: { security: [alice, bop] }'),
    code: 'TRUST_POLICY_GROUP_INVALID',
    line: 8,
    caretAt: 'bop',
  },
  {
    name: 'a group with a member twice',
    text: withTeam('groups: { security: [alice, alice] }'),
    code: 'TRUST_POLICY_INVALID',
    line: 8,
    caretAt: '[alice, alice]',
  },
  {
    name: 'a group with a bad name',
    text: withTeam('groups: { "the team": [alice] }'),
    code: 'TRUST_POLICY_INVALID',
    line: 8,
    caretAt: '"the team"',
  },
  {
    name: 'an unknown group',
    text: withTeam('groups: { security: [alice] }\nrequire: [{ group: securty, threshold: 1 }]'),
    code: 'TRUST_POLICY_GROUP_INVALID',
    line: 9,
    caretAt: 'securty',
  },
  {
    name: 'a group required twice',
    text: withTeam(
      'groups: { s: [alice] }\nrequire: [{ group: s, threshold: 1 }, { group: s, threshold: 1 }]',
    ),
    code: 'TRUST_POLICY_GROUP_INVALID',
    line: 9,
    caretAt: 's, threshold: 1 }]',
  },
  {
    name: 'a threshold above the members of a group',
    text: withTeam('groups: { security: [alice, bob] }\nrequire: [{ group: security, threshold: 3 }]'),
    code: 'TRUST_POLICY_THRESHOLD_UNREACHABLE',
    line: 9,
    caretAt: '3',
  },
  {
    name: 'a threshold that revoked keys cannot reach',
    text: SMALLEST.concat(`revoked: { keys: [{ keyId: ${CI_ID}, reason: lost }] }`),
    code: 'TRUST_POLICY_THRESHOLD_UNREACHABLE',
    line: 3,
    caretAt: '1',
  },
  {
    name: "a group's threshold that revoked keys cannot reach",
    text: withTeam(
      `groups: { s: [alice, bob] }\nrequire: [{ group: s, threshold: 2 }]\nrevoked: { keys: [{ keyId: ${RELEASE_KEY.keyId}, reason: lost }] }`,
    ),
    code: 'TRUST_POLICY_THRESHOLD_UNREACHABLE',
    line: 9,
    caretAt: '2',
  },
  {
    name: 'a threshold that a revoked identity cannot reach',
    text: `${withIdentity(`${GITHUB}, subject: x`)}revoked: { identities: [{ ${GITHUB}, subject: x, reason: bad }] }`,
    code: 'TRUST_POLICY_THRESHOLD_UNREACHABLE',
    line: 3,
  },
  {
    name: 'a key id that is none',
    text: withTeam('revoked: { keys: [{ keyId: ABCD, reason: lost }] }'),
    code: 'TRUST_POLICY_INVALID',
    line: 8,
    caretAt: 'ABCD',
  },
  {
    name: 'a revocation without reason',
    text: withTeam(`revoked: { keys: [{ keyId: ${CI_ID} }] }`),
    code: 'TRUST_POLICY_INVALID',
    line: 8,
  },
  {
    name: 'a revocation twice',
    text: withTeam(
      `revoked:\n  keys:\n    - { keyId: ${CI_ID}, reason: a }\n    - { keyId: ${CI_ID}, reason: b }\n`,
    ),
    code: 'TRUST_POLICY_REVOCATION_DUPLICATE',
    line: 11,
    caretAt: CI_ID,
  },
  ...['1.4', 'v1.4.0', '1.4.0+build', '01.4.0', '"^1.4.0"'].map((version) => ({
    name: `the minimum version ${version}`,
    text: withTeam(`minimumVersions: { starter: ${version} }`),
    code: 'TRUST_POLICY_INVALID' as const,
    line: 8,
    caretAt: version,
  })),
  {
    name: 'a bundle name with a path in minimumVersions',
    text: withTeam('minimumVersions: { ../starter: 1.4.0 }'),
    code: 'TRUST_POLICY_INVALID',
    line: 8,
    caretAt: '../starter',
  },
  {
    name: 'provenance of nothing',
    text: withTeam('provenance: {}'),
    code: 'TRUST_POLICY_INVALID',
    line: 8,
    caretAt: '{}',
  },
  {
    name: 'a root key twice',
    text: withTeam('rootKeys: { threshold: 1, keys: [ci.pub, copy.pub] }'),
    code: 'TRUST_POLICY_KEY_DUPLICATE',
    line: 8,
    caretAt: 'copy.pub',
  },
  {
    name: 'a threshold above the root keys',
    text: withTeam('rootKeys: { threshold: 2, keys: [ci.pub] }'),
    code: 'TRUST_POLICY_THRESHOLD_UNREACHABLE',
    line: 8,
    caretAt: '2',
  },
];

describe('parseTrustPolicy', () => {
  test('reads the smallest policy', () => {
    expect(parse(SMALLEST)).toEqual({
      ...EMPTY_TRUST,
      threshold: 1,
      signers: [{ kind: 'key', id: 'ci', publicKey: CI_KEY.publicKey }],
    });
  });

  test('reads several keys, dates and an absolute path', () => {
    const text = policy(`threshold: 2
keys:
  - id: ci
    publicKey: ./ci.pub
    validFrom: 2026-01-01T00:00:00+02:00
    validUntil: "2027-01-01T00:00:00Z"
  - { id: release, publicKey: /keys/release.pub }
`);
    const { threshold, signers } = parseTrustPolicy(text, '/etc/vespid/trust.yaml', (path) =>
      path === '/etc/vespid/./ci.pub' ? pemOf(CI_KEY) : (FILES[path] ?? ''),
    );
    expect(threshold).toBe(2);
    expect(signers[0]?.validFrom).toEqual(new Date('2025-12-31T22:00:00Z'));
    expect(signers[0]?.validUntil).toEqual(new Date('2027-01-01T00:00:00Z'));
    expect(signers[1]).toMatchObject({ id: 'release', publicKey: { keyId: RELEASE_KEY.keyId } });
  });

  test('reads the full form', () => {
    const inline = pemOf(CI_KEY).trimEnd().split('\n').join('\n      ');
    const parsed = parse(
      policy(`version: 7
expires: 2027-06-01T00:00:00Z
threshold: 2
keys:
  - id: ci
    publicKey: |
      ${inline}
    may:
      bundles: ["edge-*"]
      helpers: { allow: [], deny: [bpf_probe_write_user] }
      effects: [audit]
  - { id: alice, publicKey: release.pub }
identities:
  - { id: release, ${GITHUB}, subject: "https://github.com/acme/x@refs/tags/v1" }
  - { id: nightly, ${GITHUB}, subjectPattern: "https://github.com/acme/x@refs/tags/n*" }
sigstore: { trustedRoot: trusted_root.json }
groups: { release: [release, ci], security: [alice] }
require: [{ group: release, threshold: 2 }, { group: security, threshold: 1 }]
revoked:
  keys: [{ keyId: ${STRANGER_KEY.keyId}, reason: lost laptop }]
  identities: [{ ${GITHUB}, subject: "https://github.com/acme/x@refs/tags/n3", reason: bad build }]
  digests: [{ digest: "sha256:${'0'.repeat(64)}", reason: CVE-2026-1 }]
minimumVersions: { starter: 1.4.0 }
provenance: { repositories: [https://github.com/acme/x] }
rootKeys: { threshold: 1, keys: [release.pub] }
`),
    );
    expect(parsed).toMatchObject({
      ...{ version: 7, expires: new Date('2027-06-01T00:00:00Z'), threshold: 2 },
      signers: [
        {
          ...{ kind: 'key', id: 'ci', publicKey: { keyId: CI_ID } },
          may: { bundles: [{ text: 'edge-*' }], helpers: { allow: [] }, effects: ['audit'] },
        },
        { id: 'alice' },
        { kind: 'keyless', id: 'release', subject: { kind: 'exact' } },
        { id: 'nightly', subject: { kind: 'pattern', pattern: { text: expect.stringMatching(/n\*$/) } } },
      ],
      requirements: [
        { group: 'release', threshold: 2 },
        { group: 'security', threshold: 1 },
      ],
      revokedIdentities: [{ reason: 'bad build' }],
      trustedRoot: { mediaType: expect.any(String) },
      provenance: { repositories: ['https://github.com/acme/x'] },
      rootKeys: { threshold: 1, keys: [{ keyId: RELEASE_KEY.keyId }] },
    });
    expect(parsed.groups.get('release')).toEqual(['release', 'ci']);
    expect(parsed.revokedKeys.get(STRANGER_KEY.keyId)).toBe('lost laptop');
    expect(parsed.revokedDigests.get(`sha256:${'0'.repeat(64)}`)).toBe('CVE-2026-1');
    expect(parsed.minimumVersions.get('starter')).toBe('1.4.0');
  });

  test('reads a trusted root that stands in the policy', () => {
    const inline = withIdentity(`${GITHUB}, subject: x`).replace('trusted_root.json', '{ tlogs: [] }');
    expect(parse(inline).trustedRoot).toEqual({ tlogs: [] });
  });

  test('suggests the field that may have been meant', () => {
    const { hint } = expectRefusal('TRUST_POLICY_INVALID', () =>
      parse(withKey('publicKey: ci.pub, may: { helper: { allow: [] } }')),
    );
    expect(hint).toContain('did you mean helpers?');
  });

  test.each<{ name: string; text: string; code: ErrorCode; line: number; caretAt?: string }>([
    { name: 'nothing', text: '', code: 'TRUST_POLICY_INVALID', line: 1 },
    { name: 'broken YAML', text: `${SMALLEST}  - [`, code: 'TRUST_POLICY_MALFORMED', line: 7 },
    { name: 'a field twice', text: `${SMALLEST}threshold: 1\n`, code: 'TRUST_POLICY_MALFORMED', line: 7 },
    { name: 'two documents', text: `${SMALLEST}---\na: 1\n`, code: 'TRUST_POLICY_MALFORMED', line: 7 },
    { name: 'a custom tag', text: policy('threshold: !!js/eval 1'), code: 'TRUST_POLICY_MALFORMED', line: 3 },
    {
      name: 'an alias',
      text: policy('threshold: 1\nkeys: [&k { id: ci, publicKey: ci.pub }, *k]\n'),
      code: 'TRUST_POLICY_MALFORMED',
      line: 4,
    },
    { name: 'deep nesting', text: '['.repeat(100_000), code: 'TRUST_POLICY_MALFORMED', line: 1 },
    { name: 'a huge file', text: '#'.repeat(300_000), code: 'TRUST_POLICY_MALFORMED', line: 1 },
    {
      name: 'an unknown field',
      text: SMALLEST.replace('threshold', 'treshold: 1\nthreshold'),
      code: 'TRUST_POLICY_INVALID',
      line: 3,
      caretAt: 'treshold',
    },
    {
      name: 'an unknown field of a key',
      text: withKey('publicKey: ci.pub, expires: never'),
      code: 'TRUST_POLICY_INVALID',
      line: 5,
      caretAt: 'expires',
    },
    { name: 'a missing field', text: policy('threshold: 1'), code: 'TRUST_POLICY_INVALID', line: 1 },
    {
      name: 'another kind',
      text: SMALLEST.replace('TrustPolicy', 'Policy'),
      code: 'TRUST_POLICY_INVALID',
      line: 2,
      caretAt: 'Policy',
    },
    { name: 'another version', text: SMALLEST.replace('/v1', '/v2'), code: 'TRUST_POLICY_INVALID', line: 1 },
    { name: 'no keys', text: policy('threshold: 1\nkeys: []'), code: 'TRUST_POLICY_INVALID', line: 4 },
    { name: 'threshold 0', text: SMALLEST.replace(': 1', ': 0'), code: 'TRUST_POLICY_INVALID', line: 3 },
    { name: 'threshold 1.5', text: SMALLEST.replace(': 1', ': 1.5'), code: 'TRUST_POLICY_INVALID', line: 3 },
    {
      name: 'a threshold above the keys',
      text: SMALLEST.replace(': 1', ': 2'),
      code: 'TRUST_POLICY_THRESHOLD_UNREACHABLE',
      line: 3,
      caretAt: '2',
    },
    {
      name: 'an id twice',
      text: `${SMALLEST}  - { id: ci, publicKey: /keys/release.pub }`,
      code: 'TRUST_POLICY_ID_DUPLICATE',
      line: 7,
    },
    {
      name: 'a key under two ids',
      text: `${SMALLEST}  - { id: two, publicKey: copy.pub }`,
      code: 'TRUST_POLICY_KEY_DUPLICATE',
      line: 7,
      caretAt: 'copy.pub',
    },
    {
      name: 'a key file that is not there',
      text: withKey('publicKey: gone.pub'),
      code: 'TRUST_POLICY_KEY_UNREADABLE',
      line: 5,
      caretAt: 'gone.pub',
    },
    { name: 'garbage as key', text: withKey('publicKey: garbage.pub'), code: 'KEY_MALFORMED', line: 5 },
    { name: 'a private key', text: withKey('publicKey: ci.key'), code: 'KEY_NOT_PUBLIC', line: 5 },
    { name: 'a weak key', text: withKey('publicKey: weak.pub'), code: 'KEY_WEAK', line: 5 },
    {
      name: 'a date without time',
      text: withKey('publicKey: ci.pub, validUntil: 2027-01-01'),
      code: 'TRUST_POLICY_DATE_INVALID',
      line: 5,
      caretAt: '2027-01-01',
    },
    {
      name: 'an end before the start',
      text: withKey('publicKey: ci.pub, validFrom: 2027-01-01T00:00:00Z, validUntil: 2026-01-01T00:00:00Z'),
      code: 'TRUST_POLICY_DATE_INVALID',
      line: 5,
      caretAt: '2026-01-01',
    },
    ...FULL_FORM_FAULTS,
  ])('refuses $name', ({ text, code, line, caretAt }) => {
    const { location } = expectRefusal(code, () => parse(text));
    expect(location).toMatchObject({ file: 'etc/trust.yaml', line });
    expect(location?.excerpt).toContain('^');
    const pointedAt = text.split('\n')[line - 1]?.slice((location?.column ?? 0) - 1);
    if (caretAt !== undefined) expect(pointedAt?.startsWith(caretAt), pointedAt).toBe(true);
  });

  test('ends exponential aliases at once', () => {
    const levels = Array.from({ length: 20 }, (_, i) => `l${i + 1}: &l${i + 1} [*l${i}, *l${i}, *l${i}]`);
    expectRefusal('TRUST_POLICY_MALFORMED', () => parse(['l0: &l0 [x]', ...levels].join('\n')));
  });

  test('keeps the cause of a key that cannot be read', () => {
    const refusal = expectRefusal('TRUST_POLICY_KEY_UNREADABLE', () => parse(withKey('publicKey: gone.pub')));
    expect(refusal.cause).toMatchObject({ message: 'ENOENT: etc/gone.pub' });
  });
});

describe('parseRfc3339', () => {
  test.each([
    ['2026-02-28T23:59:59Z', '2026-02-28T23:59:59.000Z'],
    ['2024-02-29T00:00:00.5+01:00', '2024-02-28T23:00:00.500Z'],
    ['2026-01-01T00:00:00-23:59', '2026-01-01T23:59:00.000Z'],
  ])('reads %s', (text, iso) => {
    expect(parseRfc3339(text)?.toISOString()).toBe(iso);
  });

  test.each([
    ...['', '2026', '2026-01-01', '2026-01-01T00:00', '2026-01-01T00:00:00', '2026-01-01 00:00:00Z'],
    ...['2026-02-29T00:00:00Z', '2026-13-01T00:00:00Z', '2026-01-01T24:00:00Z', '2026-01-01T00:00:60Z'],
    ...[
      '2026-01-01T00:00:00z',
      '2026-01-01T00:00:00+24:00',
      ' 2026-01-01T00:00:00Z',
      '2026-01-01T00:00:00Z\n',
    ],
  ])('refuses %j', (text) => {
    expect(parseRfc3339(text)).toBeUndefined();
  });
});
