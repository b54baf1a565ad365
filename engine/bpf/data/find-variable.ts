import type { DataVariable, ObjectFile } from '../../bytecode/index.js';
import { suggestName, VespidError } from '../../errors/index.js';

/** A variable and where it is: the name of a data section, or that of the arena's. */
export interface PlacedVariable {
  readonly section: string;
  readonly variable: DataVariable;
}

/** The section that an arena's variables are in. */
export const ARENA_SECTION = '.addr_space.1';

/** How many names a hint lists. */
const MAX_SUGGESTED = 20;

/**
 * The variable of that name; a global one goes before a static one.
 *
 * @throws VespidError OBJECT_VARIABLE_UNKNOWN naming those that there are
 */
export function findVariable(object: ObjectFile, name: string): PlacedVariable {
  const sections = [
    ...object.dataSections,
    ...(object.arena === undefined ? [] : [{ name: ARENA_SECTION, variables: object.arena.variables }]),
  ];
  const all = sections.flatMap(({ name: section, variables }) =>
    variables.map((variable) => ({ section, variable })),
  );
  const named = all.filter(({ variable }) => variable.name === name);
  const found = named.find(({ variable }) => variable.isGlobal) ?? named[0];
  if (found !== undefined) return found;
  const names = all.map(({ variable }) => variable.name).slice(0, MAX_SUGGESTED);
  throw new VespidError('OBJECT_VARIABLE_UNKNOWN', `${object.name}: no global variable ${name}`, {
    details: { object: object.name, variable: name },
    hint: names.length === 0 ? 'it has none, or was built without -g' : suggestName(name, names),
  });
}
