import { BTF_KIND, INT_ENCODING, VARIABLE_LINKAGE } from '../btf/btf-format.js';
import type { Btf } from '../btf/btf-reader.js';
import type { BtfPatch } from './btf-patch.js';

/** The name that libbpf, too, gives to what stands in for functions. */
const STAND_IN_NAME = 'dummy_ksym';

/** Types that stand in for what the kernel has, each found or added when the first is asked for. */
export class KernelStandIns {
  readonly #btf: Btf;
  readonly #patch: BtfPatch;
  #intId: number | undefined;
  #variableId: number | undefined;
  #nameOffset: number | undefined;
  /** Many functions may be of one prototype. */
  readonly #namedPrototypes = new Set<number>();

  constructor(btf: Btf, patch: BtfPatch) {
    this.#btf = btf;
    this.#patch = patch;
  }

  /** A 32-bit integer of the object, or one that is added. */
  get intId(): number {
    this.#intId ??= this.#findInt() ?? this.#addInt();
    return this.#intId;
  }

  /** A variable of that type. */
  get variableId(): number {
    this.#variableId ??= this.#patch.addType([
      this.#name(),
      BTF_KIND.variable * 2 ** 24,
      this.intId,
      VARIABLE_LINKAGE.global,
    ]);
    return this.#variableId;
  }

  /** Names the parameters that have no name, which the kernel does not take of a global function. */
  nameParameters(prototypeId: number): void {
    if (this.#namedPrototypes.has(prototypeId)) return;
    this.#namedPrototypes.add(prototypeId);
    const prototype = this.#btf.type(prototypeId);
    if (prototype.kind !== 'function-prototype') return;
    for (const [index, { name, typeId }] of prototype.parameters.entries()) {
      if (typeId !== 0 && name === '') this.#patch.setParameterName(prototypeId, index, this.#name());
    }
  }

  /** Its place among the strings. */
  #name(): number {
    this.#nameOffset ??= this.#patch.addString(STAND_IN_NAME);
    return this.#nameOffset;
  }

  #findInt(): number | undefined {
    for (const typeId of this.#btf.idsOfKind('int')) {
      const type = this.#btf.type(typeId);
      if (type.kind === 'int' && type.bitSize === 32 && type.byteSize === 4) return typeId;
    }
    return undefined;
  }

  #addInt(): number {
    const encoding = INT_ENCODING.signed * 2 ** 24 + 32;
    return this.#patch.addType([this.#patch.addString('int'), BTF_KIND.int * 2 ** 24, 4, encoding]);
  }
}
