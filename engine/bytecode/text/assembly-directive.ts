import { closestName } from '../../errors/index.js';
import type { MapDefinition } from '../assembled-function.js';
import { MAP_TYPE } from '../isa.js';
import type { NameInText } from './statement.js';
import type { TokenCursor } from './token-cursor.js';

/** A line that is no instruction: `.function` begins a function, `.map` declares a map. */
export type Directive =
  | { readonly kind: 'function'; readonly name: NameInText; readonly section: string | undefined }
  | { readonly kind: 'map'; readonly name: NameInText; readonly map: MapDefinition };

/** Attributes of `.map`, by the member of {@link MapDefinition} that each is. */
const MAP_ATTRIBUTES: ReadonlyMap<string, Exclude<keyof MapDefinition, 'name'>> = new Map([
  ['type', 'type'],
  ['key', 'keySize'],
  ['value', 'valueSize'],
  ['entries', 'maxEntries'],
  ['flags', 'flags'],
]);

const MAP_TYPES: ReadonlyMap<string, number> = new Map(Object.entries(MAP_TYPE));

/** A section's name may hold what is no token (`tp/sched:sched_switch`), so that it is read as it stands. */
const FUNCTION = /[ \t]*\.function[ \t]+[\w.$]+/y;
const SECTION = /^\s*([^\s;#]+)/;

/** Where the tokens of a line end: its end, but before the section of a `.function`. */
export function endOfTokens(text: string, start: number, end: number): number {
  FUNCTION.lastIndex = start;
  return FUNCTION.test(text) ? Math.min(FUNCTION.lastIndex, end) : end;
}

/**
 * `.function on_switch raw_tp/sched_switch` (a program), `.function inner` (a function that programs call),
 * `.map counts type=array key=4 value=8 entries=1 flags=0` (sizes in bytes; what is left out is 0).
 * @param lineEnd offset of the end of the line
 * @returns undefined if the line is something else
 * @throws VespidError ASSEMBLY_SYNTAX, ASSEMBLY_RANGE, ASSEMBLY_SYMBOL_UNKNOWN
 */
export function parseDirective(cursor: TokenCursor, lineEnd: number): Directive | undefined {
  const { kind, text } = cursor.peek();
  if (kind !== 'name' || !text.startsWith('.')) return undefined;
  switch (text) {
    case '.function':
      cursor.take();
      return parseFunction(cursor, lineEnd);
    case '.map':
      cursor.take();
      return parseMap(cursor);
    default:
      throw cursor.unexpected('an instruction, .function or .map');
  }
}

function parseFunction(cursor: TokenCursor, lineEnd: number): Directive {
  const name = cursor.takeName();
  const section = SECTION.exec(cursor.source.text.slice(name.end, lineEnd))?.[1];
  return { kind: 'function', name, section };
}

function parseMap(cursor: TokenCursor): Directive {
  const name = cursor.takeName();
  const map = { name: name.name, type: 0, keySize: 0, valueSize: 0, maxEntries: 0, flags: 0 };
  const seen = new Set<string>();
  while (cursor.peek().kind === 'name') {
    const attribute = MAP_ATTRIBUTES.get(cursor.peek().text);
    if (attribute === undefined || seen.has(attribute)) {
      const known = [...MAP_ATTRIBUTES.keys()];
      const near = closestName(cursor.peek().text, known);
      const message = `one of ${known.map((key) => `${key}=`).join(' ')}, once`;
      throw cursor.unexpected(message, near === undefined ? undefined : `did you mean ${near}?`);
    }
    seen.add(attribute);
    cursor.take();
    cursor.expect('=');
    map[attribute] = attribute === 'type' ? parseMapType(cursor) : cursor.takeInteger(32, 'either') >>> 0;
  }
  cursor.expectEnd();
  if (map.type === 0) throw cursor.unexpected('type=', 'for example type=array');
  return { kind: 'map', name, map };
}

/** A name as `MAP_TYPE` has it, or a number of enum bpf_map_type. */
function parseMapType(cursor: TokenCursor): number {
  if (cursor.isNumber()) return cursor.takeInteger(32, 'either') >>> 0;
  const type = MAP_TYPES.get(cursor.peek().text);
  if (type === undefined || cursor.peek().kind !== 'name') {
    const near = closestName(cursor.peek().text, MAP_TYPES.keys());
    const hint = near === undefined ? 'a number of enum bpf_map_type will do' : `did you mean ${near}?`;
    throw cursor.source.error('ASSEMBLY_SYMBOL_UNKNOWN', cursor.peek(), 'no such type of map', hint);
  }
  cursor.take();
  return type;
}
