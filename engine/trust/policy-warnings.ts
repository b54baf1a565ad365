import {
  type CallGrant,
  isRevoked,
  matchesName,
  type NamePattern,
  type TrustedIdentity,
  type TrustedSigner,
  type TrustPolicy,
  validityAt,
} from '../../signing/index.js';
import { closestName } from '../errors/index.js';

/** Names that grants can be held against; which functions and hooks a kernel has, only the kernel knows. */
export interface KnownNames {
  readonly programTypes: readonly string[];
  readonly attachTypes: readonly string[];
  readonly helpers: readonly string[];
}

const MS_PER_DAY = 24 * 60 * 60 * 1000;
/** Time enough to make a key, have it signed off and bring it to every node. */
export const WARN_BEFORE_DAYS = 30;

/** What a trust policy allows but its author probably does not mean, one sentence each. Pure. */
export function policyWarnings(policy: TrustPolicy, known: KnownNames, now: Date): readonly string[] {
  return [
    ...warnOfEnd('the trust policy', policy.expires, now),
    ...policy.signers.flatMap((signer) => warnOfSigner(policy, signer, known, now)),
    ...warnOfThresholds(policy, now),
    ...warnOfShadowedIdentities(policy),
    ...[...policy.groups.keys()]
      .filter((group) => !policy.requirements.some((requirement) => requirement.group === group))
      .map((group) => `group ${group} is not required: nothing depends on it`),
  ];
}

function warnOfSigner(
  policy: TrustPolicy,
  signer: TrustedSigner,
  known: KnownNames,
  now: Date,
): readonly string[] {
  const { id, may } = signer;
  if (isRevoked(policy, signer)) return [`${id} is revoked: remove it from keys, identities and groups`];
  const limits =
    may === undefined ? [`${id} may sign everything: limit it with may, to what it has to sign`] : [];
  return [
    ...warnOfEnd(id, signer.validUntil, now),
    ...limits,
    ...(signer.kind === 'keyless' ? warnOfWideSubject(signer) : []),
    ...warnOfGrants(signer, known),
  ];
}

function warnOfEnd(what: string, end: Date | undefined, now: Date): readonly string[] {
  if (end === undefined) return [];
  const days = Math.floor((end.getTime() - now.getTime()) / MS_PER_DAY);
  if (now >= end) return [`${what} expired at ${end.toISOString()}`];
  return days < WARN_BEFORE_DAYS ? [`${what} expires in ${days} days, at ${end.toISOString()}`] : [];
}

/** Thresholds that the signers of today do not meet, or no longer after one more is revoked or lost. */
function warnOfThresholds(policy: TrustPolicy, now: Date): readonly string[] {
  const usable = policy.signers
    .filter((signer) => !isRevoked(policy, signer) && validityAt(signer, now) === 'accepted')
    .map(({ id }) => id);
  const everyone = { label: 'the threshold', threshold: policy.threshold, members: usable };
  const groups = policy.requirements.map(({ group, threshold }) => ({
    label: `the threshold of group ${group}`,
    threshold,
    members: (policy.groups.get(group) ?? []).filter((id) => usable.includes(id)),
  }));
  return [everyone, ...groups].flatMap(({ label, threshold, members }) => {
    const { length: count } = members;
    if (count < threshold) return [`${label} is ${threshold}, but only ${count} signers are valid now`];
    if (count > threshold) return [];
    return [`${label} needs all ${count} signers that are valid now: losing one of them stops every bundle`];
  });
}

/** An attestation counts for the first id that it matches, so a later one may never count. */
function warnOfShadowedIdentities({ signers }: TrustPolicy): readonly string[] {
  const identities = signers.filter((signer) => signer.kind === 'keyless');
  return identities.flatMap(({ id, issuer, subject }, at) => {
    if (subject.kind !== 'exact') return [];
    const earlier = identities
      .slice(0, at)
      .find(
        (other) =>
          other.issuer === issuer &&
          other.subject.kind === 'pattern' &&
          matchesName(other.subject.pattern, subject.subject),
      );
    return earlier === undefined
      ? []
      : [`${id} never counts: its subject matches the pattern of ${earlier.id}, which stands before it`];
  });
}

