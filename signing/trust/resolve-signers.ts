import type { YamlPath } from '../documents/yaml-source.js';
import { resolveGrants } from './grants.js';
import { parseNamePattern } from './name-pattern.js';
import { type PolicyFile, readMoment, readPublicKey } from './policy-file.js';
import type { SignerTerms, SubjectRule, TrustedIdentity, TrustedKey, TrustedSigner } from './trust-policy.js';
import type {
  IdentityDocument,
  KeyDocument,
  SignerTermsDocument,
  TrustPolicyDocument,
} from './trust-policy-document.js';

/**
 * The keys, then the identities of a policy, each once.
 *
 * @throws VespidError TRUST_POLICY_INVALID, TRUST_POLICY_DATE_INVALID, TRUST_POLICY_KEY_UNREADABLE,
 *   TRUST_POLICY_ID_DUPLICATE, TRUST_POLICY_KEY_DUPLICATE, KEY_*
 */
export function resolveSigners(document: TrustPolicyDocument, file: PolicyFile): readonly TrustedSigner[] {
  const { keys = [], identities = [] } = document;
  const placed = [
    ...keys.map((key, index) => placeAt(['keys', index], (path) => resolveKey(key, path, file))),
    ...identities.map((identity, index) =>
      placeAt(['identities', index], (path) => resolveIdentity(identity, path, file)),
    ),
  ];
  if (placed.length === 0) {
    throw file.source.fault('TRUST_POLICY_INVALID', 'missing field "keys" or "identities"', [], {
      hint: 'name at least one key or Sigstore identity whose signatures count',
    });
  }
  requireDistinct(placed, file);
  return placed.map(({ signer }) => signer);
}

interface PlacedSigner {
  readonly signer: TrustedSigner;
  readonly path: YamlPath;
}

function placeAt(path: YamlPath, resolve: (path: YamlPath) => TrustedSigner): PlacedSigner {
  return { path, signer: resolve(path) };
}

function resolveKey(key: KeyDocument, path: YamlPath, file: PolicyFile): TrustedKey {
  const terms = resolveTerms(key, path, file);
  return { kind: 'key', ...terms, publicKey: readPublicKey(file, key.publicKey, [...path, 'publicKey']) };
}

function resolveIdentity(identity: IdentityDocument, path: YamlPath, file: PolicyFile): TrustedIdentity {
  const { issuer } = identity;
  const terms = resolveTerms(identity, path, file);
  return { kind: 'keyless', ...terms, issuer, subject: resolveSubject(identity, path, file) };
}

function resolveSubject({ subject, subjectPattern }: IdentityDocument, path: YamlPath, file: PolicyFile) {
  const rule = subjectRuleOf(subject, subjectPattern);
  if (rule === undefined) {
    const message = 'expected one of subject and subjectPattern, found both or none';
    throw file.source.fault('TRUST_POLICY_INVALID', message, path, {
      hint: 'give subject to compare exactly, or subjectPattern with * and **',
    });
  }
  if (rule.kind === 'exact' && rule.subject.includes('*')) {
    const message = 'expected a subject to compare exactly, found one with *';
    throw file.source.fault('TRUST_POLICY_INVALID', message, [...path, 'subject'], {
      hint: 'write subjectPattern instead of subject to give * a meaning',
    });
  }
  return rule;
}

function subjectRuleOf(subject: string | undefined, pattern: string | undefined): SubjectRule | undefined {
  if (subject !== undefined) return pattern === undefined ? { kind: 'exact', subject } : undefined;
  return pattern === undefined ? undefined : { kind: 'pattern', pattern: parseNamePattern(pattern) };
}

function resolveTerms(document: SignerTermsDocument, path: YamlPath, file: PolicyFile): SignerTerms {
  const { id, validFrom: from, validUntil: until, may } = document;
  const validFrom = from === undefined ? undefined : readMoment(file, from, [...path, 'validFrom']);
  const validUntil = until === undefined ? undefined : readMoment(file, until, [...path, 'validUntil']);
  if (validFrom !== undefined && validUntil !== undefined && !(validFrom < validUntil)) {
    const message = `expected validUntil after validFrom, found ${until} after ${from}`;
    throw file.source.fault('TRUST_POLICY_DATE_INVALID', message, [...path, 'validUntil'], {
      hint: 'as it is, the signer would never be valid',
    });
  }
  return {
    id,
    ...(validFrom === undefined ? {} : { validFrom }),
    ...(validUntil === undefined ? {} : { validUntil }),
    ...(may === undefined ? {} : { may: resolveGrants(may) }),
  };
}

/** One key or subject under two ids would let one signer meet a threshold of two. */
function requireDistinct(placed: readonly PlacedSigner[], { source }: PolicyFile): void {
  const idsSeen = new Set<string>();
  const idByIdentity = new Map<string, string>();
  for (const { signer, path } of placed) {
    const { id } = signer;
    if (idsSeen.has(id)) {
      throw source.fault(
        'TRUST_POLICY_ID_DUPLICATE',
        `expected each id once, found ${id} again`,
        [...path, 'id'],
        { hint: 'give each key and identity its own id' },
      );
    }
    idsSeen.add(id);
    const [identity, field] = identityOf(signer);
    const twin = idByIdentity.get(identity);
    if (twin !== undefined) {
      const what = signer.kind === 'key' ? 'key' : 'identity';
      const message = `expected each ${what} once, found the ${what} of ${twin} again under ${id}`;
      throw source.fault('TRUST_POLICY_KEY_DUPLICATE', message, [...path, field], {
        hint: `remove one of the two entries: one ${what} is one signer`,
      });
    }
    idByIdentity.set(identity, id);
  }
}

/** What makes a signer the same as another, and the field that says it. */
function identityOf(signer: TrustedSigner): readonly [identity: string, field: string] {
  if (signer.kind === 'key') return [signer.publicKey.keyId, 'publicKey'];
  const { issuer, subject } = signer;
  return subject.kind === 'exact'
    ? [JSON.stringify([issuer, 'exact', subject.subject]), 'subject']
    : [JSON.stringify([issuer, 'pattern', subject.pattern.text]), 'subjectPattern'];
}
