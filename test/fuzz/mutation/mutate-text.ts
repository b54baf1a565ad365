import type { Random } from '../random.js';

/** Characters at which text formats take a turn. */
const TRAPS = [
  '\n',
  ' ',
  '\t',
  '\0',
  '"',
  "'",
  '/',
  '(',
  ')',
  '*',
  '-',
  '+',
  '0',
  '9',
  '0x',
  '-1',
  '\u{1f41d}',
  ';',
  '?',
];
const LONG = 'a'.repeat(300);

/** Text with one to four changes to characters, words or lines; some come from other texts. */
export function mutateText(random: Random, original: string, others: readonly string[]): string {
  let text = original;
  for (let count = 1 + random.below(4); count > 0; count--) text = mutateOnce(random, text, others);
  return text;
}

function mutateOnce(random: Random, text: string, others: readonly string[]): string {
  const at = random.below(text.length + 1);
  const end = at + 1 + random.below(12);
  switch (random.below(8)) {
    case 0:
      return text.slice(0, at) + random.pick(TRAPS) + text.slice(at);
    case 1:
      return text.slice(0, at) + text.slice(end);
    case 2:
      return text.slice(0, at) + text.slice(at, end) + text.slice(at);
    case 3:
      return (
        text.slice(0, at) +
        String.fromCharCode(random.below(random.once(4) ? 0x1_0000 : 128)) +
        text.slice(at + 1)
      );
    case 4:
      return text.slice(0, at) + random.pick(others).slice(random.below(at + 1));
    case 5:
      return replaceNumber(random, text);
    case 6:
      return shuffleLine(random, text, random.pick(others));
    default:
      return random.once(8) ? text.slice(0, at) + LONG + text.slice(at) : text.slice(0, at);
  }
}

function replaceNumber(random: Random, text: string): string {
  const numbers = [...text.matchAll(/-?(0x[0-9a-f]+|\d+)/gi)];
  if (numbers.length === 0) return text;
  const { index, 0: found } = random.pick(numbers);
  const value = random.pick([
    '0',
    '-1',
    '10',
    '11',
    '4294967295',
    '4294967296',
    '-9223372036854775809',
    '0xffffffffffffffffff',
    '1e9',
    '32768',
    String(random.u32()),
  ]);
  return text.slice(0, index) + value + text.slice(index + found.length);
}

/** A line taken out, doubled or put in from another text. */
function shuffleLine(random: Random, text: string, other: string): string {
  const lines = text.split('\n');
  const at = random.below(lines.length);
  if (random.once(3)) lines.splice(at, 1);
  else lines.splice(at, 0, random.once(2) ? random.pick(lines) : random.pick(other.split('\n')));
  return lines.join('\n');
}
