export {
  type AssembledText,
  type AssembleOptions,
  assemble,
  assembleInstructions,
  type ConformanceGroup,
  conformanceGroupOf,
  conformanceGroupsOf,
  type DecodeOptions,
  DISASSEMBLY_STYLES,
  type DisassembledInstruction,
  type DisassemblyStyle,
  decodeInstructions,
  disassemble,
  disassembleFunction,
  encodeInstructions,
  formatInstruction,
  HELPER,
  type HelperName,
  helperId,
  helperName,
  type Instruction,
  placedInstructions,
  slotCountOf,
} from '../bytecode/index.js';
export { attachLoaded } from './attach.js';
export { attachEach, attachStructOps } from './attach-all.js';
export type { AttachOptions } from './attach-options.js';
export type { AttachTarget, ResolvedTarget } from './attach-target.js';
export { GlobalVariable } from './global-variable.js';
export { loadObject } from './load-object.js';
export type { LoadObjectOptions } from './load-options.js';
export type { Admit, ProgramLoadFacts } from './load-program.js';
export { LoadedObject } from './loaded-object.js';
export type { LoadedProgram } from './loaded-program.js';
export { LoadedStructOps } from './loaded-struct-ops.js';
export type { ProgramFilter } from './selection.js';
