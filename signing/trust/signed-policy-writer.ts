import { reasonOf, VespidError } from '../../engine/errors/index.js';
import { canonicalJson } from '../documents/canonical-json.js';
import { YamlSource } from '../documents/yaml-source.js';
import { verifyEd25519 } from '../keys/ed25519-verify.js';
import { writePem } from '../keys/pem.js';
import { encodeSpki, type PublicKey } from '../keys/public-key.js';
import type { Signer } from '../keys/signer.js';
import { parseTrustPolicy } from './parse-trust-policy.js';
import {
  decodeSignedPolicy,
  encodeSignedPolicy,
  type PolicySignature,
  policySigningInput,
} from './signed-policy-envelope.js';
import { parseSignedTrustPolicy, requireSignable } from './signed-trust-policy.js';
import type { TrustPolicy } from './trust-policy.js';
import { checkTrustPolicyDocument, type TrustPolicyDocument } from './trust-policy-document.js';

/**
 * The payload of a signed trust policy: the document of a plain one with every key and the trusted root put in, as
 * canonical JSON. The same policy gives the same bytes, wherever its files lie.
 *
 * @param file path of the policy, for messages and for finding the files beside it
 * @param readFile as for `parseTrustPolicy`; each file is read once
 * @throws VespidError TRUST_POLICY_NOT_SIGNABLE, TRUST_POLICY_*, KEY_*
 */
export function trustPolicyPayload(
  text: string,
  file: string,
  readFile: (path: string) => string,
): Uint8Array {
  const policy = requireSignable(parseTrustPolicy(text, file, readFile), file);
  const checked = checkTrustPolicyDocument(new YamlSource(file, text).toValue());
  if ('error' in checked) throw new VespidError('INTERNAL', 'a parsed trust policy has no document');
  const payload = encodePayload(inlineFiles(checked.value, policy), file);
  // What will be read is what was meant: the round trip is part of signing.
  parseSignedTrustPolicy(payload, file);
  return payload;
}

function encodePayload(document: TrustPolicyDocument, file: string): Uint8Array {
  try {
    return canonicalJson(document);
  } catch (cause) {
    const reason = reasonOf(cause);
    throw new VespidError('TRUST_POLICY_NOT_SIGNABLE', `${file}: ${reason}`, {
      hint: 'a signed trust policy holds texts, integers and true or false only, also in its trusted root',
      cause,
    });
  }
}

function inlineFiles(document: TrustPolicyDocument, policy: TrustPolicy): TrustPolicyDocument {
  const { keys, sigstore, rootKeys } = document;
  // `signers` has the keys first, in the order of the document.
  const publicKeys = policy.signers.flatMap((signer) => (signer.kind === 'key' ? [signer.publicKey] : []));
  const rootPems = policy.rootKeys?.keys.map(pemOf) ?? [];
  return {
    ...document,
    ...(keys === undefined
      ? {}
      : { keys: keys.map((key, index) => ({ ...key, publicKey: pemOf(required(publicKeys[index])) })) }),
    ...(sigstore === undefined || policy.trustedRoot === undefined
      ? {}
      : { sigstore: { ...sigstore, trustedRoot: policy.trustedRoot } }),
    ...(rootKeys === undefined ? {} : { rootKeys: { ...rootKeys, keys: rootPems } }),
  };
}

function pemOf(key: PublicKey): string {
  return writePem('PUBLIC KEY', encodeSpki(key.bytes));
}

function required<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new VespidError('INTERNAL', 'a trust policy lost a key while it was parsed');
  return value;
}

/**
 * Signs a payload.
 *
 * @param payload as `trustPolicyPayload` gives it
 * @returns the envelope, canonical JSON
 * @throws VespidError TRUST_POLICY_SIGNATURE_INVALID when a signer gives a false signature, and what signers throw
 */
export async function signTrustPolicy(payload: Uint8Array, signers: readonly Signer[]): Promise<Uint8Array> {
  return encodeSignedPolicy({ payload, signatures: await signaturesBy(signers, payload) });
}

/**
 * Adds signatures to a signed trust policy, over the same bytes. A signature that such a key made before is replaced.
 *
 * @param where names the file in messages
 * @throws VespidError TRUST_POLICY_ENVELOPE_INVALID, TRUST_POLICY_*, KEY_*, and as `signTrustPolicy`
 */
export async function addPolicySignatures(
  bytes: Uint8Array,
  where: string,
  signers: readonly Signer[],
): Promise<Uint8Array> {
  const { payload, signatures } = decodeSignedPolicy(bytes, where);
  // Nobody signs what a node could not read.
  parseSignedTrustPolicy(payload, `${where}: payload`);
  const added = await signaturesBy(signers, payload);
  const replaced = new Set(added.map(({ keyId }) => keyId));
  return encodeSignedPolicy({
    payload,
    signatures: [...signatures.filter(({ keyId }) => !replaced.has(keyId)), ...added],
  });
}

async function signaturesBy(signers: readonly Signer[], payload: Uint8Array): Promise<PolicySignature[]> {
  const message = policySigningInput(payload);
  const signatures = new Map<string, Uint8Array>();
  for (const signer of signers) {
    const { keyId, bytes } = signer.publicKey;
    const signature = await signer.sign(message);
    requireOwnSignature(signature, message, bytes, keyId);
    signatures.set(keyId, signature);
  }
  return [...signatures].map(([keyId, signature]) => ({ keyId, signature }));
}

/** A command or a device signs out of our sight; a false signature is found here and not on every node. */
function requireOwnSignature(
  signature: Uint8Array,
  message: Uint8Array,
  publicKey: Uint8Array,
  keyId: string,
): void {
  try {
    verifyEd25519(signature, message, publicKey, `signature by ${keyId}`);
  } catch (cause) {
    if (!(cause instanceof VespidError)) throw cause;
    throw new VespidError('TRUST_POLICY_SIGNATURE_INVALID', cause.message, {
      hint: 'the signer gave a signature that is not of its public key; check the command or the key that signs',
      cause,
    });
  }
}
