import { VespidError } from '../../errors/index.js';
import { FUNCTION_LINKAGE, VARIABLE_LINKAGE } from '../btf/btf-format.js';
import type { Btf } from '../btf/btf-reader.js';
import type { BtfDataSection, BtfSectionVariable } from '../btf/btf-type.js';
import { SYMBOL_TYPE, SYMBOL_VISIBILITY } from '../elf/elf-format.js';
import type { ElfFile, ElfSection, ElfSymbol } from '../elf/elf-reader.js';
import { BtfPatch } from './btf-patch.js';
import { KernelStandIns } from './kernel-stand-ins.js';
import { type Externs, KCONFIG_SECTION, KSYMS_SECTION } from './read-externs.js';

/** Width of the stand-ins for kernel variables and functions. */
const STAND_IN_BYTES = 4;

/**
 * Fills in what a compiler leaves to the linker or the loader, so that BPF_BTF_LOAD accepts the types: the size
 * of each data section and the offsets of its global variables, ascending; stand-ins for what the kernel has;
 * static linkage for hidden symbols, which the kernel then need not verify by themselves. Type ids stay.
 * @throws VespidError OBJECT_MALFORMED if BTF and ELF do not describe the same variables
 */
export function completeBtf(btf: Btf, elf: ElfFile, externs: Externs): Btf {
  const completion = new BtfCompletion(btf, elf, externs);
  for (const typeId of btf.idsOfKind('data-section')) {
    const section = btf.type(typeId);
    if (section.kind === 'data-section') completion.complete(typeId, section);
  }
  completion.hideFunctions();
  return completion.finish();
}

class BtfCompletion {
  readonly #btf: Btf;
  readonly #elf: ElfFile;
  readonly #patch: BtfPatch;
  readonly #standIns: KernelStandIns;
  readonly #sections: ReadonlyMap<string, ElfSection>;
  /** Of variables, by section index and name. */
  readonly #symbols: ReadonlyMap<string, ElfSymbol>;
  readonly #kconfigOffsets: ReadonlyMap<string, number>;
  readonly #kconfigByteSize: number;

