import type { Label } from '../bytecode/index.js';

/** Where a condition's code goes on: every test jumps to one of these. */
export interface Outcome {
  readonly ifTrue: Label;
  readonly ifFalse: Label;
  /** A field that the test needs could not be read whole. */
  readonly ifUnknown: Label;
}
