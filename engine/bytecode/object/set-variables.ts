import { suggestName, VespidError } from '../../errors/index.js';
import type { DataVariable } from './data-sections.js';
import { encodeVariable, type VariableValue } from './encode-variable.js';
import type { ObjectFile } from './object-file.js';
import { variablePart } from './variable-place.js';

/** A section of variables, of which setting makes a changed copy. */
interface VariableSection {
  readonly bytes: Uint8Array;
  readonly variables: readonly DataVariable[];
}

/** How many names a hint lists. */
const MAX_SUGGESTED = 20;

/**
 * The object with other initial values of its global variables, read-only ones included: what a loader sets
 * before programs are loaded.
 * @param values by name, or by path into a struct or array: `mode`, `config.limits[2]`. A static variable of a
 * function has the name `function.variable`.
 * @returns a new object; the given one stays as it is
 * @throws VespidError OBJECT_VARIABLE_UNKNOWN, OBJECT_VARIABLE_INVALID
 */
export function setVariables(
  object: ObjectFile,
  values: Readonly<Record<string, VariableValue>>,
): ObjectFile {
  const paths = Object.entries(values);
  const { btf } = object;
  if (paths.length === 0) return object;
  if (btf === undefined) {
    throw new VespidError(
      'OBJECT_VARIABLE_UNKNOWN',
      `${object.name}: no types, so that no variable has a name`,
      {
        hint: 'build the object with clang -g',
      },
    );
  }
  const sections: VariableSection[] = [...object.dataSections];
  if (object.arena !== undefined) sections.push(object.arena);
  const changed = new Map<VariableSection, Uint8Array>();
  for (const [path, value] of paths) {
    const { section, variable } = variableOf(object.name, sections, path);
    const bytes = changed.get(section) ?? section.bytes.slice();
    changed.set(section, bytes);
    const place = variablePart(btf, variable, path.slice(variable.name.length));
    encodeVariable(btf, place, value, bytes, object.byteOrder);
  }
  const withChanges = <T extends VariableSection>(section: T): T => {
    const bytes = changed.get(section);
    return bytes === undefined ? section : { ...section, bytes };
  };
  return {
    ...object,
    dataSections: object.dataSections.map(withChanges),
    arena: object.arena === undefined ? undefined : withChanges(object.arena),
  };
}

/** The variable whose name the path begins with: the longest, as names of static variables have dots. */
function variableOf(
  objectName: string,
  sections: readonly VariableSection[],
  path: string,
): { readonly section: VariableSection; readonly variable: DataVariable } {
  const found = sections.flatMap((section) =>
    section.variables
      .filter(({ name }) => path === name || (path.startsWith(name) && /^[.[]/.test(path.slice(name.length))))
      .map((variable) => ({ section, variable })),
  );
  const longest = Math.max(0, ...found.map(({ variable }) => variable.name.length));
  const [first, second] = found.filter(({ variable }) => variable.name.length === longest);
  if (first !== undefined && second === undefined) return first;
  if (first !== undefined) {
    throw new VespidError('OBJECT_VARIABLE_UNKNOWN', `${objectName}: two variables ${first.variable.name}`, {
      hint: 'static variables of two source files; give one of them another name',
    });
  }
  const names = sections.flatMap(({ variables }) => variables.map(({ name }) => name));
  throw new VespidError('OBJECT_VARIABLE_UNKNOWN', `${objectName}: no global variable ${path}`, {
    hint: names.length === 0 ? 'it has none' : suggestName(path, names.slice(0, MAX_SUGGESTED)),
  });
}
