import type { Frame } from './frame.js';
import type { StringGatherer } from './strings.js';

/** How an attach point reads each field. A field that is in neither table cannot be read there. */
export interface FieldReaders {
  /** Integers, booleans and enums: R0 = the value. May use R1 to R5. Keeps R6 to R9. */
  readonly integers: Readonly<Record<string, (frame: Frame) => void>>;
  readonly strings: Readonly<Record<string, StringGatherer>>;
  /**
   * For a path field that has a name field beside it: R0 = 1 when the path may end otherwise than in that name.
   * Rules as for `integers`.
   */
  readonly pathEndsOtherwise?: Readonly<Record<string, (frame: Frame) => void>>;
  /** Addresses and bytes that `setup` has put into the working memory: offset of the value in it. */
  readonly memory?: Readonly<Record<string, number>>;
}
