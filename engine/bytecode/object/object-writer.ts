import type { AssembledFunction, ObjectDefinition, SymbolReference } from '../assembled-function.js';
import { BtfBuilder } from '../btf/btf-builder.js';
import { type CoreRecord, type SectionRecords, writeBtfExt } from '../btf/btf-ext.js';
import { Btf } from '../btf/btf-reader.js';
import { localValueOf } from '../core/local-value.js';
import { storeValue } from '../core/patch-instruction.js';
import { CORE_KINDS } from '../core/relocation-kind.js';
import {
  RELOCATION_TYPE,
  SECTION_FLAG,
  SECTION_TYPE,
  SYMBOL_BINDING,
  SYMBOL_TYPE,
} from '../elf/elf-format.js';
import { type NewRelocation, type NewSection, type NewSymbol, writeElf } from '../elf/elf-writer.js';
import { InstructionSlots } from '../instruction-slots.js';
import { PSEUDO_CALL, SLOT_BYTES } from '../isa.js';
import { definitionError } from './definition-error.js';
import { METADATA_SECTION } from './object-file.js';
import { ObjectTypes } from './object-types.js';
import {
  type PlacedFunction,
  type PlacedSection,
  placeFunctions,
  TEXT_SECTION,
} from './written-functions.js';

const CODE_FLAGS = SECTION_FLAG.allocate | SECTION_FLAG.executable;
const WRITABLE_FLAGS = SECTION_FLAG.allocate | SECTION_FLAG.write;

/**
 * Writes an object as clang would for the same program, so that libbpf and bpftool load it too: a code section
 * for each section name of the programs, subprograms in `.text`, BTF-defined maps, `.rodata`, the licence,
 * BTF and BTF.ext. Byte for byte the same for the same definition.
 * @throws VespidError OBJECT_DEFINITION_INVALID, OBJECT_SECTION_UNKNOWN, CORE_INSTRUCTION_MISMATCH (a field
 * reference on an instruction that cannot hold its value)
 */
export function writeObject(definition: ObjectDefinition): Uint8Array {
  const code = placeFunctions(definition);
  const builder = new BtfBuilder();
  const types = new ObjectTypes(definition, builder);
  const coreRecords = code.map((section) => coreRecordsOf(section, types));
  const ext = writeBtfExt(
    {
      functions: code.map((section) => ({
        section: section.name,
        records: section.functions.map((f) => ({
          byteOffset: f.byteOffset,
          typeId: types.functionId(f.name),
        })),
      })),
      lines: [],
      coreRelocations: coreRecords,
    },
    builder,
  );
  const btf = builder.build();
  const parsed = new Btf(btf, '.BTF');
  const symbols = symbolsOf(code, types);
  const symbolKeys = new Set(symbols.map((symbol) => symbol.key));
  const sections: NewSection[] = code.map((section, index) => ({
    name: section.name,
    type: SECTION_TYPE.programBits,
    flags: CODE_FLAGS,
    byteAlignment: SLOT_BYTES,
    ...machineCode(section, coreRecords[index]?.records ?? [], parsed, symbolKeys, code),
  }));
  const data = (name: string, flags: number, byteAlignment: number, bytes: Uint8Array): void => {
    sections.push({ name, type: SECTION_TYPE.programBits, flags, byteAlignment, bytes });
  };
  if (types.constants.length > 0) data('.rodata', SECTION_FLAG.allocate, 8, types.constantBytes);
  if (types.maps.length > 0) data('.maps', WRITABLE_FLAGS, 8, new Uint8Array(types.mapsByteSize));
  data('license', WRITABLE_FLAGS, 1, types.licenseBytes);
  if (definition.metadata.byteLength > 0) data(METADATA_SECTION, 0, 1, definition.metadata);
  data('.BTF', 0, 4, btf);
  data('.BTF.ext', 0, 4, ext);
  return writeElf(sections, symbols);
}

function coreRecordsOf(section: PlacedSection, types: ObjectTypes): SectionRecords<CoreRecord> {
  const records = section.functions.flatMap((f) =>
    f.function.fieldReferences.map((reference) => ({
      byteOffset: f.byteOffset + reference.slotIndex * SLOT_BYTES,
      typeId: types.kernelTypes.typeIdOf(reference.struct),
      access: types.kernelTypes.accessOf(reference),
      kind: CORE_KINDS.indexOf(reference.kind),
    })),
  );
  return { section: section.name, records: records.sort((a, b) => a.byteOffset - b.byteOffset) };
}

