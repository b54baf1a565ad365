import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { CAPABILITIES, type Capability, KERNELS, type Kernel, type KernelName } from '../kernels.js';
import { GUEST_REQUEST_PATH, type GuestRequest, NOT_APPLICABLE } from '../protocol.js';

/** The row of the kernel table that this guest was booted for. */
export function guestKernel(): Kernel {
  // The host writes this file from the same type.
  const request = JSON.parse(readFileSync(GUEST_REQUEST_PATH, 'utf8')) as GuestRequest;
  return KERNELS[request.kernel];
}

export interface GuestTestOptions {
  /** The test is for kernels that have all of these; there it must pass, with no way to skip. */
  readonly needs?: readonly Capability[];
  readonly timeoutMs?: number;
  /** The kernel that runs it, for what both would answer alike: 6.1 has fewer tests and ends first. */
  readonly only?: KernelName;
}

const DEFAULT_TIMEOUT_MS = 60_000;

/** Tests of the file that is being imported, see `suite.ts`. */
let pending: (() => void)[] = [];

/** Hands over what the files imported since the last call have declared. */
export function declareTests(): readonly (() => void)[] {
  const declared = pending;
  pending = [];
  return declared;
}

/**
 * Declares a test that runs as root on a kernel of its own, in which it may enforce on the whole machine. It gives
 * back what it attached before it ends: the next test runs in the same process.
 */
export function guestTest(
  name: string,
  options: GuestTestOptions,
  body: (context: TestContext) => void | Promise<void>,
): void {
  const missing = (options.needs ?? []).filter((need) => !guestKernel().capabilities.includes(need));
  const reasons = missing.map((need) => `${need} (${CAPABILITIES[need]})`);
  if (options.only !== undefined && options.only !== guestKernel().name)
    reasons.push(`kernel ${options.only}`);
  const timeout = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  pending.push(
    () =>
      void test(name, reasons.length > 0 ? { skip: NOT_APPLICABLE + reasons.join(', ') } : { timeout }, body),
  );
}
