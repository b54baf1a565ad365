/** What one case may take; the parent ends a worker that goes beyond. */
export interface CaseLimits {
  /** Processor time, so that a busy machine makes no hangs. */
  readonly cpuMs: number;
  /** `--max-old-space-size` of the worker. */
  readonly heapMiB: number;
  /** Resident memory of the worker, buffers and Node itself included. */
  readonly residentMiB: number;
}

export const CASE_LIMITS: CaseLimits = {
  // Good inputs take a millisecond or two: this long is a hang for whoever waits.
  cpuMs: 3_000,
  // Some fifty times what the largest good input needs.
  heapMiB: 192,
  // The heap, Node, and what one object may be in sections of zeros (MAX_ZERO_SECTION_BYTES).
  residentMiB: 512,
};
