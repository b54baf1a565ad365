import { isDeepStrictEqual } from 'node:util';
import {
  type Document,
  isCollection,
  isMap,
  isPair,
  isSeq,
  type Node,
  parseDocument,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import { blockLines, type FragmentStyle, flowText, type YamlValue } from './yaml-fragment.js';

/** Something to be put into a document where it is not yet. */
export interface Insertion {
  /** Names from the top of the document. What is missing on the way is made. */
  readonly path: readonly string[];
  readonly value: YamlValue;
  /** `append`: `path` is a list, which gets `value` as its last item. `set`: `path` is a name that is not there. */
  readonly kind: 'append' | 'set';
}

/**
 * A YAML text with something put into it and every other byte as it was: comments, quotes, spaces and all. The new
 * text is read again and compared with the same change made to the document; where a layout is so unusual that the
 * two differ, the document as `yaml` prints it is given back, which keeps comments but not all of the layout.
 *
 * @param text YAML that was found to be well-formed
 */
export function insertYaml(text: string, insertion: Insertion): string {
  const document = parseDocument(text, { keepSourceTokens: true, schema: 'core' });
  const inserted = insertIntoText(text, document, insertion);
  const expected = changeDocument(document, insertion);
  const found = parseDocument(inserted, { schema: 'core' });
  const sound = found.errors.length === 0 && isDeepStrictEqual(found.toJS(), expected.toJS());
  return sound ? inserted : expected.toString({ lineWidth: 0 });
}

function changeDocument(document: Document, { path, value, kind }: Insertion): Document {
  const changed = document.clone();
  if (kind === 'append' && changed.hasIn(path)) changed.addIn(path, changed.createNode(value));
  else changed.setIn(path, changed.createNode(kind === 'append' ? [value] : value));
  return changed;
}

function insertIntoText(text: string, document: Document, { path, value, kind }: Insertion): string {
  const style: FragmentStyle = isCollection(document.contents) && document.contents.flow ? 'json' : 'block';
  const node = document.getIn(path, true);
  if (kind === 'append' && isSeq(node)) return insertItem(text, node, value, style);
  for (let depth = path.length - 1; depth >= 0; depth--) {
    const parent = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
    const [name, ...rest] = path.slice(depth);
    if (!isMap(parent) || name === undefined) continue;
    const leaf: YamlValue = kind === 'append' ? [value] : value;
    const nested = rest.reduceRight<YamlValue>((inner, outer) => ({ [outer]: inner }), leaf);
    return insertPair(text, parent, name, nested, style);
  }
  return text;
}

function insertItem(text: string, list: YAMLSeq, value: YamlValue, style: FragmentStyle): string {
  if (list.flow)
    return insertBehind(text, endOf(list.items.at(-1)), `, ${flowText(value, flowStyle(style))}`);
  const last = list.items.at(-1);
  const lines =
    isCollection(last) && last.flow && typeof value === 'object'
      ? [flowText(value, flowStyle(style))]
      : blockLines(value);
  const marked = lines.map((line, at) => (at === 0 ? `- ${line}` : `  ${line}`));
  return insertLines(text, endOf(last), marked, indentOf(list));
}

function insertPair(
  text: string,
  map: YAMLMap,
  name: string,
  value: YamlValue,
  style: FragmentStyle,
): string {
  const last = map.items.at(-1);
  const end = endOf(isPair(last) ? (last.value ?? last.key) : last);
  if (map.flow) {
    const pair = `${flowText(name, flowStyle(style))}: ${flowText(value, flowStyle(style))}`;
    return insertBehind(text, end, `, ${pair}`);
  }
  return insertLines(text, end, blockLines({ [name]: value }), indentOf(map));
}

function flowStyle(style: FragmentStyle): 'flow' | 'json' {
  return style === 'json' ? 'json' : 'flow';
}

/** Columns before the items of a list, or the names of a map, in block style. */
function indentOf({ srcToken }: YAMLSeq | YAMLMap): number {
  return srcToken !== undefined && 'indent' in srcToken ? Math.max(0, srcToken.indent) : 0;
}

/** Behind the last character of a value, before a comment that follows it on its line. */
function endOf(node: unknown): number {
  if (isPair(node)) return endOf(node.value ?? node.key);
  if (isCollection(node) && !node.flow && node.items.length > 0) return endOf(node.items.at(-1));
  // isCollection and scalars are the nodes that are left; a pair's parts are nodes in a document from a text.
  const { range } = node as Node;
  return range?.[1] ?? 0;
}

function insertBehind(text: string, offset: number, fragment: string): string {
  return `${text.slice(0, offset)}${fragment}${text.slice(offset)}`;
}

/** Puts lines below the one on which `offset` is; a comment at its end stays there. */
function insertLines(text: string, offset: number, lines: readonly string[], indent: number): string {
  const lineBreak = text.includes('\r\n') ? '\r\n' : '\n';
  const newline = text.startsWith('\n', offset - 1) ? offset - 1 : text.indexOf('\n', offset);
  const before = newline === -1 ? `${text}${lineBreak}` : text.slice(0, newline + 1);
  const after = newline === -1 ? '' : text.slice(newline + 1);
  const margin = ' '.repeat(indent);
  const block = lines.map((line) => (line === '' ? lineBreak : `${margin}${line}${lineBreak}`)).join('');
  return `${before}${block}${after}`;
}
