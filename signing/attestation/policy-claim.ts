import { compareText, sortedNames } from './claim-order.js';

/** What a signer states about one policy of a bundle; recomputed from the YAML before anything is loaded. */
export interface PolicyClaim {
  /** Name of the file in the bundle; it may hold several policies. */
  readonly file: string;
  /** Of the whole file, `sha256:<hex>`. */
  readonly digest: string;
  /** metadata.name */
  readonly name: string;
  /** Hooks that its rules are on, `file.open`. */
  readonly hooks: readonly string[];
  /** Effects that its rules ask for. */
  readonly effects: readonly string[];
}

/** As normalizeProgramClaims: by file, then by name; hooks and effects ascending and once. */
export function normalizePolicyClaims(claims: readonly PolicyClaim[]): readonly PolicyClaim[] {
  return claims
    .map(({ file, digest, name, hooks, effects }) => ({
      ...{ file, digest, name },
      hooks: sortedNames(hooks),
      effects: sortedNames(effects),
    }))
    .sort((left, right) => compareText(left.file, right.file) || compareText(left.name, right.name));
}