/** The host, the owner and the repository of a workflow's URL: `https:`, ``, `github.com`, `acme`, `sensors`. */
const OWNER_SEGMENTS = 5;

function warnOfWideSubject({ id, subject }: TrustedIdentity): readonly string[] {
  if (subject.kind === 'exact') return [];
  const { text, prefix } = subject.pattern;
  const isUrl = text.startsWith('https:');
  if (prefix === '' || (isUrl && prefix.split('/').length <= OWNER_SEGMENTS - 1)) {
    return [
      `${id} trusts everybody at ${prefix === '' ? 'its issuer' : prefix}: name the owner before any *`,
    ];
  }
  if (isUrl && prefix.split('/').length <= OWNER_SEGMENTS) {
    return [`${id} trusts every repository of ${prefix}: name the repository before any *`];
  }
  if (/@(refs\/)?\*\*?$/.test(text)) {
    return [`${id} trusts every branch and pull request: end the pattern with @refs/tags/* or one branch`];
  }
  return [];
}

function warnOfGrants({ id, may }: TrustedSigner, known: KnownNames): readonly string[] {
  if (may === undefined) return [];
  const { bundles, programTypes, attachTypes, attachTargets, helpers, kfuncs } = may;
  return [
    ...warnOfEverything(id, 'bundles', bundles),
    // Targets can have a slash in them, which * does not match.
    ...warnOfEverything(id, 'attachTargets', attachTargets, ['**']),
    ...warnOfNames(id, 'programTypes', programTypes, known.programTypes),
    // "" is a program without attach type.
    ...warnOfNames(id, 'attachTypes', attachTypes, [...known.attachTypes, '']),
    ...warnOfCalls(id, 'helpers', helpers, known.helpers),
    ...warnOfEverything(id, 'kfuncs.allow', kfuncs?.allow),
  ];
}

function warnOfCalls(
  id: string,
  grant: string,
  calls: CallGrant | undefined,
  known: readonly string[],
): readonly string[] {
  return [
    ...warnOfEverything(id, `${grant}.allow`, calls?.allow),
    ...warnOfUnknown(id, `${grant}.allow`, calls?.allow, known),
    ...warnOfUnknown(id, `${grant}.deny`, calls?.deny, known),
  ];
}

function warnOfNames(
  id: string,
  grant: string,
  patterns: readonly NamePattern[] | undefined,
  known: readonly string[],
): readonly string[] {
  return [...warnOfEverything(id, grant, patterns), ...warnOfUnknown(id, grant, patterns, known)];
}

/** A name with a slip in it allows nothing, or denies nothing. */
function warnOfUnknown(
  id: string,
  grant: string,
  patterns: readonly NamePattern[] = [],
  known: readonly string[],
): readonly string[] {
  return patterns
    .filter((pattern) => !known.some((name) => matchesName(pattern, name)))
    .map(({ text }) => {
      // Our own tables and many texts leave the kernel's prefix out.
      const near = known.find((name) => name === `bpf_${text}`) ?? closestName(text, known);
      const meant = near === undefined ? '' : `; did you mean ${near}?`;
      return `${id}, ${grant}: ${text} matches nothing that is known${meant}`;
    });
}

/** Says what leaving the dimension out says, but reads like a limit. */
function warnOfEverything(
  id: string,
  grant: string,
  patterns: readonly NamePattern[] = [],
  everything: readonly string[] = ['*', '**'],
): readonly string[] {
  return patterns
    .filter(({ text }) => everything.includes(text))
    .map(({ text }) => `${id}, ${grant}: ${text} limits nothing`);
}
