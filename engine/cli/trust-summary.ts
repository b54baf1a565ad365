import {
  type CallGrant,
  type Grants,
  isRevoked,
  type NamePattern,
  type RequirementDecision,
  requirementsOf,
  type TrustedSigner,
  type TrustPolicy,
  validityAt,
} from '../../signing/index.js';
import { factLines, tableLines } from './text-table.js';

/** The `--json` members of a trust policy, for the help. */
export const TRUST_JSON = `"version", "expires", "threshold", "signers": [{ "id", "kind": "key" | "keyless",
  "keyId" | "issuer" with "subject" or "subjectPattern", "validFrom", "validUntil", "standing", "may": {...} }],
  "groups": { name: [id] }, "require": [{ "group", "threshold" }], "revoked": { "keys", "identities", "digests" },
  "minimumVersions": {...}, "provenance": {...}, "rootKeys": { "threshold", "keyIds" }`;

/** A trust policy for people: who signs, until when, what each may sign, what is required and what is revoked. */
export function trustLines(policy: TrustPolicy, now: Date): string[] {
  const { version, expires, provenance, rootKeys, minimumVersions } = policy;
  const facts: (readonly [string, string])[] = [
    ...(version === undefined ? [] : [['version', String(version)] as const]),
    ...(expires === undefined ? [] : [['expires', momentText(expires, now)] as const]),
    ...requirementsOf(policy, []).map((requirement) => ['needs', needText(policy, requirement)] as const),
    ...(provenance === undefined ? [] : [['needs', provenanceText(provenance)] as const]),
    ...[...minimumVersions].map(
      ([name, minimum]) => ['needs', `${name} of version ${minimum} or later`] as const,
    ),
    ...(rootKeys === undefined
      ? []
      : [['next policy', `signed by ${rootKeys.threshold} of ${rootKeys.keys.length} root keys`] as const]),
  ];
  return [
    ...factLines(facts),
    '',
    ...signerTable(policy, now),
    '',
    ...policy.signers.flatMap(grantLines),
    ...revocationLines(policy),
  ];
}

function needText(policy: TrustPolicy, { label, needed }: RequirementDecision): string {
  if (label === 'signers') return `${needed} of ${policy.signers.length} signers`;
  const members = policy.groups.get(label.replace('group ', '')) ?? [];
  return `${needed} of ${label}: ${members.join(', ')}`;
}

function provenanceText({ builders, repositories }: NonNullable<TrustPolicy['provenance']>): string {
  const by = builders === undefined ? '' : ` by ${builders.join(' or ')}`;
  const from = repositories === undefined ? '' : ` from ${repositories.join(' or ')}`;
  return `SLSA provenance${by}${from}`;
}

function signerTable(policy: TrustPolicy, now: Date): string[] {
  return tableLines(
    [{ title: 'SIGNER' }, { title: 'STANDING' }, { title: 'UNTIL' }, { title: 'WHO' }],
    policy.signers.map((signer) => [
      signer.id,
      standingAt(policy, signer, now),
      signer.validUntil === undefined ? 'for ever' : momentText(signer.validUntil, now),
      whoText(signer),
    ]),
  );
}

function standingAt(policy: TrustPolicy, signer: TrustedSigner, now: Date) {
  return isRevoked(policy, signer) ? 'revoked' : validityAt(signer, now);
}

function whoText(signer: TrustedSigner): string {
  if (signer.kind === 'key') return `key ${signer.publicKey.keyId}`;
  const { issuer, subject } = signer;
  return `${subject.kind === 'exact' ? subject.subject : `${subject.pattern.text} (pattern)`} of ${issuer}`;
}

const MS_PER_DAY = 24 * 60 * 60 * 1000;

/** "2027-06-01T00:00:00.000Z, in 189 days" */
function momentText(moment: Date, now: Date): string {
  const days = Math.floor((moment.getTime() - now.getTime()) / MS_PER_DAY);
  const distance = days < 0 ? 'past' : `in ${days} days`;
  return `${moment.toISOString()}, ${distance}`;
}

function grantLines({ id, may }: TrustedSigner): string[] {
  if (may === undefined) return [`${id} may sign everything`, ''];
  return [`${id} may sign only`, ...factLines(grantFacts(may), '  '), ''];
}

