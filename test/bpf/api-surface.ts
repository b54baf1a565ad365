import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What a declaration file exports by this name: its own declaration, or that of the file it is re-exported from. */
interface ExportedName {
  readonly name: string;
  /** Name in the file that it comes from. */
  readonly original: string;
  readonly from: string;
}

const NAMED_REEXPORT = /^export (?:type )?\{([^}]*)\} from '([^']+)';/gm;
const WHOLE_REEXPORT = /^export \* from '([^']+)';/gm;

/**
 * The public surface of an entry as text: every exported name with its declaration, from the declaration files that
 * the compiler emitted, without comments and private members, by name.
 */
export function apiSurface(entry: string): string {
  const declarations = namedExports(entry).map(({ name, original, from }) => {
    const text = declarationOf(from, original);
    if (text === undefined) throw new Error(`${entry}: ${name} leads nowhere`);
    return text;
  });
  return `${declarations.sort().join('\n\n')}\n`;
}

function namedExports(file: string): ExportedName[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(NAMED_REEXPORT)].flatMap(([, list = '', specifier = '']) =>
    list
      .split(',')
      .map((item) => item.trim().replace(/^type /, ''))
      .filter((item) => item !== '')
      .map((item) => {
        const [original = item, name = original] = item.split(' as ');
        return { name, original, from: declarationFile(file, specifier) };
      }),
  );
}

function declarationFile(file: string, specifier: string): string {
  return join(dirname(file), specifier.replace(/\.js$/, '.d.ts'));
}

/** Follows re-exports to the declaration. */
function declarationOf(file: string, name: string): string | undefined {
  const text = withoutComments(readFileSync(file, 'utf8'));
  const start = new RegExp(
    `^export (?:declare )?(?:abstract )?(?:class|function|const|interface|type) ${name}\\b`,
    'm',
  ).exec(text);
  if (start !== null) return allOverloads(text, name) ?? wholeDeclaration(text, start.index);
  const named = namedExports(file).find((exported) => exported.name === name);
  if (named !== undefined) return declarationOf(named.from, named.original);
  for (const [, specifier = ''] of text.matchAll(WHOLE_REEXPORT)) {
    const found = declarationOf(declarationFile(file, specifier), name);
    if (found !== undefined) return found;
  }
  return undefined;
}

function allOverloads(text: string, name: string): string | undefined {
  const starts = [...text.matchAll(new RegExp(`^export declare function ${name}\\b`, 'gm'))];
  if (starts.length < 2) return undefined;
  return starts.map(({ index }) => wholeDeclaration(text, index)).join('\n');
}

/** From its start to where its brackets are closed and its line ends. */
function wholeDeclaration(text: string, start: number): string {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const character = text[at] ?? '';
    if ('{(['.includes(character)) depth++;
    if ('})]'.includes(character)) depth--;
    const isEnd = character === '\n' && depth === 0 && /[;}]$/.test(text.slice(start, at));
    if (isEnd) return withoutPrivates(text.slice(start, at));
  }
  return withoutPrivates(text.slice(start).trimEnd());
}

function withoutComments(text: string): string {
  return text.replace(/^\s*\/\*\*.*?\*\/\n/gms, '').replace(/\/\*\*.*?\*\/ ?/gs, '');
}

function withoutPrivates(declaration: string): string {
  return declaration.replace(/^\s+(?:#private|private [^;]*);\n/gm, '');
}
