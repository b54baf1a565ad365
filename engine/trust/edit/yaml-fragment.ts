import { parse, stringify } from 'yaml';

/** A value that can be written as YAML. */
export type YamlValue = string | number | readonly YamlValue[] | { readonly [name: string]: YamlValue };

/** How the text around a fragment is written. */
export type FragmentStyle = 'block' | 'flow' | 'json';

/** Lines of a value in block style, without indentation. */
export function blockLines(value: YamlValue): readonly string[] {
  return stringify(value, { lineWidth: 0 }).trimEnd().split('\n');
}

/** A value on one line: `{ id: ci, publicKey: ci.pub }`, or as JSON where the file is JSON. */
export function flowText(value: YamlValue, style: 'flow' | 'json'): string {
  if (typeof value === 'string') return style === 'json' ? JSON.stringify(value) : flowScalar(value);
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value)) return `[${value.map((item) => flowText(item, style)).join(', ')}]`;
  const pairs = Object.entries(value).map(
    ([name, member]) => `${flowText(name, style)}: ${flowText(member, style)}`,
  );
  return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`;
}

/** Letters that mean nothing to YAML wherever they stand. */
const PLAIN = /^[A-Za-z0-9_/.][A-Za-z0-9_./+@-]*$/;

/** Without quotes only what reads back as the same text: `1.4.0` does, `1.4` and `no` may not. */
function flowScalar(text: string): string {
  if (PLAIN.test(text) && parse(`[${text}]`)[0] === text) return text;
  // A JSON string is a double-quoted scalar (YAML 1.2.2, section 1.3).
  return JSON.stringify(text);
}
