/**
 * A pattern of a trust policy: `*` is any text without `/`, `**` any text, and every other character itself. It
 * must match a name from end to end; there is no way to write one that does not. Letters compare as written, by
 * UTF-16 unit: no case is folded and nothing is normalised, so no two spellings of a name are one. Text here is
 * printable ASCII: what cannot be seen in a name, or looks like another letter, is matched by no run.
 */
export interface NamePattern {
  /** As written. */
  readonly text: string;
  /** What stands before the first `*`: most names fail to start with it, which is quick to see. */
  readonly prefix: string;
  /** What stands behind it. */
  readonly tokens: readonly PatternToken[];
}

/** One character, or a run of any characters within a segment (`*`) or beyond it (`**`). */
type PatternToken = { readonly kind: 'unit'; readonly unit: string } | { readonly kind: 'segment' | 'any' };

/** Every text is a pattern. */
export function parseNamePattern(text: string): NamePattern {
  const star = text.indexOf('*');
  const prefix = star === -1 ? text : text.slice(0, star);
  return { text, prefix, tokens: tokensOf(text.slice(prefix.length)) };
}

function tokensOf(text: string): readonly PatternToken[] {
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
  return tokens;
}

/**
 * Whether the whole of `name` matches. All ways to match are followed at once, as sets of places in the pattern,
 * so the time is at most the product of both lengths: names come from bundles and certificates, and a matcher
 * that tries one way after another can be made to take for ever.
 */
export function matchesName({ prefix, tokens }: NamePattern, name: string): boolean {
  if (!name.startsWith(prefix)) return false;
  let places = reach(new Uint8Array(tokens.length + 1), 0, tokens);
  for (let offset = prefix.length; offset < name.length; offset++) {
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
  if (token.kind === 'unit') return token.unit === unit;
  return unit >= ' ' && unit <= '~' && (token.kind === 'any' || unit !== '/');
}
