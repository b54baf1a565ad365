import type { AssembledFunction, ObjectDefinition } from '../assembled-function.js';
import { SLOT_BYTES } from '../isa.js';
import { checkName, definitionError } from './definition-error.js';
import { parseSectionName } from './section-name.js';

/** Where compilers put the functions that only other functions call. */
export const TEXT_SECTION = '.text';

/** A code section to write. */
export interface PlacedSection {
  readonly name: string;
  readonly byteSize: number;
  readonly functions: readonly PlacedFunction[];
}

export interface PlacedFunction {
  readonly name: string;
  readonly byteOffset: number;
  readonly function: AssembledFunction;
}

/**
 * `.text` with the subprograms, then a section for each section name, in the order of first use.
 * @throws VespidError OBJECT_DEFINITION_INVALID, OBJECT_SECTION_UNKNOWN
 */
export function placeFunctions(definition: ObjectDefinition): PlacedSection[] {
  checkNames(definition);
  const bySection = new Map<string, AssembledFunction[]>();
  if (definition.subprograms.length > 0) bySection.set(TEXT_SECTION, [...definition.subprograms]);
  for (const program of definition.programs) {
    parseSectionName(program.section);
    const functions = bySection.get(program.section) ?? [];
    functions.push(program.function);
    bySection.set(program.section, functions);
  }
  return [...bySection].map(([name, functions]) => placeSection(name, functions));
}

function placeSection(name: string, functions: readonly AssembledFunction[]): PlacedSection {
  let byteSize = 0;
  const placed = functions.map((f): PlacedFunction => {
    const byteOffset = byteSize;
    byteSize += f.instructions.byteLength;
    return { name: f.name, byteOffset, function: f };
  });
  return { name, byteSize, functions: placed };
}

/** ELF has one name space for all global symbols. */
function checkNames(definition: ObjectDefinition): void {
  const functions = [...definition.programs.map((program) => program.function), ...definition.subprograms];
  const names = [
    ...functions.map((f) => ({ what: 'function', name: f.name })),
    ...definition.maps.map((map) => ({ what: 'map', name: map.name })),
    ...definition.constants.map((constant) => ({ what: 'constant', name: constant.name })),
  ];
  const seen = new Set(['_license']);
  for (const { what, name } of names) {
    checkName(what, name);
    if (seen.has(name)) throw definitionError(`${what} ${name}: the name is taken`);
    seen.add(name);
  }
  for (const f of functions) checkInstructions(f);
}

function checkInstructions(f: AssembledFunction): void {
  const { byteLength } = f.instructions;
  if (byteLength === 0 || byteLength % SLOT_BYTES !== 0) {
    throw definitionError(`function ${f.name} has ${byteLength} bytes, not whole instructions`);
  }
  const slotCount = byteLength / SLOT_BYTES;
  for (const { slotIndex } of [...f.symbolReferences, ...f.fieldReferences]) {
    if (Number.isInteger(slotIndex) && slotIndex >= 0 && slotIndex < slotCount) continue;
    throw definitionError(`function ${f.name}: reference at slot ${slotIndex} of ${slotCount}`);
  }
}
