import type { ObjectFunction } from './object-references.js';

/** A variable in `.struct_ops`: the object's form of a kernel struct of callbacks. */
export interface StructOpsMap {
  readonly name: string;
  /** The struct in the object's BTF. */
  readonly typeId: number;
  /** Its name, which may carry a CO-RE flavour (`___x`). */
  readonly typeName: string;
  /** Its bytes in the object's layout; the pointers to functions are 0. */
  readonly bytes: Uint8Array;
  /** Whether it is of `.struct_ops.link`: registered by a link, not by the map's element. */
  readonly isLink: boolean;
  /** False for a section with `?`. */
  readonly isLoadedByDefault: boolean;
  /** The members that a program implements, in order. */
  readonly functions: readonly StructOpsFunction[];
}

export interface StructOpsFunction {
  readonly byteOffset: number;
  /** Name of the member. */
  readonly member: string;
  readonly program: ObjectFunction;
}
