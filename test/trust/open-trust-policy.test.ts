import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../engine/errors/index.js';
import { openTrustPolicy, openTrustPolicyIn, StateFile } from '../../engine/trust/index.js';
import { EMPTY_MEMORY, type NodeMemory } from '../../signing/index.js';
import { CI_KEY, expectRefusal, utf8 } from '../signing/sample-bundle.js';
import {
  ALICE,
  BOB,
  CAROL,
  MALLORY,
  type PolicyChoice,
  pemOf,
  policyDocument,
  signedPolicy,
} from '../signing/trust/sample-signed-policy.js';

const NOW = new Date('2027-01-01T00:00:00Z');
const PLAIN = `apiVersion: vespid.dev/v1
kind: TrustPolicy
threshold: 1
keys: [{ id: ci, publicKey: ci.pub }]
`;

let directory: string;
let state: StateFile;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'vespid-trust-'));
  state = new StateFile(join(directory, 'state.json'));
  writeFileSync(join(directory, 'ci.pub'), pemOf(CI_KEY));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

function fileOf(content: Uint8Array | string): string {
  const path = join(directory, 'trust-policy');
  writeFileSync(path, content);
  return path;
}

const open = (
  content: Uint8Array | string,
  memory: NodeMemory = state.read(),
  pins: readonly string[] = [],
) => openTrustPolicyIn(fileOf(content), { now: NOW, memory, pins });

/** As `run` does: opened against the memory, then remembered. */
const accept = (content: Uint8Array | string) => state.update(open(content).remember);

const V1: PolicyChoice = { version: 1 };
/** Mallory is a colleague here: Bob hands over to her. */
const V2: PolicyChoice = { version: 2, roots: [ALICE, MALLORY] };
const V3: PolicyChoice = { version: 3, roots: [CAROL], threshold: 1 };

describe('a node without a memory', () => {
  test('opens a plain trust policy, and remembers nothing', () => {
    const { policy, signed, remember } = open(PLAIN);
    expect(policy.signers.map(({ id }) => id)).toEqual(['ci']);
    expect(signed).toBeUndefined();
    expect(remember(EMPTY_MEMORY)).toBe(EMPTY_MEMORY);
  });

  test('opens a signed one by its content, and remembers it with its root', () => {
    const memory = accept(signedPolicy(V1, [ALICE, BOB]));
    expect(memory.trustPolicy).toMatchObject({ version: 1, rootKeys: { threshold: 2 } });
    expect(new StateFile(state.path).read()).toEqual(memory);
  });

  test('refuses a plain one where root keys are pinned', () => {
    expectRefusal('TRUST_POLICY_UNSIGNED', () => open(PLAIN, EMPTY_MEMORY, [ALICE.publicKey.keyId]));
  });

  test.each<[what: string, content: Uint8Array | string, code: ErrorCode]>([
    [
      'expired signed one',
      signedPolicy({ expires: '2026-12-31T00:00:00Z' }, [ALICE, BOB]),
      'TRUST_POLICY_EXPIRED',
    ],
    ['expired plain one', `${PLAIN}expires: 2026-12-31T00:00:00Z\n`, 'TRUST_POLICY_EXPIRED'],
    [
      'signed one that was reformatted',
      new Uint8Array([...signedPolicy(V1, [ALICE, BOB]), 10]),
      'TRUST_POLICY_ENVELOPE_INVALID',
    ],
    ['file of other bytes', Uint8Array.of(0xff, 0xfe, 0), 'INPUT_NOT_TEXT'],
    ['file that is too large', new Uint8Array(1024 * 1024 + 1), 'INPUT_TOO_LARGE'],
    ['payload without an envelope', utf8(JSON.stringify(policyDocument())), 'TRUST_POLICY_UNSIGNED'],
  ])('refuses an %s', (_what, content, code) => {
    const memory = code === 'TRUST_POLICY_UNSIGNED' ? accept(signedPolicy(V1, [ALICE, BOB])) : EMPTY_MEMORY;
    expectRefusal(code, () => open(content, memory));
  });

  test('opens without a context, too', () => {
    const file = fileOf(signedPolicy(V1, [ALICE, BOB]));
    expect(openTrustPolicy(file, NOW).version).toBe(1);
    expectRefusal('TRUST_POLICY_EXPIRED', () => openTrustPolicy(file, new Date('2028-01-01T00:00:00Z')));
    expectRefusal('INPUT_NOT_FOUND', () => openTrustPolicy(join(directory, 'nothing')));
  });
});