/** Dimensions that are not limited are left out. */
function grantFacts(may: Grants): (readonly [string, string])[] {
  const { bundles, programTypes, attachTypes, attachTargets, helpers, kfuncs, effects } = may;
  return [
    ...namesFact('bundles', bundles),
    ...namesFact('program types', programTypes),
    ...namesFact('attach types', attachTypes),
    ...namesFact('attach targets', attachTargets),
    ...(helpers === undefined ? [] : [['helpers', callsText(helpers)] as const]),
    ...(kfuncs === undefined ? [] : [['kernel functions', callsText(kfuncs)] as const]),
    ...(effects === undefined ? [] : [['effects', effects.join(', ')] as const]),
  ];
}

function namesFact(name: string, patterns?: readonly NamePattern[]): (readonly [string, string])[] {
  return patterns === undefined ? [] : [[name, patternsText(patterns)]];
}

function callsText({ allow, deny }: CallGrant): string {
  const allowed = allow === undefined ? 'all' : patternsText(allow);
  return deny === undefined ? allowed : `${allowed}, but not ${patternsText(deny)}`;
}

function patternsText(patterns: readonly NamePattern[]): string {
  if (patterns.length === 0) return 'none';
  return patterns.map(({ text }) => (text === '' ? '"" (none)' : text)).join(', ');
}

function revocationLines({ revokedKeys, revokedIdentities, revokedDigests }: TrustPolicy): string[] {
  const rows = [
    ...[...revokedKeys].map(([keyId, reason]) => [`key ${keyId}`, reason]),
    ...revokedIdentities.map(({ issuer, subject, reason }) => [`${subject} of ${issuer}`, reason]),
    ...[...revokedDigests].map(([digest, reason]) => [digest, reason]),
  ];
  if (rows.length === 0) return ['nothing is revoked'];
  return tableLines([{ title: 'REVOKED' }, { title: 'REASON' }], rows);
}

/** A trust policy for machines, as {@link TRUST_JSON} says. */
export function trustJson(policy: TrustPolicy, now: Date): Readonly<Record<string, unknown>> {
  const { version, expires, threshold, provenance, rootKeys } = policy;
  return {
    ...(version === undefined ? {} : { version }),
    ...(expires === undefined ? {} : { expires: expires.toISOString() }),
    threshold,
    signers: policy.signers.map((signer) => signerJson(policy, signer, now)),
    groups: Object.fromEntries(policy.groups),
    require: policy.requirements,
    revoked: {
      keys: [...policy.revokedKeys].map(([keyId, reason]) => ({ keyId, reason })),
      identities: policy.revokedIdentities,
      digests: [...policy.revokedDigests].map(([digest, reason]) => ({ digest, reason })),
    },
    minimumVersions: Object.fromEntries(policy.minimumVersions),
    ...(provenance === undefined ? {} : { provenance }),
    ...(rootKeys === undefined
      ? {}
      : {
          rootKeys: { threshold: rootKeys.threshold, keyIds: rootKeys.keys.map(({ keyId }) => keyId) },
        }),
  };
}

function signerJson(policy: TrustPolicy, signer: TrustedSigner, now: Date) {
  const { id, kind, validFrom, validUntil, may } = signer;
  return {
    ...{ id, kind },
    ...identityJson(signer),
    ...(validFrom === undefined ? {} : { validFrom: validFrom.toISOString() }),
    ...(validUntil === undefined ? {} : { validUntil: validUntil.toISOString() }),
    standing: standingAt(policy, signer, now),
    ...(may === undefined ? {} : { may: grantsJson(may) }),
  };
}

function identityJson(signer: TrustedSigner) {
  if (signer.kind === 'key') return { keyId: signer.publicKey.keyId };
  const { issuer, subject } = signer;
  return subject.kind === 'exact'
    ? { issuer, subject: subject.subject }
    : { issuer, subjectPattern: subject.pattern.text };
}

/** As in the policy: a pattern is its text. */
function grantsJson(may: Grants): unknown {
  return JSON.parse(JSON.stringify(may, (_key, value: unknown) => (isPattern(value) ? value.text : value)));
}

function isPattern(value: unknown): value is NamePattern {
  return typeof value === 'object' && value !== null && 'text' in value && 'tokens' in value;
}
