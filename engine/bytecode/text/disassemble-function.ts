import { parseAccess } from '../core/access.js';
import { describeAccess } from '../core/describe.js';
import { decodeInstructions, placedInstructions } from '../instruction/decode-instructions.js';
import type { Instruction } from '../instruction/instruction.js';
import { MAP_TYPE, SLOT_BYTES } from '../isa.js';
import type { DataVariable } from '../object/data-sections.js';
import type { ObjectFile } from '../object/object-file.js';
import type { ObjectMap } from '../object/object-map.js';
import type { ObjectFunction, ObjectReference } from '../object/object-references.js';
import type { SourceLine } from '../object/source-line.js';
import { formatInstruction } from './disassemble.js';
import type { DisassemblyStyle, FormOptions, NamedReference } from './disassembly-style.js';

/** One instruction of a function of an object, with what the object says about it. */
export interface DisassembledInstruction {
  /** From the function's start. */
  readonly slotIndex: number;
  readonly instruction: Instruction;
  /** In the style asked for, with names of maps, variables, functions and helpers. */
  readonly text: string;
  /** What its CO-RE relocation is about, and what the map is that it names. */
  readonly comments: readonly string[];
  /** The source line that begins here, if the object has lines. */
  readonly source: SourceLine | undefined;
}

/**
 * Takes a function of an object apart, with names for what its relocations point at.
 * @throws VespidError INSTRUCTION_* for code that is none, CORE_MALFORMED for a relocation that its types contradict
 */
export function disassembleFunction(
  object: ObjectFile,
  of: ObjectFunction,
  style: DisassemblyStyle = 'llvm',
  options: Omit<FormOptions, 'reference'> = {},
): DisassembledInstruction[] {
  const instructions = decodeInstructions(of.instructions, { label: `${object.name}: ${of.name}` });
  const references = new Map(of.references.map((reference) => [reference.slotIndex, reference]));
  const sources = new Map(of.lines.map((line) => [line.slotIndex, line]));
  const relocations = new Map(of.coreRelocations.map((relocation) => [relocation.slotIndex, relocation]));
  return [...placedInstructions(instructions)].map(({ slotIndex, instruction }) => {
    const target = references.get(slotIndex);
    const reference = target === undefined ? undefined : nameOf(object, target, style);
    const text = formatInstruction(instruction, style, { ...options, reference });
    const comments: string[] = [];
    const relocation = relocations.get(slotIndex);
    if (relocation !== undefined && object.btf !== undefined) {
      comments.push(`CO-RE ${relocation.kind} ${describeAccess(parseAccess(relocation, object.btf))}`);
    }
    if (target !== undefined) comments.push(...describeReference(object, target));
    return {
      slotIndex,
      instruction,
      text: style === 'llvm' ? text + jumpTarget(instruction, slotIndex, of.name) : text,
      comments,
      source: sources.get(slotIndex),
    };
  });
}

/** ` <main+0x28>`, in bytes, as llvm-objdump says where a jump goes. */
function jumpTarget(instruction: Instruction, slotIndex: number, functionName: string): string {
  const { kind } = instruction;
  if (kind !== 'jump' && kind !== 'jump-if' && kind !== 'may-goto') return '';
  const byteOffset = (slotIndex + 1 + instruction.offset) * SLOT_BYTES;
  if (byteOffset < 0) return '';
  return ` <${functionName}${byteOffset === 0 ? '' : `+0x${byteOffset.toString(16)}`}>`;
}

function nameOf(
  object: ObjectFile,
  target: ObjectReference,
  style: DisassemblyStyle,
): NamedReference | undefined {
  switch (target.kind) {
    case 'map':
      return { kind: 'map', name: target.map, byteOffset: 0 };
    case 'data': {
      const section = object.dataSections.find(({ name }) => name === target.section);
      return dataName(target.section, section?.variables ?? [], target.byteOffset, style);
    }
    case 'arena': {
      const { mapName = '.addr_space.1', variables = [] } = object.arena ?? {};
      return dataName(mapName, variables, target.byteOffset, style);
    }
    case 'call':
    case 'function-address':
      return { kind: 'function', name: target.target.name, byteOffset: 0 };
    case 'kfunc':
      return { kind: 'kfunc', name: target.name, byteOffset: 0 };
    case 'extern':
      return { kind: 'variable', name: target.name, byteOffset: 0 };
    case 'kconfig': {
      const values = object.externs.filter((value) => value.kind === 'kconfig');
      const { name, byteOffset } = variableAt(values, target.byteOffset) ?? {
        name: '.kconfig',
        byteOffset: 0,
      };
      return { kind: 'variable', name, byteOffset: target.byteOffset - byteOffset };
    }
    case 'invalid':
      return undefined;
  }
}

/** The kernel knows maps only; LLVM's form can name the variable. */
function dataName(
  section: string,
  variables: readonly DataVariable[],
  byteOffset: number,
  style: DisassemblyStyle,
): NamedReference {
  const variable = style === 'llvm' ? variableAt(variables, byteOffset) : undefined;
  if (variable === undefined) return { kind: 'data', name: section, byteOffset };
  return { kind: 'data', name: variable.name, byteOffset: byteOffset - variable.byteOffset };
}

function variableAt<Variable extends { readonly byteOffset: number; readonly byteSize: number }>(
  variables: readonly Variable[],
  byteOffset: number,
): Variable | undefined {
  return variables.find((v) => byteOffset >= v.byteOffset && byteOffset < v.byteOffset + v.byteSize);
}

function describeReference(object: ObjectFile, target: ObjectReference): string[] {
  switch (target.kind) {
    case 'map': {
      const map = object.maps.find(({ name }) => name === target.map);
      return map === undefined ? [] : [describeMap(map)];
    }
    case 'data':
      return [`${target.section}+0x${target.byteOffset.toString(16)}`];
    case 'arena':
      return [`arena+0x${target.byteOffset.toString(16)}`];
    case 'kfunc':
      return ['kernel function'];
    case 'extern':
      return ['kernel symbol'];
    case 'kconfig':
      return ['configuration value'];
    case 'invalid':
      return [target.reason];
    case 'call':
    case 'function-address':
      return [];
  }
}

const MAP_TYPE_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(MAP_TYPE).map(([name, type]) => [type, name]),
);

/** `array` for 2; undefined for a type that is newer than our table. */
export function mapTypeName(type: number): string | undefined {
  return MAP_TYPE_NAMES.get(type);
}

function describeMap({ type, keySize, valueSize, maxEntries }: ObjectMap): string {
  const name = mapTypeName(type) ?? `type ${type}`;
  const sizes = keySize === 0 && valueSize === 0 ? '' : ` of ${keySize} to ${valueSize} bytes`;
  return `map: ${name}${sizes}, ${maxEntries} ${maxEntries === 1 ? 'entry' : 'entries'}`;
}
