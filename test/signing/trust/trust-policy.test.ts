import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../../engine/errors/index.js';
import { parseRfc3339 } from '../../../signing/documents/rfc3339.js';
import { generateKeyPair, parseTrustPolicy } from '../../../signing/index.js';
import { writePem } from '../../../signing/keys/pem.js';
import { encodeSpki } from '../../../signing/keys/public-key.js';
import { CI_KEY, expectRefusal, RELEASE_KEY } from '../sample-bundle.js';

const pemOf = (key: typeof CI_KEY): string => writePem('PUBLIC KEY', encodeSpki(key.publicKey.bytes));
const FILES: Record<string, string> = {
  'etc/ci.pub': pemOf(CI_KEY),
  'etc/copy.pub': pemOf(CI_KEY),
  '/keys/release.pub': pemOf(RELEASE_KEY),
  'etc/ci.key': generateKeyPair().privateKeyPem,
  'etc/weak.pub': writePem('PUBLIC KEY', encodeSpki(Uint8Array.of(1, ...new Uint8Array(31)))),
  'etc/garbage.pub': 'garbage',
};

const parse = (text: string) =>
  parseTrustPolicy(text, 'etc/trust.yaml', (path) => {
    const content = FILES[path];
    if (content === undefined) throw new Error(`ENOENT: ${path}`);
    return content;
  });

const policy = (rest: string): string => `apiVersion: vespid.dev/v1\nkind: TrustPolicy\n${rest}`;
const SMALLEST = policy('threshold: 1\nkeys:\n  - id: ci\n    publicKey: ci.pub\n');
const withKey = (fields: string): string => policy(`threshold: 1\nkeys:\n  - { id: ci, ${fields} }\n`);

describe('parseTrustPolicy', () => {
  test('reads the smallest policy', () => {
    expect(parse(SMALLEST)).toEqual({ threshold: 1, keys: [{ id: 'ci', publicKey: CI_KEY.publicKey }] });
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
    const { threshold, keys } = parseTrustPolicy(text, '/etc/vespid/trust.yaml', (path) =>
      path === '/etc/vespid/./ci.pub' ? pemOf(CI_KEY) : (FILES[path] ?? ''),
    );
    expect(threshold).toBe(2);
    expect(keys[0]?.validFrom).toEqual(new Date('2025-12-31T22:00:00Z'));
    expect(keys[0]?.validUntil).toEqual(new Date('2027-01-01T00:00:00Z'));
    expect(keys[1]?.publicKey.keyId).toBe(RELEASE_KEY.keyId);
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
