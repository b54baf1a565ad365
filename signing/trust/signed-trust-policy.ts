import { VespidError } from '../../engine/errors/index.js';
import { readSignedDocument } from '../documents/signed-document.js';
import { parseTrustPolicy } from './parse-trust-policy.js';
import type { RootKeys, TrustPolicy } from './trust-policy.js';
import { checkTrustPolicyDocument } from './trust-policy-document.js';

/** A trust policy that can be signed and rotated: what is optional in a plain one is there. */
export interface SignedTrustPolicy extends TrustPolicy {
  readonly version: number;
  readonly expires: Date;
  readonly rootKeys: RootKeys;
}

/**
 * Reads the payload of a signed trust policy: canonical JSON without a path to any other file, read by the parser of
 * plain ones (JSON is YAML). For payloads whose signatures were verified, or that are about to be signed.
 *
 * @param where names the payload in messages
 * @throws VespidError TRUST_POLICY_*, KEY_*, BUNDLE_JSON_*
 */
export function parseSignedTrustPolicy(payload: Uint8Array, where: string): SignedTrustPolicy {
  readSignedDocument(payload, where, checkTrustPolicyDocument, 'TRUST_POLICY_INVALID');
  const text = new TextDecoder('utf-8', { fatal: true }).decode(payload);
  return requireSignable(parseTrustPolicy(text, where, refuseFile), where);
}

function refuseFile(path: string): never {
  throw new VespidError('TRUST_POLICY_INVALID', `a signed trust policy names no files, found ${path}`);
}

/** @throws VespidError TRUST_POLICY_NOT_SIGNABLE */
export function requireSignable(policy: TrustPolicy, where: string): SignedTrustPolicy {
  const { version, expires, rootKeys } = policy;
  if (version !== undefined && expires !== undefined && rootKeys !== undefined) {
    return { ...policy, version, expires, rootKeys };
  }
  const missing = Object.entries({ version, expires, rootKeys }).filter(([, value]) => value === undefined);
  const names = missing.map(([name]) => name).join(', ');
  throw new VespidError(
    'TRUST_POLICY_NOT_SIGNABLE',
    `${where}: expected version, expires and rootKeys in a signed trust policy, found no ${names}`,
    { hint: 'add them; docs/root-of-trust.md has an example' },
  );
}

/**
 * Refuses a policy, signed or not, at and after its `expires`.
 *
 * @throws VespidError TRUST_POLICY_EXPIRED
 */
export function requireUnexpired({ expires }: Pick<TrustPolicy, 'expires'>, now: Date, where: string): void {
  // Positive, so that an invalid date is past, too.
  if (expires === undefined || now < expires) return;
  throw new VespidError(
    'TRUST_POLICY_EXPIRED',
    `${where}: expected a trust policy that is still valid, found one that expired at ${expires.toISOString()}`,
    { hint: 'get the newest trust policy; its root keys sign a new one before the old one expires' },
  );
}
