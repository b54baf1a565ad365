import type { CoreKind } from './relocation-kind.js';

/** A CO-RE relocation as the object states it (`struct bpf_core_relo`, with its strings resolved). */
export interface CoreRelocation {
  readonly kind: CoreKind;
  /** Root of the access, in the object's own BTF. */
  readonly typeId: number;
  /** `0:3:1`: array index on the root, then member and array indexes. */
  readonly access: string;
}
