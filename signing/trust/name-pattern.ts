/**
 * A pattern of a trust policy: `*` is any text without `/`, `**` any text, and every other character itself. It
 * must match a name from end to end; there is no way to write one that does not. Letters compare as written, by
 * UTF-16 unit: no case is folded and nothing is normalised, so no two spellings of a name are one.
 */
export interface NamePattern {
  /** As written. */
  readonly text: string;
  readonly tokens: readonly PatternToken[];
}

/** One character, or a run of any characters within a segment (`*`) or beyond it (`**`). */
type PatternToken = { readonly kind: 'unit'; readonly unit: string } | { readonly kind: 'segment' | 'any' };

/** Every text is a pattern. */
export function parseNamePattern(text: string): NamePattern {
  const tokens: PatternToken[] = [];
  for (let offset = 0; offset < text.length; offset++) {
    const unit = text.charAt(offset);
    if (unit !== '*') tokens.push({ kind: 'unit', unit });
    else if (text.charAt(offset + 1) !== '*') tokens.push({ kind: 'segment' });
    else {
      tokens.push({ kind: 'any' });
      offset++;
    }
  }
  return { text, tokens };
}

/**
 * Whether the whole of `name` matches. All ways to match are followed at once, as sets of places in the pattern,
 * so the time is at most the product of both lengths: names come from bundles and certificates, and a matcher
 * that tries one way after another can be made to take for ever.
 */
export function matchesName(pattern: NamePattern, name: string): boolean {
  const { tokens } = pattern;
  let places = reach(new Uint8Array(tokens.length + 1), 0, tokens);
  for (let offset = 0; offset < name.length; offset++) {
    const unit = name.charAt(offset);
    const next = new Uint8Array(tokens.length + 1);
    for (const [place, token] of tokens.entries()) {
      if (places[place] !== 1 || !accepts(token, unit)) continue;
      // A run stays where it is, because it may take more; a character is done with.
      reach(next, token.kind === 'unit' ? place + 1 : place, tokens);
    }
    places = next;
  }
  return places[tokens.length] === 1;
}

/** The first of `patterns` that matches. */
export function findMatch(patterns: readonly NamePattern[], name: string): NamePattern | undefined {
  return patterns.find((pattern) => matchesName(pattern, name));
}

/** Marks `place`, and those behind it that are reached by taking runs as empty. */
function reach(places: Uint8Array, place: number, tokens: readonly PatternToken[]): Uint8Array {
  for (let at = place; places[at] === 0; at++) {
    places[at] = 1;
    const token = tokens[at];
    if (token === undefined || token.kind === 'unit') break;
  }
  return places;
}

function accepts(token: PatternToken, unit: string): boolean {
  switch (token.kind) {
    case 'unit':
      return token.unit === unit;
    case 'segment':
      return unit !== '/';
    case 'any':
      return true;
  }
}