describe('a node that accepted version 2, whose root is Alice and Mallory', () => {
  beforeEach(() => {
    accept(signedPolicy(V1, [ALICE, BOB]));
    accept(signedPolicy(V2, [ALICE, BOB, MALLORY]));
  });

  test.each<[what: string, content: Uint8Array, version: number]>([
    ['it again', signedPolicy(V2, [ALICE, BOB, MALLORY]), 2],
    ['it again, with the signatures of its own root only', signedPolicy(V2, [ALICE, MALLORY]), 2],
    ['the next, signed by both roots', signedPolicy(V3, [ALICE, MALLORY, CAROL]), 3],
    [
      'a far later one, signed by both roots',
      signedPolicy({ ...V3, version: 2 ** 53 - 1 }, [ALICE, MALLORY, CAROL]),
      2 ** 53 - 1,
    ],
  ])('takes %s', (_what, content, version) => {
    expect(accept(content).trustPolicy?.version).toBe(version);
  });

  test.each<[what: string, content: Uint8Array | string, code: ErrorCode]>([
    ['version 1, replayed', signedPolicy(V1, [ALICE, BOB]), 'TRUST_POLICY_ROOT_THRESHOLD_NOT_MET'],
    [
      'version 1, signed again by everybody',
      signedPolicy(V1, [ALICE, BOB, MALLORY]),
      'TRUST_POLICY_ROLLBACK',
    ],
    [
      'another version 2',
      signedPolicy({ ...V2, expires: '2029-01-01T00:00:00Z' }, [ALICE, MALLORY]),
      'TRUST_POLICY_VERSION_REUSED',
    ],
    [
      'version 3, signed by the root before the last',
      signedPolicy(V3, [ALICE, BOB, CAROL]),
      'TRUST_POLICY_ROOT_THRESHOLD_NOT_MET',
    ],
    [
      'version 3, signed by its own keys only',
      signedPolicy(V3, [CAROL]),
      'TRUST_POLICY_ROOT_THRESHOLD_NOT_MET',
    ],
    [
      'an expired version 3',
      signedPolicy({ ...V3, expires: '2026-12-31T00:00:00Z' }, [ALICE, MALLORY, CAROL]),
      'TRUST_POLICY_EXPIRED',
    ],
    ['a plain trust policy', PLAIN, 'TRUST_POLICY_UNSIGNED'],
  ])('refuses %s', (_what, content, code) => {
    const before = state.read();
    expectRefusal(code, () => accept(content));
    expect(state.read()).toEqual(before);
  });

  test('takes a plain one once it was made to forget', () => {
    const memory: NodeMemory = { bundles: new Map() };
    expect(open(PLAIN, memory).policy.threshold).toBe(1);
  });

  test('verifies again when it remembers: the root may have changed since the policy was opened', () => {
    // Opened while the root was Alice and Mallory, and good by it; meanwhile another agent rotates to Carol.
    const late = open(signedPolicy({ version: 9, roots: [ALICE, MALLORY] }, [ALICE, MALLORY]));
    accept(signedPolicy(V3, [ALICE, MALLORY, CAROL]));
    expectRefusal('TRUST_POLICY_ROOT_THRESHOLD_NOT_MET', () => state.update(late.remember));
    expect(state.read().trustPolicy?.version).toBe(3);
  });
});

test('a state file that was removed remembers nothing: what comes next is the first again', () => {
  accept(signedPolicy(V2, [ALICE, MALLORY]));
  rmSync(state.path);
  expect(accept(signedPolicy(V1, [ALICE, BOB])).trustPolicy?.version).toBe(1);
});
