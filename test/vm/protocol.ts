import type { KernelName } from './kernels.js';

/** Where the guest finds things: in the initramfs, or made by its init. */
export const GUEST_ROOT = '/vespid';
export const GUEST_REQUEST_PATH = `${GUEST_ROOT}/request.json`;
export const GUEST_RESULT_DEVICE = '/dev/ttyS1';

/** What the host asks the guest's runner to do. */
export interface GuestRequest {
  readonly kernel: KernelName;
  /** Parts of test file names; none means all. */
  readonly tests: readonly string[];
  /** A shell command to run instead of tests. */
  readonly command?: string;
}

export type TestOutcome = 'passed' | 'failed' | 'skipped' | 'not-applicable';

/** One line of JSON on the result device. */
export type GuestMessage =
  | { readonly type: 'ready'; readonly release: string; readonly uptimeSeconds: number }
  | {
      readonly type: 'test';
      readonly file: string;
      readonly name: string;
      readonly outcome: TestOutcome;
      readonly durationMs: number;
      /** Why it was skipped, or the error of a failure. */
      readonly detail?: string;
    }
  | { readonly type: 'output'; readonly file: string; readonly text: string }
  | { readonly type: 'kernel-log'; readonly text: string }
  | { readonly type: 'end'; readonly exitCode: number };

/** Starts the reason of a test that is not for this kernel, as told apart from one that was skipped. */
export const NOT_APPLICABLE = 'not for this kernel: ';

/** A message from one line of the result device, or undefined for anything else. */
export function parseGuestMessage(line: string): GuestMessage | undefined {
  const text = line.trim();
  if (!text.startsWith('{"type":')) return undefined;
  try {
    // The guest's runner is the only writer, and builds these lines from the same type.
    return JSON.parse(text) as GuestMessage;
  } catch {
    return undefined;
  }
}
