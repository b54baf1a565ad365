import type { MapDefinition } from '../assembled-function.js';
import type { ObjectFunction } from './object-references.js';

/** A map that the object declares, as its BTF definition says it; names are unique in an object. */
export interface ObjectMap extends MapDefinition {
  /** Types of key and value in the object's BTF, 0 where it does not say them. */
  readonly keyTypeId: number;
  readonly valueTypeId: number;
  /** BPF_MAP_CREATE's map_extra: hash functions of a bloom filter, address of an arena. */
  readonly mapExtra: bigint;
  /** NUMA node of its memory; counts only with BPF_F_NUMA_NODE among the flags. */
  readonly numaNode: number;
  /** `by-name`: found at, or pinned to, its name in the directory of pins. */
  readonly pinning: 'none' | 'by-name';
  /** What the maps in a map of maps look like; undefined for other maps, and where the object does not say. */
  readonly innerMap: ObjectMap | undefined;
  /** Elements that a map of maps or a program array has from the start, ascending by index. */
  readonly initialContents: readonly InitialElement[];
}

/** Its key is the index, as a 32-bit number. */
export interface InitialElement {
  readonly index: number;
  readonly target:
    | { readonly kind: 'map'; readonly map: ObjectMap }
    | { readonly kind: 'program'; readonly program: ObjectFunction };
}
