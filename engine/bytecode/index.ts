export type {
  AssembledFunction,
  ConstantDefinition,
  FieldReference,
  KernelMember,
  KernelMemberType,
  KernelStruct,
  MapDefinition,
  ObjectDefinition,
  SymbolReference,
} from './assembled-function.js';
export { Assembler, type FieldPath, type Label } from './assembler.js';
export { BtfBuilder } from './btf/btf-builder.js';
export { btfInByteOrder } from './btf/btf-byte-order.js';
export {
  type BtfExt,
  type CoreRecord,
  type FunctionRecord,
  type LineRecord,
  readBtfExt,
  type SectionRecords,
  writeBtfExt,
} from './btf/btf-ext.js';
export { byteSizeOf, skipModifiers } from './btf/btf-layout.js';
export { Btf } from './btf/btf-reader.js';
export type { BtfArray, BtfComposite, BtfEnum, BtfKind, BtfMember, BtfType } from './btf/btf-type.js';
export { essentialName } from './btf/essential-name.js';
export { formatType } from './btf/format-type.js';
export { type BtfValue, btfCodec } from './btf-value/btf-codec.js';
export { bytesCodec, type Codec, encodeWith } from './btf-value/codec.js';
export { type ByteOrder, ByteReader } from './byte-reader.js';
export { ByteWriter } from './byte-writer.js';
export { compatibleTypes } from './core/compatible-types.js';
export type { CoreRelocation } from './core/core-relocation.js';
export { CoreResolver } from './core/core-resolver.js';
export type { CoreTarget } from './core/core-target.js';
export { POISON_HELPER_ID } from './core/patch-instruction.js';
export { CORE_KINDS, type CoreKind } from './core/relocation-kind.js';
export type { CoreResolution } from './core/resolution.js';
export { EffectsOfObject, type ProgramEffect } from './effects/program-effects.js';
export {
  type ConformanceGroup,
  conformanceGroupOf,
  conformanceGroupsOf,
  INCLUDED_GROUPS,
} from './instruction/conformance-group.js';
export {
  type DecodeOptions,
  decodeInstructions,
  MAX_INSTRUCTION_SLOTS,
  placedInstructions,
} from './instruction/decode-instructions.js';
export { encodeInstructions } from './instruction/encode-instructions.js';
export { type HelperName, helperId, helperName } from './instruction/helper-function.js';
export { HELPER } from './instruction/helper-functions.generated.js';
export {
  type Address,
  type AluInstruction,
  type AtomicInstruction,
  type CallInstruction,
  type Instruction,
  type InstructionKind,
  type JumpInstruction,
  type MemoryInstruction,
  type Operand,
  slotCountOf,
  type WideInstruction,
} from './instruction/instruction.js';
export { InstructionSlots } from './instruction-slots.js';
export {
  MAP_TYPE,
  type MapTypeName,
  PSEUDO,
  PSEUDO_KFUNC_CALL,
  R0,
  R1,
  R2,
  R3,
  R4,
  R5,
  R6,
  R7,
  R8,
  R9,
  R10,
  type Register,
  SLOT_BYTES,
} from './isa.js';
export {
  applyCoreRelocations,
  type PoisonedInstruction,
  type RelocatedProgram,
  relocateProgram,
} from './object/applied-core.js';
export type { ArenaSection } from './object/arena-section.js';
export type { DataSection, DataVariable } from './object/data-sections.js';
export type { VariableValue } from './object/encode-variable.js';
export { type LinkedProgram, linkProgram } from './object/link.js';
export type { KconfigExtern, KfuncExtern, ObjectExtern, VariableExtern } from './object/object-extern.js';
export { type ObjectFile, programNamed, readObject } from './object/object-file.js';
export type { PlacedCoreRelocation } from './object/object-functions.js';
export type { InitialElement, ObjectMap } from './object/object-map.js';
export type { ObjectFunction, ObjectReference } from './object/object-references.js';
export { writeObject } from './object/object-writer.js';
export { type ProgramFacts, programFacts } from './object/program-facts.js';
export {
  ATTACH_TYPE,
  type AttachTypeName,
  PROGRAM_TYPE,
  type ProgramTypeName,
} from './object/program-type.js';
export { parseSectionName, type SectionMeaning } from './object/section-name.js';
export { setVariables } from './object/set-variables.js';
export { formatSourceLine, type SourceLine, sourceLineAt } from './object/source-line.js';
export type { StructOpsFunction, StructOpsMap } from './object/struct-ops.js';
export {
  type AssembledText,
  type AssembleOptions,
  assemble,
  assembleInstructions,
} from './text/assemble.js';
export { disassemble, formatInstruction } from './text/disassemble.js';
export {
  type DisassembledInstruction,
  disassembleFunction,
  mapTypeName,
} from './text/disassemble-function.js';
export {
  DISASSEMBLY_STYLES,
  type DisassemblyStyle,
  type FormOptions,
  type NamedReference,
} from './text/disassembly-style.js';
