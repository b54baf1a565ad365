import { VespidError } from '../../engine/errors/index.js';
import { contentDigest } from '../documents/content-digest.js';
import { defineSchema, describeSchemaError } from '../documents/signed-document.js';
import { parseStrictJson } from '../documents/strict-json.js';
import { verifyEd25519 } from '../keys/ed25519-verify.js';
import { parsePublicKey } from '../keys/public-key.js';
import {
  decodeSignedPolicy,
  policySigningInput,
  type SignedPolicyEnvelope,
} from './signed-policy-envelope.js';
import { parseSignedTrustPolicy, type SignedTrustPolicy } from './signed-trust-policy.js';
import type { RootKeys } from './trust-policy.js';

/** Who must have signed a trust policy beside its own root keys. */
export type PolicyRoot =
  /** The root keys of the policy before it: a rotation, as TUF's root rotates (TUF spec 1.0.33, section 5.3.4). */
  | { readonly kind: 'previous'; readonly rootKeys: RootKeys }
  /**
   * Nobody: it is the first. Each of `pins` (key ids) must then be one of its root keys and have signed it; without
   * pins whoever hands out the first policy is trusted (trust on first use).
   */
  | { readonly kind: 'first'; readonly pins: readonly string[] };

export interface VerifiedTrustPolicy {
  readonly policy: SignedTrustPolicy;
  /** Of the payload, `sha256:<hex>`: it stays the same when signatures are added. */
  readonly digest: string;
  /** Ids of its own root keys that signed it. */
  readonly rootSigners: readonly string[];
  /** Key ids of signatures that say nothing: neither the old root nor the new one has such a key. */
  readonly unknownSigners: readonly string[];
}

/**
 * Verifies a signed trust policy. The old root decides first, over bytes that nothing has parsed; only then is the
 * payload read, and its own root keys must have signed it, too: who can not sign with the new keys can not lock
 * everybody out by naming them.
 *
 * The first policy has no old root. Its root keys are then taken from the payload before anything is verified, by the
 * strict JSON reader and nothing else, and the rest is read after they have signed it.
 *
 * Neither the expiry nor the version is judged here: see `requireUnexpired` and `checkTrustPolicy`.
 *
 * @param where names the file in messages
 * @throws VespidError TRUST_POLICY_ENVELOPE_INVALID, TRUST_POLICY_SIGNATURE_INVALID,
 *   TRUST_POLICY_ROOT_THRESHOLD_NOT_MET, TRUST_POLICY_ROOT_KEY_MISSING, TRUST_POLICY_*, KEY_*
 */
export function verifySignedTrustPolicy(
  bytes: Uint8Array,
  where: string,
  root: PolicyRoot,
): VerifiedTrustPolicy {
  const envelope = decodeSignedPolicy(bytes, where);
  const previous =
    root.kind === 'previous'
      ? requireThreshold(envelope, root.rootKeys, 'the root keys that this node trusts', where)
      : requireFirst(envelope, root.pins, where);
  const policy = parseSignedTrustPolicy(envelope.payload, `${where}: payload`);
  const own = requireThreshold(envelope, policy.rootKeys, 'its own root keys', where);
  const claimed = new Set(envelope.signatures.map(({ keyId }) => keyId));
  return {
    policy,
    digest: contentDigest(envelope.payload),
    rootSigners: [...own],
    unknownSigners: [...claimed].filter((keyId) => !own.has(keyId) && !previous.has(keyId)),
  };
}

/** How far the signing of a trust policy has come. */
export interface SigningProgress {
  readonly policy: SignedTrustPolicy;
  /** Of the payload, `sha256:<hex>`. */
  readonly digest: string;
  /** Ids of its own root keys that signed it, and of those that did not. */
  readonly signed: readonly string[];
  readonly unsigned: readonly string[];
  /** Key ids of other signatures, perhaps of the root before it; not verified, as their keys are not known here. */
  readonly others: readonly string[];
}

/**
 * What a signed trust policy says of itself, for those who sign it: it may lack signatures, so it proves nothing.
 *
 * @throws VespidError TRUST_POLICY_ENVELOPE_INVALID, TRUST_POLICY_SIGNATURE_INVALID, TRUST_POLICY_*, KEY_*
 */
export function signingProgress(bytes: Uint8Array, where: string): SigningProgress {
  const envelope = decodeSignedPolicy(bytes, where);
  const policy = parseSignedTrustPolicy(envelope.payload, `${where}: payload`);
  const signers = signersAmong(policy.rootKeys, envelope, where);
  const rootKeyIds = policy.rootKeys.keys.map(({ keyId }) => keyId);
  const claimed = new Set(envelope.signatures.map(({ keyId }) => keyId));
  return {
    policy,
    digest: contentDigest(envelope.payload),
    signed: rootKeyIds.filter((keyId) => signers.has(keyId)),
    unsigned: rootKeyIds.filter((keyId) => !signers.has(keyId)),
    others: [...claimed].filter((keyId) => !rootKeyIds.includes(keyId)),
  };
}