  constructor(btf: Btf, elf: ElfFile, { externs, kconfigByteSize }: Externs) {
    this.#btf = btf;
    this.#elf = elf;
    this.#patch = new BtfPatch(btf);
    this.#standIns = new KernelStandIns(btf, this.#patch);
    const variables = elf.symbols.filter((symbol) => symbol.type === SYMBOL_TYPE.object);
    this.#symbols = new Map(variables.map((symbol) => [`${symbol.sectionIndex} ${symbol.name}`, symbol]));
    this.#sections = new Map(elf.sections.map((section) => [section.name, section]));
    this.#kconfigOffsets = new Map(
      externs.flatMap((extern) =>
        extern.kind === 'kconfig' ? [[extern.name, extern.byteOffset] as const] : [],
      ),
    );
    this.#kconfigByteSize = kconfigByteSize;
  }

  complete(typeId: number, section: BtfDataSection): void {
    const { byteSize, variables } = this.#completed(section);
    this.#patch.setSizeOrType(typeId, byteSize);
    for (const [index, variable] of variables.entries()) {
      this.#patch.setSectionVariable(typeId, index, variable);
    }
  }

  hideFunctions(): void {
    const hidden = this.#elf.symbols.filter(
      (symbol) =>
        symbol.type === SYMBOL_TYPE.function &&
        isHidden(symbol) &&
        this.#elf.sections[symbol.sectionIndex]?.name === '.text',
    );
    const names = new Set(hidden.map((symbol) => symbol.name));
    if (names.size === 0) return;
    for (const typeId of this.#btf.idsOfKind('function')) {
      // The first function of a name is the one.
      if (names.delete(this.#btf.nameOf(typeId))) {
        this.#patch.setFunctionLinkage(typeId, FUNCTION_LINKAGE.static);
      }
    }
  }

  finish(): Btf {
    return this.#patch.finish();
  }

  #completed(section: BtfDataSection): Pick<BtfDataSection, 'byteSize' | 'variables'> {
    switch (section.name) {
      case KSYMS_SECTION:
        return {
          byteSize: section.variables.length * STAND_IN_BYTES,
          variables: section.variables.map(({ typeId }, index) => this.#standIn(typeId, index)),
        };
      case KCONFIG_SECTION:
        return {
          byteSize: this.#kconfigByteSize,
          variables: inOrder(section.variables.map((place) => this.#kconfigVariable(place))),
        };
      default:
        return this.#dataSection(section);
    }
  }

  /**
   * The kernel takes no external variables and, in a data section, no functions: each becomes an int of its own,
   * functions all by one made for this, and the functions themselves global ones.
   */
  #standIn(typeId: number, index: number): BtfSectionVariable {
    const place = { byteOffset: index * STAND_IN_BYTES, byteSize: STAND_IN_BYTES };
    const symbol = this.#btf.type(typeId);
    switch (symbol.kind) {
      case 'function':
        this.#patch.setFunctionLinkage(typeId, FUNCTION_LINKAGE.global);
        this.#standIns.nameParameters(symbol.typeId);
        return { typeId: this.#standIns.variableId, ...place };
      case 'variable':
        this.#patch.setVariableLinkage(typeId, VARIABLE_LINKAGE.global);
        this.#patch.setSizeOrType(typeId, this.#standIns.intId);
        return { typeId, ...place };
      default:
        throw this.#malformed(`type ${typeId} in ${KSYMS_SECTION} is neither variable nor function`);
    }
  }

  /** The offsets are ours: nothing of this section is in the file. */
  #kconfigVariable(place: BtfSectionVariable): BtfSectionVariable {
    if (this.#btf.kindOf(place.typeId) !== 'variable') {
      throw this.#malformed(`type ${place.typeId} in ${KCONFIG_SECTION} is not a variable`);
    }
    this.#patch.setVariableLinkage(place.typeId, VARIABLE_LINKAGE.global);
    const byteOffset = this.#kconfigOffsets.get(this.#btf.nameOf(place.typeId));
    return byteOffset === undefined ? place : { ...place, byteOffset };
  }

  #dataSection(type: BtfDataSection): Pick<BtfDataSection, 'byteSize' | 'variables'> {
    const section = this.#sections.get(type.name);
    if (section === undefined) throw this.#malformed(`variables of ${type.name}, but no such section`);
    // A size that is there was written by a linker or by us, together with the offsets.
    const isComplete = type.byteSize !== 0;
    const variables = type.variables.map((place) => this.#dataVariable(place, section, isComplete));
    return { byteSize: isComplete ? type.byteSize : section.byteSize, variables: inOrder(variables) };
  }

  /** A static variable has its offset in the BTF already, a global one in its symbol. */
  #dataVariable(place: BtfSectionVariable, section: ElfSection, isComplete: boolean): BtfSectionVariable {
    const variable = this.#btf.type(place.typeId);
    if (variable.kind !== 'variable') {
      throw this.#malformed(`type ${place.typeId} in ${section.name} is not a variable`);
    }
    if (variable.linkage !== VARIABLE_LINKAGE.global) return place;
    const symbol = this.#symbols.get(`${section.index} ${variable.name}`);
    if (symbol === undefined) throw this.#malformed(`no symbol for ${variable.name} in ${section.name}`);
    if (isHidden(symbol)) this.#patch.setVariableLinkage(place.typeId, VARIABLE_LINKAGE.static);
    return isComplete ? place : { ...place, byteOffset: symbol.value };
  }

  #malformed(message: string): VespidError {
    return new VespidError('OBJECT_MALFORMED', `${this.#elf.label}: ${message}`);
  }
}

/** Local symbols are static anyway. */
function isHidden({ visibility }: ElfSymbol): boolean {
  return visibility === SYMBOL_VISIBILITY.hidden || visibility === SYMBOL_VISIBILITY.internal;
}

function inOrder(variables: readonly BtfSectionVariable[]): BtfSectionVariable[] {
  return [...variables].sort((a, b) => a.byteOffset - b.byteOffset);
}
