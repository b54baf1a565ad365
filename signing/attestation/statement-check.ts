import { VespidError } from '../../engine/errors/index.js';
import type { BundleContent } from '../bundle/bundle-content.js';
import { type ProgramClaim, programSubjectName } from './program-claim.js';
import { expectedSubjects, type Statement, type Subject } from './statement.js';

/**
 * Checks that a verified statement speaks about exactly this content: no file left out, none added, every digest
 * the same, every claim about an object that is here, and no object without a claim. Returns the claims.
 *
 * @throws VespidError BUNDLE_CLAIM_INVALID, BUNDLE_SUBJECT_DUPLICATE, BUNDLE_SUBJECT_MISSING,
 *   BUNDLE_SUBJECT_MISMATCH, BUNDLE_SUBJECT_UNEXPECTED
 */
export function checkStatementCovers(statement: Statement, content: BundleContent): readonly ProgramClaim[] {
  const claims = statement.predicate.programs;
  requireClaimsMatchObjects(claims, content);
  const stated = indexSubjects(statement.subject);
  const expected = expectedSubjects(content, content.digest, claims);
  for (const subject of expected) requireStated(subject, stated);
  const expectedNames = new Set(expected.map(({ name }) => name));
  const stray = statement.subject.find(({ name }) => !expectedNames.has(name));
  if (stray !== undefined) {
    throw refusal(
      'BUNDLE_SUBJECT_UNEXPECTED',
      `subjects of this bundle only, found ${JSON.stringify(stray.name)}`,
    );
  }
  return claims;
}

function requireClaimsMatchObjects(claims: readonly ProgramClaim[], content: BundleContent): void {
  const claimed = new Set(claims.map(({ object }) => object));
  const present = new Set(content.objects.map(({ name }) => name));
  const unclaimed = [...present].find((name) => !claimed.has(name));
  if (unclaimed !== undefined) {
    throw refusal('BUNDLE_CLAIM_INVALID', `a program claimed for each object, found none for ${unclaimed}`);
  }
  const foreign = claims.find(({ object }) => !present.has(object));
  if (foreign !== undefined) {
    throw refusal(
      'BUNDLE_CLAIM_INVALID',
      `claims about objects of this bundle, found ${programSubjectName(foreign)}`,
    );
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
