import type { TicketFacts } from '../../lsm-hooks/index.js';

/** Tells the node's gate, just before a load, that this one load is wanted. */
export interface Admission {
  admit(facts: TicketFacts, instructions: Uint8Array): void;
}

/** For a node without a gate: the kernel asks nobody. */
export const NO_GATE: Admission = { admit: () => {} };
