/**
 * What XML 1.0 (section 2.2, "Char") lets no document contain, not even as a character reference: most control
 * characters, U+FFFE, U+FFFF, and halves of surrogate pairs.
 */
const NOT_XML = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu;

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/**
 * Text between tags. `>` is escaped, too, because `]]>` may not stand there; a carriage return by number, because a
 * reader would make a line feed of it (section 2.11). What XML cannot hold is written as in JavaScript: `\u001b`.
 */
export function xmlText(text: string): string {
  return text
    .replace(NOT_XML, escapeCodeUnit)
    .replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character)
    .replaceAll('\r', '&#13;');
}

/** An attribute's value, without the quotes. A reader would make spaces of tabs and line feeds (section 3.3.3). */
export function xmlAttributeValue(value: string): string {
  return xmlText(value).replaceAll('\t', '&#9;').replaceAll('\n', '&#10;');
}

/**
 * An element. Attributes in their order; those that are undefined are left out.
 *
 * @param content text or elements that are already XML; without, the element is empty
 */
export function xmlElement(
  name: string,
  attributes: Readonly<Record<string, string | number | undefined>>,
  content?: string,
): string {
  const pairs = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${xmlAttributeValue(String(value))}"`);
  const start = `<${name}${pairs.join('')}`;
  return content === undefined ? `${start}/>` : `${start}>${content}</${name}>`;
}

function escapeCodeUnit(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
