import { VespidError } from '../../errors/index.js';
import type { Btf } from '../btf/btf-reader.js';

/**
 * Pairs of types that one comparison may look at. The largest structs of the kernel need some thousands; a
 * hundred prototypes that take one another as parameters would need more than there is time for.
 */
const MAX_COMPARED_PAIRS = 100_000;

/** libbpf's limit on structs and prototypes in one another. */
export const MAX_COMPARISON_DEPTH = 32;

/** The work that comparing one type of an object with one of a kernel has left. */
export class ComparisonBudget {
  readonly #local: Btf;
  readonly #rootTypeId: number;
  #pairsLeft = MAX_COMPARED_PAIRS;

  constructor(local: Btf, rootTypeId: number) {
    this.#local = local;
    this.#rootTypeId = rootTypeId;
  }

  /**
   * Takes one pair out of the budget.
   * @param depth structs, prototypes, pointers and arrays above the pair
   * @throws VespidError CORE_MALFORMED if there is none left
   */
  spend(depth: number): void {
    this.#pairsLeft--;
    if (this.#pairsLeft >= 0 && depth < MAX_COMPARISON_DEPTH) return;
    const name = this.#local.nameOf(this.#rootTypeId);
    throw new VespidError(
      'CORE_MALFORMED',
      `${this.#local.label}: type ${this.#rootTypeId} (${name}) nests too deep to be compared`,
    );
  }
}
