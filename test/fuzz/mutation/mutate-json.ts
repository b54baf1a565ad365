import type { Random } from '../random.js';
import { mutateText } from './mutate-text.js';

/** JSON's own traps: members twice, numbers that readers round, depth, names with a meaning, escapes. */
const TRAPS = [
  '"a":1,"a":2,',
  '1e400',
  '9007199254740993',
  '-0',
  '['.repeat(64),
  '{"a":'.repeat(64),
  '"__proto__":{},',
  '\\ud800',
  '\\u0000',
  'null',
  '[]',
  '{}',
  '""',
  'true',
];

/** A document as text, changed as text is, with a value or member of JSON put in, or one value put for another. */
export function mutateJson(random: Random, seed: Uint8Array, seeds: readonly Uint8Array[]): Uint8Array {
  const text = new TextDecoder().decode(seed);
  return new TextEncoder().encode(mutateOnce(random, text, seeds));
}

function mutateOnce(random: Random, text: string, seeds: readonly Uint8Array[]): string {
  const tokens = [...text.matchAll(/"(?:[^"\\]|\\.)*"|-?\d+|true|false|null|[{}[\],:]/g)];
  if (tokens.length === 0 || random.once(3)) {
    return mutateText(
      random,
      text,
      seeds.map((seed) => new TextDecoder().decode(seed)),
    );
  }
  const { 0: token, index } = random.pick(tokens);
  const replacement = random.once(2) ? random.pick(TRAPS) : random.pick(tokens)[0];
  const keep = random.once(3) ? token : '';
  return text.slice(0, index) + replacement + keep + text.slice(index + token.length);
}
