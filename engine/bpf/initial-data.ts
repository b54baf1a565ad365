import type { DataSection, DataVariable, ObjectFile } from '../bytecode/index.js';
import { suggestName, VespidError } from '../errors/index.js';
import { encodeVariable, type VariableType, type VariableValue } from './variable-value.js';

/** A variable and the section (or `arena`) that it is in. */
export interface PlacedVariable {
  readonly section: string;
  readonly variable: DataVariable;
}

/** Name under which an arena's variables are found among the sections. */
export const ARENA_SECTION = '.addr_space.1';

/** What is known of a variable's type. */
export function variableType(object: ObjectFile, { name, typeId, byteSize }: DataVariable): VariableType {
  return { name, btf: object.btf, typeId, byteSize };
}

/** The variable of that name; global ones go before static ones. */
export function findVariable(object: ObjectFile, name: string): PlacedVariable | undefined {
  const all = sectionsOf(object).flatMap(({ section, variables }) =>
    variables.filter((variable) => variable.name === name).map((variable) => ({ section, variable })),
  );
  return all.find(({ variable }) => variable.isGlobal) ?? all[0];
}

/** @throws VespidError VARIABLE_UNKNOWN naming those that there are */
export function variableNamed(object: ObjectFile, name: string): PlacedVariable {
  const found = findVariable(object, name);
  if (found !== undefined) return found;
  const names = sectionsOf(object).flatMap(({ variables }) => variables.map((variable) => variable.name));
  throw new VespidError('VARIABLE_UNKNOWN', `${object.name}: no global variable ${name}`, {
    details: { object: object.name, variable: name },
    hint: names.length === 0 ? 'it has none, or was built without -g' : suggestName(name, names),
  });
}

/** The first bytes of every data section, with the caller's values in them. */
export class InitialData {
  readonly #bytes = new Map<string, Uint8Array>();

  /** @throws VespidError VARIABLE_UNKNOWN, VARIABLE_INVALID */
  constructor(object: ObjectFile, values: Readonly<Record<string, VariableValue>>) {
    for (const [name, value] of Object.entries(values)) {
      const { section, variable } = variableNamed(object, name);
      this.#changed(object, section).set(
        encodeVariable(variableType(object, variable), value),
        variable.byteOffset,
      );
    }
  }

  of(section: DataSection): Uint8Array {
    return this.#bytes.get(section.name) ?? section.bytes;
  }

  arena(bytes: Uint8Array): Uint8Array {
    return this.#bytes.get(ARENA_SECTION) ?? bytes;
  }

  #changed(object: ObjectFile, section: string): Uint8Array {
    const known = this.#bytes.get(section);
    if (known !== undefined) return known;
    const original =
      section === ARENA_SECTION
        ? object.arena?.bytes
        : object.dataSections.find(({ name }) => name === section)?.bytes;
    const copy = (original ?? new Uint8Array(0)).slice();
    this.#bytes.set(section, copy);
    return copy;
  }
}

function sectionsOf(object: ObjectFile): { section: string; variables: readonly DataVariable[] }[] {
  const data = object.dataSections.map(({ name, variables }) => ({ section: name, variables }));
  return object.arena === undefined
    ? data
    : [...data, { section: ARENA_SECTION, variables: object.arena.variables }];
}
