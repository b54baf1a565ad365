import { type CheckedPolicy, parsePolicies, policyWarnings } from '../../policies/language/index.js';
import { VespidError } from '../errors/index.js';
import { type InputFile, sourceTextOf } from './input-file.js';

/** The policies of several files, fit to be compiled together. */
export interface PolicySet {
  /** By name, so that neither the order of arguments nor the locale of a shell's glob shows in the objects. */
  readonly policies: readonly CheckedPolicy[];
  readonly warnings: readonly string[];
}

/** What policy files are called in a directory. */
export const POLICY_ENDINGS = ['.yaml', '.yml'] as const;

/**
 * @throws VespidError POLICY_*, INPUT_NOT_TEXT
 */
export function parsePolicySet(files: readonly InputFile[]): PolicySet {
  const pathByName = new Map<string, string>();
  const policies = files.flatMap((file) => {
    const parsed = parsePolicies(sourceTextOf(file, 'a policy'), file.path);
    for (const { name } of parsed) {
      const earlier = pathByName.get(name);
      if (earlier !== undefined) throw duplicateName(name, earlier, file.path);
      pathByName.set(name, file.path);
    }
    return parsed;
  });
  policies.sort((left, right) => (left.name < right.name ? -1 : 1));
  return { policies, warnings: policies.flatMap(policyWarnings) };
}

function duplicateName(name: string, earlier: string, later: string): VespidError {
  return new VespidError(
    'POLICY_DUPLICATE_NAME',
    `two policies have the name ${name}: in ${earlier} and in ${later}`,
    {
      hint: 'events name the policy, so each needs a name of its own; was a file given twice?',
    },
  );
}
