const UNDERSCORE = 0x5f;

/**
 * Length of the name at `start` up to its CO-RE flavour. A flavour is what follows the last `___` that stands
 * alone between other characters: programs declare `task_struct___old` beside `task_struct`, and the kernel's
 * type is `task_struct` for both. (libbpf's rule; its documentation calls it the essential name.)
 */
export function essentialLength(bytes: Uint8Array, start: number): number {
  let underscores = 0;
  let essentialEnd = -1;
  let at = start;
  for (; at < bytes.byteLength; at++) {
    const byte = bytes[at];
    if (byte === UNDERSCORE) {
      underscores++;
      continue;
    }
    if (byte === 0) break;
    if (underscores === 3 && at - 3 > start) essentialEnd = at - 3;
    underscores = 0;
  }
  return (essentialEnd === -1 ? at : essentialEnd) - start;
}

/** A name without its CO-RE flavour. */
export function essentialName(name: string): string {
  // Greedy, so that the last flavour separator counts, as in essentialLength.
  const match = /^(.*[^_])___[^_]/s.exec(name);
  return match?.[1] ?? name;
}
