/**
 * Characters that must not reach a terminal raw: controls (C0, DEL, C1: an escape sequence can hide or forge
 * lines), line and paragraph separators, and the marks that reorder text or cannot be seen (bidirectional
 * controls, zero width, byte order mark). The backslash is among them so that the escapes are unambiguous.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: controls are what it looks for
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\\]/gu;

/** The text with every unsafe character written as `\xNN` or `\uNNNN`, and a backslash doubled. */
export function escapeForTerminal(text: string): string {
  return text.replace(UNSAFE, (character) => {
    if (character === '\\') return '\\\\';
    const code = character.charCodeAt(0);
    return code < 0x100
      ? `\\x${code.toString(16).padStart(2, '0')}`
      : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}
