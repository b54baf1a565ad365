/** Index of the first of `sorted` (ascending by place) that is at `byteOffset` or after it; its length if none. */
export function firstFrom(sorted: readonly { readonly byteOffset: number }[], byteOffset: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle]?.byteOffset ?? 0) < byteOffset) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Those of `sorted` in `[start, end)`. */
export function within<T extends { readonly byteOffset: number }>(
  sorted: readonly T[],
  start: number,
  end: number,
): readonly T[] {
  return sorted.slice(firstFrom(sorted, start), firstFrom(sorted, end));
}

/** The last of `sorted` that is at `byteOffset` or before it. */
export function lastUpTo<T extends { readonly byteOffset: number }>(
  sorted: readonly T[],
  byteOffset: number,
): T | undefined {
  return sorted[firstFrom(sorted, byteOffset + 1) - 1];
}
