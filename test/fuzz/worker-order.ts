import type { Fault } from './run-case.js';

/** What a worker is told, as JSON in its argument. */
export interface WorkerOrder {
  readonly target: string;
  readonly seed: number;
  readonly firstCase: number;
  /** One after the last case. */
  readonly endCase: number;
  readonly milliseconds: number;
  readonly corpusFolder: string;
  readonly progressFile: string;
}

/** What it answers, a message each. */
export type WorkerReport =
  | { readonly kind: 'fault'; readonly caseIndex: number; readonly fault: Fault }
  | { readonly kind: 'done'; readonly nextCase: number };
