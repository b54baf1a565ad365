import { VespidError } from '../../engine/errors/index.js';
import type { BundleOutline } from '../bundle/bundle-content.js';
import type { BundlePredicate } from './bundle-predicate.js';
import { programSubjectName } from './program-claim.js';
import { expectedSubjects, type Statement, type Subject } from './statement.js';

/**
 * Checks that a verified statement speaks about exactly this content: no file left out, none added, every digest
 * the same, every claim about a file that is here, and no file without a claim. Returns what is claimed.
 *
 * @throws VespidError BUNDLE_CLAIM_INVALID, BUNDLE_SUBJECT_DUPLICATE, BUNDLE_SUBJECT_MISSING,
 *   BUNDLE_SUBJECT_MISMATCH, BUNDLE_SUBJECT_UNEXPECTED
 */
export function checkStatementCovers(statement: Statement, content: BundleOutline): BundlePredicate {
  const { predicate } = statement;
  requireClaimsMatchFiles(predicate, content);
  const stated = indexSubjects(statement.subject);
  const expected = expectedSubjects(content, predicate.programs);
  for (const subject of expected) requireStated(subject, stated);
  const expectedNames = new Set(expected.map(({ name }) => name));
  const stray = statement.subject.find(({ name }) => !expectedNames.has(name));
  if (stray !== undefined) {
    throw refusal(
      'BUNDLE_SUBJECT_UNEXPECTED',
      `subjects of this bundle only, found ${JSON.stringify(stray.name)}`,
    );
  }
  return predicate;
}

function requireClaimsMatchFiles(predicate: BundlePredicate, content: BundleOutline): void {
  const { programs, policies, structOps } = predicate;
  const policyFiles = content.policies.map(({ name }) => name);
  const objects = content.objects.map(({ name }) => name);
  requireClaimForEach('a program', objects, programs.map(claimed('object', programSubjectName)));
  requireClaimForEach(
    'a policy',
    policyFiles,
    policies.map(claimed('file', ({ file, name }) => `${file}#${name}`)),
  );
  requireOfFiles(objects, structOps.map(claimed('object', ({ object, name }) => `${object}#${name}`)));
}

/** What a claim is about. */
interface Claimed {
  readonly file: string;
  /** For messages. */
  readonly label: string;
}

function claimed<Member extends string, Claim extends Readonly<Record<Member, string>>>(
  member: Member,
  labelOf: (claim: Claim) => string,
): (claim: Claim) => Claimed {
  return (claim) => ({ file: claim[member], label: labelOf(claim) });
}

function requireClaimForEach(what: string, files: readonly string[], claims: readonly Claimed[]): void {
  const withClaims = new Set(claims.map(({ file }) => file));
  const unclaimed = files.find((file) => !withClaims.has(file));
  if (unclaimed !== undefined) {
    throw refusal('BUNDLE_CLAIM_INVALID', `${what} claimed for each such file, found none for ${unclaimed}`);
  }
  requireOfFiles(files, claims);
}

function requireOfFiles(files: readonly string[], claims: readonly Claimed[]): void {
  const present = new Set(files);
  const foreign = claims.find(({ file }) => !present.has(file));
  if (foreign !== undefined) {
    throw refusal('BUNDLE_CLAIM_INVALID', `claims about files of this bundle, found ${foreign.label}`);
  }
}

function indexSubjects(subjects: readonly Subject[]): ReadonlyMap<string, string> {
  const digests = new Map<string, string>();
  for (const { name, digest } of subjects) {
    if (digests.has(name)) {
      throw refusal('BUNDLE_SUBJECT_DUPLICATE', `each subject once, found ${JSON.stringify(name)} again`);
    }
    digests.set(name, digest.sha256);
  }
  return digests;
}

function requireStated(subject: Subject, stated: ReadonlyMap<string, string>): void {
  const found = stated.get(subject.name);
  if (found === undefined) {
    throw refusal(
      'BUNDLE_SUBJECT_MISSING',
      `${subject.name} among the signed subjects, found no such subject`,
    );
  }
  if (found !== subject.digest.sha256) {
    const message = `${subject.name} signed with sha256 ${subject.digest.sha256}, found ${found}`;
    throw refusal('BUNDLE_SUBJECT_MISMATCH', message);
  }
}

type SubjectFault =
  | 'BUNDLE_CLAIM_INVALID'
  | 'BUNDLE_SUBJECT_DUPLICATE'
  | 'BUNDLE_SUBJECT_MISSING'
  | 'BUNDLE_SUBJECT_MISMATCH'
  | 'BUNDLE_SUBJECT_UNEXPECTED';

function refusal(code: SubjectFault, expectation: string): VespidError {
  return new VespidError(code, `in-toto statement: expected ${expectation}`, {
    hint: 'the signature was made for other content; sign this bundle itself, or fetch the one that was signed',
  });
}
