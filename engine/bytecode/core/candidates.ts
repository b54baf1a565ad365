import type { Btf } from '../btf/btf-reader.js';
import { compatibleKinds } from './compatible-kinds.js';
import type { CoreTarget } from './core-target.js';

/** A type of the kernel that a type of the object may stand for. */
export interface Candidate {
  readonly btf: Btf;
  readonly typeId: number;
}

/**
 * The candidates of each type of one object: the types of the same essential name and kind, those of vmlinux
 * or, only if it has none, those of all modules (libbpf's order). A list is searched for once and shrinks: once
 * a relocation fitted some candidates, later ones of the same type see only these, so that two fields of one
 * local struct never come from two different kernel structs.
 */
export class Candidates {
  readonly #local: Btf;
  readonly #target: () => CoreTarget;
  readonly #lists = new Map<number, readonly Candidate[]>();

  constructor(local: Btf, target: () => CoreTarget) {
    this.#local = local;
    this.#target = target;
  }

  /** @param localTypeId a type that has a name */
  of(localTypeId: number): readonly Candidate[] {
    const known = this.#lists.get(localTypeId);
    if (known !== undefined) return known;
    const { vmlinux, modules } = this.#target();
    const inVmlinux = this.#search(localTypeId, vmlinux);
    const found =
      inVmlinux.length > 0 ? inVmlinux : modules().flatMap((module) => this.#search(localTypeId, module));
    this.#lists.set(localTypeId, found);
    return found;
  }

  /** Keeps only the candidates that fitted a relocation about `localTypeId`. */
  narrow(localTypeId: number, fitting: readonly Candidate[]): void {
    if (fitting.length > 0) this.#lists.set(localTypeId, fitting);
  }

  #search(localTypeId: number, target: Btf): Candidate[] {
    const kind = this.#local.kindOf(localTypeId);
    return target
      .idsByEssentialName(this.#local.nameOf(localTypeId), kind)
      .filter((typeId) => compatibleKinds(kind, target.kindOf(typeId)))
      .map((typeId) => ({ btf: target, typeId }));
  }
}