/** Of the payload, only what is needed to verify it; everything else is left alone. */
const checkRootKeys = defineSchema<{
  readonly rootKeys: { readonly threshold: number; readonly keys: readonly string[] };
}>({
  type: 'object',
  required: ['rootKeys'],
  properties: {
    rootKeys: {
      type: 'object',
      required: ['threshold', 'keys'],
      properties: {
        threshold: { type: 'integer', minimum: 1 },
        keys: { type: 'array', minItems: 1, maxItems: 64, items: { type: 'string' } },
      },
    },
  },
});

function requireFirst(
  envelope: SignedPolicyEnvelope,
  pins: readonly string[],
  where: string,
): ReadonlySet<string> {
  const rootKeys = claimedRootKeys(envelope.payload, where);
  const claimed = rootKeys.keys.map(({ keyId }) => keyId);
  for (const pin of pins) {
    if (claimed.includes(pin)) continue;
    throw new VespidError(
      'TRUST_POLICY_ROOT_KEY_MISSING',
      `${where}: expected ${pin} among its root keys, found ${claimed.join(', ')}`,
      { hint: 'compare the key id with that of the people who hold the root keys, over another channel' },
    );
  }
  const signers = requireThreshold(envelope, rootKeys, 'its own root keys', where);
  const silent = pins.find((pin) => !signers.has(pin));
  if (silent === undefined) return signers;
  throw new VespidError(
    'TRUST_POLICY_ROOT_THRESHOLD_NOT_MET',
    `${where}: expected a signature by each pinned root key, found none by ${silent}`,
    { hint: 'have that key sign it (vespid trust sign --add), or pin keys that did' },
  );
}

function claimedRootKeys(payload: Uint8Array, where: string): RootKeys {
  const checked = checkRootKeys(parseStrictJson(payload, `${where}: payload`));
  if ('error' in checked) {
    throw new VespidError(
      'TRUST_POLICY_NOT_SIGNABLE',
      `${where}: expected root keys in its payload, found: ${describeSchemaError(checked.error)}`,
      { hint: 'give the file that `vespid trust sign` wrote' },
    );
  }
  const { threshold, keys } = checked.value.rootKeys;
  return { threshold, keys: keys.map((pem) => parsePublicKey(pem, `${where}: root key`)) };
}

/**
 * The distinct keys of `rootKeys` that signed; at least their threshold.
 *
 * @throws VespidError TRUST_POLICY_SIGNATURE_INVALID, TRUST_POLICY_ROOT_THRESHOLD_NOT_MET
 */
function requireThreshold(
  envelope: SignedPolicyEnvelope,
  rootKeys: RootKeys,
  whose: string,
  where: string,
): ReadonlySet<string> {
  const signers = signersAmong(rootKeys, envelope, where);
  if (signers.size >= rootKeys.threshold) return signers;
  const missing = rootKeys.keys.map(({ keyId }) => keyId).filter((keyId) => !signers.has(keyId));
  throw new VespidError(
    'TRUST_POLICY_ROOT_THRESHOLD_NOT_MET',
    `${where}: expected signatures by ${rootKeys.threshold} of ${whose}, found ${signers.size}; not signed by ${missing.join(', ')}`,
    {
      hint: 'add what is missing with `vespid trust sign --add`; if this is an older policy than the one in use, give the newest; if policies in between were missed, apply each, in order, with `vespid trust update`',
      details: { needed: rootKeys.threshold, signed: [...signers], missing },
    },
  );
}

/**
 * The distinct keys of `rootKeys` that signed.
 *
 * @throws VespidError TRUST_POLICY_SIGNATURE_INVALID
 */
function signersAmong(
  rootKeys: RootKeys,
  envelope: SignedPolicyEnvelope,
  where: string,
): ReadonlySet<string> {
  const message = policySigningInput(envelope.payload);
  const signers = new Set<string>();
  for (const { keyId, signature } of envelope.signatures) {
    const key = rootKeys.keys.find((candidate) => candidate.keyId === keyId);
    if (key === undefined) continue;
    requireValid(signature, message, key.bytes, `${where}: signature by root key ${keyId}`);
    signers.add(keyId);
  }
  return signers;
}

/** A false signature by a key that counts is never an oversight: it is refused, not passed over. */
function requireValid(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array, what: string): void {
  try {
    verifyEd25519(signature, message, publicKey, what);
  } catch (cause) {
    if (!(cause instanceof VespidError)) throw cause;
    throw new VespidError('TRUST_POLICY_SIGNATURE_INVALID', cause.message, {
      hint: 'the trust policy or its signature was altered; get it again from those who signed it',
      cause,
    });
  }
}
