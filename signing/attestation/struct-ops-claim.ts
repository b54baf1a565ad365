import { compareText } from './claim-order.js';

/** What a signer states about one set of kernel callbacks (a variable in `.struct_ops`) of an object. */
export interface StructOpsClaim {
  /** Name of the object in the bundle. */
  readonly object: string;
  /** Name of the variable, and of its map. */
  readonly name: string;
  /** The kernel's struct, `tcp_congestion_ops`, without the `___form` that an object may add. */
  readonly type: string;
  /** Whether a link registers it (`.struct_ops.link`), so that it goes with the process. */
  readonly link: boolean;
  /** False for a section with `?`: loaded only where the user asks for it. */
  readonly loadedByDefault: boolean;
  readonly members: readonly StructOpsMemberClaim[];
}

/** A member of the struct that a program of the object implements. */
export interface StructOpsMemberClaim {
  readonly member: string;
  /** Name of the program. */
  readonly program: string;
}

/** As normalizeProgramClaims: by object, then by name; members by name. */
export function normalizeStructOpsClaims(claims: readonly StructOpsClaim[]): readonly StructOpsClaim[] {
  return claims
    .map(({ object, name, type, link, loadedByDefault, members }) => ({
      ...{ object, name, type, link, loadedByDefault },
      members: members
        .map(({ member, program }) => ({ member, program }))
        .sort((left, right) => compareText(left.member, right.member)),
    }))
    .sort((left, right) => compareText(left.object, right.object) || compareText(left.name, right.name));
}
