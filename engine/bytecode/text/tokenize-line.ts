import { type AssemblySource, MAX_ASSEMBLY_LINE_CHARACTERS, type Span } from './assembly-source.js';

export type TokenKind = 'name' | 'number' | 'symbol' | 'opcode' | 'annotation' | 'end';

export interface Token extends Span {
  readonly kind: TokenKind;
  readonly text: string;
}

/**
 * Signed operators before names, so that `s>` is not the name `s`; longer ones before shorter. The opcode is what
 * the kernel's form begins with, `(b7)`; the annotation is llvm-objdump's name of a jump target, `<main+0x28>`.
 */
const TOKEN = new RegExp(
  [
    '(?:\\([0-9a-f]{2}\\))',
    '(?:s>>=|s>=|s<=|s/=|s%=|s>|s<(?![\\w.$]*>))',
    '(?:0[xX][0-9a-fA-F]+|[0-9]+)(?![\\w.$])',
    '(?:kernel-function|[A-Za-z_.$][\\w.$]*)',
    '(?:<[A-Za-z_.$][^\\s<>]*>)',
    '(?:<<=|>>=|[-+*/%&|^=!<>]=|[-+*&=<>()[\\],:#])',
  ].join('|'),
  'y',
);
const SIGNED_OPERATORS: ReadonlySet<string> = new Set(['s>>=', 's>=', 's<=', 's/=', 's%=', 's>', 's<']);
const SPACE = /[ \t\r\f\v]*/y;

/**
 * The tokens of one line, comments left out, with an `end` token after the last. Comments begin with `;`, `//` or
 * `#`; the `#` in `bpf_loop#181` follows a name directly and has a number behind it.
 * @throws VespidError ASSEMBLY_SYNTAX, ASSEMBLY_LIMIT
 */
export function tokenizeLine(source: AssemblySource, start: number, end: number): Token[] {
  if (end - start > MAX_ASSEMBLY_LINE_CHARACTERS) {
    throw source.error(
      'ASSEMBLY_LIMIT',
      { start, end: start + 1 },
      `a line of ${end - start} characters, limit ${MAX_ASSEMBLY_LINE_CHARACTERS}`,
    );
  }
  const { text } = source;
  const tokens: Token[] = [];
  for (let at = skipSpace(text, start); at < end; at = skipSpace(text, at)) {
    if (isComment(text, at)) break;
    TOKEN.lastIndex = at;
    const found = TOKEN.exec(text)?.[0];
    if (found === undefined) {
      const span = { start: at, end: at + 1 };
      throw source.error('ASSEMBLY_SYNTAX', span, `${JSON.stringify(source.quote(span))} means nothing here`);
    }
    tokens.push({ kind: kindOf(found), text: found, start: at, end: at + found.length });
    at += found.length;
  }
  const last = tokens.at(-1)?.end ?? start;
  tokens.push({ kind: 'end', text: '', start: last, end: last + 1 });
  return tokens;
}

/** By how it begins: named groups in the expression would cost more than the rest of the parser. */
function kindOf(text: string): TokenKind {
  const first = text.charCodeAt(0);
  if (first >= 0x30 && first <= 0x39) return 'number';
  if (SIGNED_OPERATORS.has(text)) return 'symbol';
  if (/[A-Za-z_.$]/.test(text.charAt(0))) return 'name';
  if (text.length === 4 && text.startsWith('(')) return 'opcode';
  return text.length > 2 && text.startsWith('<') && text.endsWith('>') ? 'annotation' : 'symbol';
}

function isComment(text: string, at: number): boolean {
  const first = text[at];
  if (first === ';' || (first === '/' && text[at + 1] === '/')) return true;
  if (first !== '#') return false;
  return !(/[\w$]/.test(text[at - 1] ?? '') && /[-0-9]/.test(text[at + 1] ?? ''));
}

function skipSpace(text: string, at: number): number {
  SPACE.lastIndex = at;
  SPACE.exec(text);
  return SPACE.lastIndex;
}
