/** Names longer than this get no did-you-mean, whose cost is the product of two lengths. */
const MAX_SUGGESTION_LENGTH = 64;

/** Edits (insert, delete, replace, swap of neighbours) that turn `from` into `to`. */
function editDistance(from: string, to: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      let cost = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (swapped && row > 1 && column > 1) cost = Math.min(cost, (beforePrevious[column - 2] ?? 0) + 1);
      current.push(cost);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[to.length] ?? 0;
}

const LETTERS = 128;

/** How often each letter is in a text; those beyond ASCII share places. */
function letterCounts(text: string): Uint8Array {
  const counts = new Uint8Array(LETTERS);
  for (let at = 0; at < text.length; at++) {
    const letter = text.charCodeAt(at) % LETTERS;
    counts[letter] = (counts[letter] ?? 0) + 1;
  }
  return counts;
}

/**
 * Edits that letters alone show to be needed, whatever their order: never more than {@link editDistance}, and much
 * cheaper, so that one of a kernel's 60,000 functions can be looked for.
 */
function fewestEdits(from: string, fromCounts: Uint8Array, to: string): number {
  const left = fromCounts.slice();
  let shared = 0;
  for (let at = 0; at < to.length; at++) {
    const letter = to.charCodeAt(at) % LETTERS;
    const count = left[letter] ?? 0;
    if (count === 0) continue;
    left[letter] = count - 1;
    shared++;
  }
  return Math.max(from.length, to.length) - shared;
}

/** The candidate that `name` was probably meant to be, or undefined if none is near. */
export function closestName(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length > MAX_SUGGESTION_LENGTH) return undefined;
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1;
  const wanted = name.toLowerCase();
  const counts = letterCounts(wanted);
  for (const candidate of candidates) {
    const offered = candidate.toLowerCase();
    if (fewestEdits(wanted, counts, offered) >= bestDistance) continue;
    const distance = editDistance(wanted, offered);
    if (distance < bestDistance && distance < candidate.length) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** A hint: the near name if there is one, and the list of all. */
export function suggestName(name: string, candidates: readonly string[]): string {
  const near = closestName(name, candidates);
  const list = `known: ${candidates.join(', ')}`;
  return near === undefined ? list : `did you mean ${near}? (${list})`;
}
