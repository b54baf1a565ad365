/** What one loader made of one object in one guest. */
export type LoadOutcome =
  | { readonly kind: 'loaded'; readonly tags: Readonly<Record<string, string>>; readonly durationMs: number }
  | { readonly kind: 'refused'; readonly reason: string; readonly durationMs: number }
  | { readonly kind: 'over-limit'; readonly durationMs: number };

/** One line that the guest sends for each object. */
export interface ObjectResult {
  readonly object: string;
  readonly libbpf: LoadOutcome;
  readonly vespid: LoadOutcome;
}

/** What the names of object files end with. */
export const OBJECT_SUFFIX = '.bpf.o';

/** Where the guest finds the objects. */
export const GUEST_OBJECTS = '/peers';

/** The result of a line of the guest's output, or undefined for any other line. */
export function parseObjectResult(line: string): ObjectResult | undefined {
  // The guest's runner writes these lines from the same type.
  return line.startsWith('{"object":') ? (JSON.parse(line) as ObjectResult) : undefined;
}
