import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../../engine/errors/index.js';
import { EMPTY_MEMORY, type NodeMemory } from '../../../signing/trust/node-memory.js';
import {
  type BundleRelease,
  checkBundleVersion,
  checkTrustPolicy,
  forget,
  rememberBundle,
  rememberTrustPolicy,
} from '../../../signing/trust/rollback.js';
import { CI_KEY, expectRefusal } from '../sample-bundle.js';

const digest = (digit: string): string => `sha256:${digit.repeat(64)}`;

function release(version: string | undefined, digit = 'a', name = 'starter'): BundleRelease {
  return { name, version, digest: digest(digit) };
}

/** Starter 1.4.0 with content `a` ran on this node. */
const MEMORY = rememberBundle(EMPTY_MEMORY, release('1.4.0'));

describe('after 1.4.0, the node', () => {
  test.each<[what: string, bundle: BundleRelease]>([
    ['the same bundle', release('1.4.0', 'a')],
    ['a patch', release('1.4.1', 'b')],
    ['a pre-release of the next minor version', release('1.5.0-rc.1', 'b')],
    ['ten after nine', release('1.10.0', 'b')],
    ['another bundle without a version', release(undefined, 'b', 'other')],
    ['a lower version of another bundle', release('0.1.0', 'b', 'other')],
    ['a bundle whose name only starts the same', release('0.1.0', 'b', 'starter-2')],
  ])('takes %s', (_what, bundle) => {
    expect(() => checkBundleVersion(MEMORY, bundle)).not.toThrow();
  });

  test.each<[what: string, bundle: BundleRelease, code: ErrorCode]>([
    ['an older patch', release('1.3.9', 'b'), 'BUNDLE_ROLLBACK'],
    ['an older version with the same content', release('1.3.9', 'a'), 'BUNDLE_ROLLBACK'],
    ['a pre-release of the same version', release('1.4.0-rc.1', 'b'), 'BUNDLE_ROLLBACK'],
    ['other content under the same version', release('1.4.0', 'b'), 'BUNDLE_VERSION_REUSED'],
    ['other content under other build metadata', release('1.4.0+2', 'b'), 'BUNDLE_VERSION_REUSED'],
    ['a bundle without a version', release(undefined, 'b'), 'BUNDLE_VERSION_MISSING'],
    ['its own content without a version', release(undefined, 'a'), 'BUNDLE_VERSION_MISSING'],
  ])('refuses %s', (_what, bundle, code) => {
    expectRefusal(code, () => checkBundleVersion(MEMORY, bundle));
    expectRefusal(code, () => rememberBundle(MEMORY, bundle));
  });

  test('names both versions, both digests, and the way to go back on purpose', () => {
    const refusal = expectRefusal('BUNDLE_ROLLBACK', () => checkBundleVersion(MEMORY, release('1.3.9', 'b')));
    for (const fact of ['1.4.0', '1.3.9', digest('a'), digest('b')]) expect(refusal.message).toContain(fact);
    expect(refusal.hint).toContain('vespid trust state forget starter');
  });

  test('takes the older one once it was made to forget', () => {
    const memory = forget(MEMORY, { kind: 'bundle', name: 'starter' });
    expect(rememberBundle(memory, release('1.3.9', 'b')).bundles.get('starter')?.version).toBe('1.3.9');
  });
});

test('remembering does not change the memory that it is given', () => {
  rememberBundle(MEMORY, release('2.0.0', 'b'));
  expect(MEMORY.bundles.get('starter')).toEqual({ version: '1.4.0', digest: digest('a') });
});

test('an unversioned bundle leaves no trace', () => {
  expect(rememberBundle(EMPTY_MEMORY, release(undefined))).toBe(EMPTY_MEMORY);
});

describe('after trust policy 7, the node', () => {
  const rootKeys = { threshold: 1, keys: [CI_KEY.publicKey] };
  const policy = (version: number, digit: string) => ({ version, digest: digest(digit), rootKeys });
  const memory: NodeMemory = rememberTrustPolicy(MEMORY, policy(7, 'a'));

  test.each([
    ['the same', policy(7, 'a')],
    ['the next', policy(8, 'b')],
    ['one that skips some', policy(70, 'b')],
  ])('takes %s', (_what, next) => {
    expect(rememberTrustPolicy(memory, next).trustPolicy).toEqual(next);
    expect(rememberTrustPolicy(memory, next).bundles).toBe(MEMORY.bundles);
  });

  test.each<[what: string, version: number, digit: string, code: ErrorCode]>([
    ['an older one', 6, 'b', 'TRUST_POLICY_ROLLBACK'],
    ['an older one with the same content', 6, 'a', 'TRUST_POLICY_ROLLBACK'],
    ['another of the same version', 7, 'b', 'TRUST_POLICY_VERSION_REUSED'],
  ])('refuses %s', (_what, version, digit, code) => {
    const refusal = expectRefusal(code, () => checkTrustPolicy(memory, policy(version, digit)));
    expect(refusal.message).toContain(digest('a'));
    expect(refusal.message).toContain(digest(digit));
  });

  test('forgets it on demand, and nothing else', () => {
    expect(forget(memory, { kind: 'trustPolicy' })).toEqual({ bundles: MEMORY.bundles });
  });
});

test.each([{ kind: 'trustPolicy' }, { kind: 'bundle', name: 'startre' }] as const)(
  'what it does not remember, it cannot forget: %j',
  (what) => {
    const refusal = expectRefusal('TRUST_STATE_NOT_REMEMBERED', () => forget(MEMORY, what));
    expect(refusal.hint).toContain('starter');
  },
);
