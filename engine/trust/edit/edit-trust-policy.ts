import { readFileSync } from 'node:fs';
import { isSignedPolicy, parseTrustPolicy, type TrustPolicy } from '../../../signing/index.js';
import { VespidError } from '../../errors/index.js';
import { readTrustFile } from '../trust-file.js';
import { type Insertion, insertYaml } from './insert-yaml.js';

/** A trust policy file with a change that is not written yet. */
export interface EditedTrustPolicy {
  readonly before: string;
  readonly after: string;
  /** What `after` says. */
  readonly policy: TrustPolicy;
}

/**
 * Makes a change to the text of a plain trust policy file, which is read and not written: the file as it is and the
 * file as it would be are both checked as `openTrustPolicy` does.
 *
 * @param insertionsOf what to put in, from what the policy says now
 * @throws VespidError INPUT_*, TRUST_POLICY_*, KEY_*; where the change is at fault, with its place in the new text
 */
export function editTrustPolicy(
  file: string,
  insertionsOf: (policy: TrustPolicy) => readonly Insertion[],
): EditedTrustPolicy {
  const { text: before } = readTrustFile(file);
  if (isSignedPolicy(before)) {
    throw new VespidError('INPUT_WRONG_KIND', `${file}: expected a plain trust policy, found a signed one`, {
      hint: 'change the plain file with a higher version, and sign it again: vespid trust sign',
    });
  }
  const insertions = insertionsOf(parseTrustPolicy(before, file, readText));
  const after = insertions.reduce(insertYaml, before);
  return { before, after, policy: parseTrustPolicy(after, file, readText) };
}

function readText(path: string): string {
  return readFileSync(path, 'utf8');
}
