import type { YamlPath } from '../documents/yaml-source.js';
import type { PolicyFile } from './policy-file.js';
import type { RevokedIdentity, TrustPolicy } from './trust-policy.js';
import type { TrustPolicyDocument } from './trust-policy-document.js';

type Revocations = Pick<TrustPolicy, 'revokedKeys' | 'revokedIdentities' | 'revokedDigests'>;

/**
 * What a policy revokes, each thing once.
 *
 * @throws VespidError TRUST_POLICY_REVOCATION_DUPLICATE
 */
export function resolveRevocations({ revoked = {} }: TrustPolicyDocument, file: PolicyFile): Revocations {
  const { keys = [], identities = [], digests = [] } = revoked;
  requireOnce(
    identities.map(({ issuer, subject }) => JSON.stringify([issuer, subject])),
    (index) => ['revoked', 'identities', index, 'subject'],
    file,
  );
  return {
    revokedKeys: reasonsBy(keys, ({ keyId }) => keyId, ['revoked', 'keys'], 'keyId', file),
    revokedIdentities: identities satisfies readonly RevokedIdentity[],
    revokedDigests: reasonsBy(digests, ({ digest }) => digest, ['revoked', 'digests'], 'digest', file),
  };
}

function reasonsBy<Entry extends { readonly reason: string }>(
  entries: readonly Entry[],
  nameOf: (entry: Entry) => string,
  list: YamlPath,
  field: string,
  file: PolicyFile,
): ReadonlyMap<string, string> {
  requireOnce(entries.map(nameOf), (index) => [...list, index, field], file);
  return new Map(entries.map((entry) => [nameOf(entry), entry.reason]));
}

/** Of two entries for one thing, whoever removes the one believes that the thing is trusted again. */
function requireOnce(
  names: readonly string[],
  pathOf: (index: number) => YamlPath,
  { source }: PolicyFile,
): void {
  const repeated = names.findIndex((name, index) => names.indexOf(name) !== index);
  if (repeated === -1) return;
  throw source.fault(
    'TRUST_POLICY_REVOCATION_DUPLICATE',
    `expected each revocation once, found ${names[repeated]} again`,
    pathOf(repeated),
    { hint: 'remove one of the two entries' },
  );
}
