import type { Frame } from './frame.js';
import type { StringGatherer } from './strings.js';

/** How an attach point reads each field. A field that is in neither table cannot be read there. */
export interface FieldReaders {
  /** Integers, booleans and enums: R0 = the value. May use R1 to R5. Keeps R6 to R9. */
  readonly integers: Readonly<Record<string, (frame: Frame) => void>>;
  readonly strings: Readonly<Record<string, StringGatherer>>;
  /** Addresses and bytes that `setup` has put into the working memory: offset of the value in it. */
  readonly memory?: Readonly<Record<string, number>>;
}
