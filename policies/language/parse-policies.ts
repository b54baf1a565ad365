import { locate, VespidError } from '../../engine/errors/index.js';
import { checkPolicy } from './check-policy.js';
import type { CheckedPolicy } from './checked-policy.js';
import { readYaml } from './read-yaml.js';

/**
 * Reads a policy file: one policy per YAML document. The first fault ends it.
 *
 * @param text the file's content
 * @param file its name, for locations
 * @throws VespidError with a POLICY_ code; with a location, unless a limit of the whole file is passed
 */
export function parsePolicies(text: string, file: string): CheckedPolicy[] {
  const documents = readYaml(text, file);
  if (documents.length === 0) {
    throw new VespidError('POLICY_SCHEMA', `${file} holds no policy`, {
      location: locate(file, text, 0),
      hint: 'a policy starts with apiVersion: vespid.dev/v1',
    });
  }
  const names = new Set<string>();
  return documents.map((document) => {
    const policy = checkPolicy(document);
    if (names.has(policy.name)) {
      const location = document.locateValue(['metadata', 'name']);
      throw document.error(
        'POLICY_DUPLICATE_NAME',
        location,
        `two policies of the file have the name ${policy.name}`,
        'events name the policy, so each needs a name of its own',
      );
    }
    names.add(policy.name);
    return policy;
  });
}

/**
 * As {@link parsePolicies}, for a file that holds exactly one policy.
 *
 * @throws VespidError as parsePolicies, and POLICY_SCHEMA if there are several
 */
export function parsePolicy(text: string, file: string): CheckedPolicy {
  const [policy, ...others] = parsePolicies(text, file);
  if (policy !== undefined && others.length === 0) return policy;
  throw new VespidError('POLICY_SCHEMA', `${file} holds ${others.length + 1} policies; exactly one expected`);
}
