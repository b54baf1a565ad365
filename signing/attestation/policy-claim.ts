import { compareText, sortedNames } from './claim-order.js';
import { closedObject, nameSet, TEXT } from './claim-schema.js';

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

/** A file holds few policies, and a bundle at most some thousand files. */
const MAX_POLICY_CLAIMS = 2048;
/** More than the catalogue has of either. */
const MAX_NAMES = 64;

const NAME = { ...TEXT, minLength: 1 };

/** JSON Schema of the claims about all policies of one bundle. */
export const POLICY_CLAIMS_SCHEMA = {
  type: 'array',
  maxItems: MAX_POLICY_CLAIMS,
  items: closedObject({
    file: NAME,
    digest: { type: 'string', pattern: '^sha256:[0-9a-f]{64}$' },
    name: NAME,
    hooks: nameSet({ ...NAME, maxLength: 64 }, MAX_NAMES),
    effects: nameSet({ enum: ['audit', 'deny', 'kill'] }, MAX_NAMES),
  }),
};

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
