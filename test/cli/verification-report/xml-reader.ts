/** An element as {@link readXml} finds it. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  /** The text in it, without that of its children; white space alone counts as none. */
  readonly text: string;
}

const TOKEN = /<(\/?)([a-z-]+)((?: [a-z-]+="[^"<]*")*)(\/?)>|([^<]+)/gy;
const ENTITY = /&(?:#(\d+)|(amp|lt|gt|quot));/g;
const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' };

/**
 * A reader for XML without CDATA, comments, namespaces and processing instructions, strict about all else: what it
 * does not know is an error. libxml2 reads the same files in test/interop.
 */
export function readXml(xml: string): XmlElement {
  const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n';
  if (!xml.startsWith(declaration)) throw new Error('the declaration is missing');
  const root = { name: '', attributes: {}, children: [] as XmlElement[], text: '' };
  const open = [root];
  const body = xml.slice(declaration.length);
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < body.length) {
    const start = TOKEN.lastIndex;
    const match = TOKEN.exec(body);
    const parent = open.at(-1);
    if (match === null || parent === undefined) throw new Error(`no XML: ${body.slice(start, start + 40)}`);
    const [, slash, name = '', attributes = '', selfClosing, text] = match;
    if (text !== undefined) parent.text += decode(text);
    else if (slash === '/') {
      if (open.pop()?.name !== name) throw new Error(`</${name}> closes another element`);
      parent.text = parent.text.trim() === '' && parent.children.length > 0 ? '' : parent.text;
    } else {
      const element = { name, attributes: readAttributes(attributes), children: [], text: '' };
      parent.children.push(element);
      if (selfClosing !== '/') open.push(element);
    }
  }
  const [element] = root.children;
  if (open.length !== 1 || element === undefined || root.children.length !== 1)
    throw new Error('not one element');
  return element;
}

function readAttributes(text: string): Record<string, string> {
  const pairs = [...text.matchAll(/ ([a-z-]+)="([^"]*)"/g)].map(
    ([, name = '', value = '']) => [name, decode(normalized(value))] as const,
  );
  if (new Set(pairs.map(([name]) => name)).size !== pairs.length)
    throw new Error('an attribute stands twice');
  return Object.fromEntries(pairs);
}

/** XML 1.0, section 3.3.3. */
function normalized(value: string): string {
  return value.replace(/[\t\n\r]/g, ' ');
}

function decode(text: string): string {
  if (/&(?!(?:#\d+|amp|lt|gt|quot);)|]]>/.test(text)) throw new Error(`not escaped: ${text}`);
  // Section 2.11: a carriage return that is written as such is a line feed.
  return text
    .replace(/\r\n?/g, '\n')
    .replace(ENTITY, (_all, code: string | undefined, name: string | undefined) =>
      code === undefined ? (NAMED[name ?? ''] ?? '') : String.fromCodePoint(Number(code)),
    );
}
