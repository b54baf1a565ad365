import type { BundleInput, NamedBytes } from '../../signing/index.js';
import { compilePolicies } from '../compiler/index.js';
import { VespidError } from '../errors/index.js';
import { type InputFile, isElf, nameOf } from './input-file.js';
import { parsePolicySet } from './policy-set.js';

/** What `vespid sign` is going to sign. */
export interface SigningInput {
  readonly input: BundleInput;
  readonly warnings: readonly string[];
}

/**
 * Sorts files by their content into policies and objects, and adds the objects that the policies compile to.
 *
 * @throws VespidError SIGN_NAME_DUPLICATE, POLICY_*, COMPILE_*, INPUT_NOT_TEXT
 */
export function assembleSigningInput(bundleName: string, files: readonly InputFile[]): SigningInput {
  const givenObjects = files.filter(isElf);
  const policyFiles = files.filter((file) => !isElf(file));
  const { policies, warnings } = parsePolicySet(policyFiles);
  const compiled = compilePolicies(policies);
  requireDistinctNames([
    ...files.map((file) => ({ name: nameOf(file), origin: file.path })),
    ...compiled.map(({ name }) => ({ name, origin: 'the object that the policies compile to' })),
  ]);
  return {
    input: {
      name: bundleName,
      policies: policyFiles.map(namedBytes),
      objects: [...compiled, ...givenObjects.map(namedBytes)],
    },
    warnings,
  };
}

function namedBytes(file: InputFile): NamedBytes {
  return { name: nameOf(file), bytes: file.bytes };
}

/** createBundle would refuse them, too, but only this knows where each comes from. */
function requireDistinctNames(entries: readonly { readonly name: string; readonly origin: string }[]): void {
  const originByName = new Map<string, string>();
  for (const { name, origin } of entries) {
    const earlier = originByName.get(name);
    if (earlier !== undefined) {
      throw new VespidError(
        'SIGN_NAME_DUPLICATE',
        `two files would be ${name} in the bundle: ${earlier} and ${origin}`,
        {
          hint: 'rename one of them; give policies or the objects compiled from them, not both',
        },
      );
    }
    originByName.set(name, origin);
  }
}