/** The section's instructions with the addends that its relocations need, and with the local CO-RE values. */
function machineCode(
  section: PlacedSection,
  coreRecords: readonly CoreRecord[],
  btf: Btf,
  symbolKeys: ReadonlySet<string>,
  code: readonly PlacedSection[],
): { bytes: Uint8Array; relocations: NewRelocation[] } {
  const bytes = new Uint8Array(section.byteSize);
  for (const f of section.functions) bytes.set(f.function.instructions, f.byteOffset);
  const slots = new InstructionSlots(bytes, section.name);
  for (const record of coreRecords) {
    const kind = CORE_KINDS[record.kind] ?? 'type-matches';
    storeValue(slots, record.byteOffset / SLOT_BYTES, localValueOf({ ...record, kind }, btf));
  }
  const text = code.find((candidate) => candidate.name === TEXT_SECTION);
  const relocations = section.functions.flatMap((f) =>
    f.function.symbolReferences.flatMap((reference) => {
      const slotIndex = f.byteOffset / SLOT_BYTES + reference.slotIndex;
      checkOpcode(slots, slotIndex, f.function, reference);
      const relocation = encodeReference(slots, slotIndex, reference, section, text);
      if (relocation !== undefined && !symbolKeys.has(relocation.symbol)) {
        throw definitionError(`${f.name} refers to ${relocation.symbol}, which is not defined`);
      }
      return relocation === undefined ? [] : [relocation];
    }),
  );
  return { bytes, relocations: relocations.sort((a, b) => a.byteOffset - b.byteOffset) };
}

function checkOpcode(
  slots: InstructionSlots,
  slotIndex: number,
  f: AssembledFunction,
  reference: SymbolReference,
): void {
  const isRight = reference.kind === 'call' ? slots.isCall(slotIndex) : slots.isLoadImmediate64(slotIndex);
  if (isRight) return;
  throw definitionError(
    `${f.name}, instruction ${reference.slotIndex}: not one that refers to a ${reference.kind}`,
  );
}

/** The addend goes into the instruction, the symbol into the relocation (Documentation/bpf/llvm_reloc.rst). */
function encodeReference(
  slots: InstructionSlots,
  slotIndex: number,
  reference: SymbolReference,
  section: PlacedSection,
  text: PlacedSection | undefined,
): NewRelocation | undefined {
  const byteOffset = slotIndex * SLOT_BYTES;
  switch (reference.kind) {
    case 'map':
      slots.setSourceRegister(slotIndex, 0);
      slots.setImmediate64(slotIndex, 0n);
      return { byteOffset, type: RELOCATION_TYPE.imm64, symbol: `map ${reference.map}` };
    case 'data':
      slots.setSourceRegister(slotIndex, 0);
      slots.setImmediate64(slotIndex, BigInt(reference.byteOffset));
      return { byteOffset, type: RELOCATION_TYPE.imm64, symbol: `constant ${reference.constant}` };
    case 'function-address':
      slots.setSourceRegister(slotIndex, 0);
      slots.setImmediate64(slotIndex, BigInt(subprogramNamed(text, reference.target).byteOffset));
      return { byteOffset, type: RELOCATION_TYPE.imm64, symbol: `section ${TEXT_SECTION}` };
    case 'call': {
      const target = subprogramNamed(text, reference.target).byteOffset / SLOT_BYTES;
      slots.setSourceRegister(slotIndex, PSEUDO_CALL);
      if (section.name === TEXT_SECTION) {
        // Within a section the assembler knows the distance: no relocation.
        slots.setImmediate(slotIndex, target - slotIndex - 1);
        return undefined;
      }
      slots.setImmediate(slotIndex, target - 1);
      return { byteOffset, type: RELOCATION_TYPE.call32, symbol: `section ${TEXT_SECTION}` };
    }
  }
}

function subprogramNamed(text: PlacedSection | undefined, name: string): PlacedFunction {
  const found = text?.functions.find((f) => f.name === name);
  if (found === undefined) throw definitionError(`no subprogram ${name} (programs cannot be called)`);
  return found;
}

function symbolsOf(code: readonly PlacedSection[], types: ObjectTypes): NewSymbol[] {
  const symbols: NewSymbol[] = [];
  const add = (
    key: string,
    place: Pick<NewSymbol, 'name' | 'type' | 'binding' | 'section' | 'value' | 'byteSize'>,
  ) => symbols.push({ key, ...place });
  for (const section of code) {
    if (section.name === TEXT_SECTION) {
      const { section: type } = SYMBOL_TYPE;
      const binding = SYMBOL_BINDING.local;
      add(`section ${TEXT_SECTION}`, {
        name: '',
        type,
        binding,
        section: TEXT_SECTION,
        value: 0,
        byteSize: 0,
      });
    }
    const binding = section.name === TEXT_SECTION ? SYMBOL_BINDING.local : SYMBOL_BINDING.global;
    for (const { name, byteOffset: value, function: f } of section.functions) {
      const byteSize = f.instructions.byteLength;
      add(`function ${name}`, {
        name,
        type: SYMBOL_TYPE.function,
        binding,
        section: section.name,
        value,
        byteSize,
      });
    }
  }
  const variable = (key: string, name: string, section: string, value: number, byteSize: number) =>
    add(key, { name, type: SYMBOL_TYPE.object, binding: SYMBOL_BINDING.global, section, value, byteSize });
  for (const c of types.constants)
    variable(`constant ${c.name}`, c.name, '.rodata', c.byteOffset, c.byteSize);
  for (const m of types.maps) variable(`map ${m.name}`, m.name, '.maps', m.byteOffset, m.byteSize);
  variable('license', '_license', 'license', 0, types.licenseBytes.byteLength);
  return symbols;
}
