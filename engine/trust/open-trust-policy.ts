import { readFileSync } from 'node:fs';
import {
  checkTrustPolicy,
  EMPTY_MEMORY,
  isSignedPolicy,
  type NodeMemory,
  type PolicyRoot,
  parseTrustPolicy,
  rememberTrustPolicy,
  requireUnexpired,
  type SigningProgress,
  signingProgress,
  type TrustPolicy,
  type VerifiedTrustPolicy,
  verifySignedTrustPolicy,
} from '../../signing/index.js';
import { VespidError } from '../errors/index.js';
import { readTrustFile } from './trust-file.js';

/** What a trust policy is held against. */
export interface TrustPolicyContext {
  /** Undefined: the expiry is not judged, because newer policies follow this one. */
  readonly now: Date | undefined;
  readonly memory: NodeMemory;
  /** Ids of root keys that must have signed the first policy; without meaning once the memory has a root. */
  readonly pins: readonly string[];
}

/** A trust policy that may judge bundles. */
export interface OpenedTrustPolicy {
  readonly policy: TrustPolicy;
  /** There when the policy is signed. */
  readonly signed?: VerifiedTrustPolicy;
  /**
   * The memory after it was accepted: for `StateFile.update`. It is verified again against that memory, which another
   * process may have changed.
   *
   * @throws VespidError as `openTrustPolicyIn`
   */
  readonly remember: (memory: NodeMemory) => NodeMemory;
}

/**
 * The trust policy in a file, plain or signed, without a memory of earlier ones.
 *
 * @throws VespidError as {@link openTrustPolicyIn}
 */
export function openTrustPolicy(file: string, now: Date = new Date()): TrustPolicy {
  return openTrustPolicyIn(file, { now, memory: EMPTY_MEMORY, pins: [] }).policy;
}

/** A trust policy to look at, not to judge by: it may have expired, and a signed one may lack signatures. */
export interface ReadTrustPolicy {
  readonly policy: TrustPolicy;
  /** There when it is in the form of a signed one: who has signed it so far. */
  readonly progress?: SigningProgress;
}

/**
 * Reads a trust policy for people, among them those who are to sign it.
 *
 * @throws VespidError INPUT_*, TRUST_POLICY_*, KEY_*
 */
export function readTrustPolicy(file: string): ReadTrustPolicy {
  const { bytes, text } = readTrustFile(file);
  if (!isSignedPolicy(text)) return { policy: parseTrustPolicy(text, file, readText) };
  const progress = signingProgress(bytes, file);
  return { policy: progress.policy, progress };
}

/**
 * The trust policy in a file: YAML with the keys that it names, or one signed by root keys; told apart by content. A
 * signed one must continue from what is remembered, a plain one is refused where there is a root. The memory is not
 * changed.
 *
 * @throws VespidError INPUT_*, TRUST_POLICY_*, KEY_*
 */
export function openTrustPolicyIn(file: string, context: TrustPolicyContext): OpenedTrustPolicy {
  const { bytes, text } = readTrustFile(file);
  const opened = isSignedPolicy(text)
    ? openSigned(bytes, file, context)
    : openPlain(parseTrustPolicy(text, file, readText), file, context);
  if (context.now !== undefined) requireUnexpired(opened.policy, context.now, file);
  return opened;
}

function openSigned(
  bytes: Uint8Array,
  file: string,
  { memory, pins }: TrustPolicyContext,
): OpenedTrustPolicy {
  const verifyIn = (known: NodeMemory): VerifiedTrustPolicy => {
    const verified = verifySignedTrustPolicy(bytes, file, rootIn(known, pins));
    checkTrustPolicy(known, releaseOf(verified));
    return verified;
  };
  const signed = verifyIn(memory);
  return {
    policy: signed.policy,
    signed,
    remember: (known) => rememberTrustPolicy(known, releaseOf(verifyIn(known))),
  };
}

function rootIn({ trustPolicy }: NodeMemory, pins: readonly string[]): PolicyRoot {
  return trustPolicy === undefined
    ? { kind: 'first', pins }
    : { kind: 'previous', rootKeys: trustPolicy.rootKeys };
}

function releaseOf({ policy: { version, rootKeys }, digest }: VerifiedTrustPolicy) {
  return { version, digest, rootKeys };
}

function openPlain(
  policy: TrustPolicy,
  file: string,
  { memory, pins }: TrustPolicyContext,
): OpenedTrustPolicy {
  const remember = (known: NodeMemory): NodeMemory => {
    requireNoRoot(file, known, pins);
    return known;
  };
  remember(memory);
  return { policy, remember };
}

function requireNoRoot(file: string, { trustPolicy }: NodeMemory, pins: readonly string[]): void {
  if (trustPolicy === undefined && pins.length === 0) return;
  const reason =
    trustPolicy === undefined
      ? 'root keys are pinned'
      : `this node accepted version ${trustPolicy.version} of a signed one`;
  throw new VespidError(
    'TRUST_POLICY_UNSIGNED',
    `${file}: expected a trust policy that is signed by root keys, because ${reason}, found a plain one`,
    {
      hint: 'sign it: vespid trust sign; to leave signed trust policies on purpose: vespid trust state forget --trust-policy',
    },
  );
}

function readText(path: string): string {
  return readFileSync(path, 'utf8');
}
