import { VespidError } from '../../errors/index.js';

/** What a probe found. Probes try the thing itself; versions are for information only. */
export interface Feature {
  readonly available: boolean;
  /** Why not; empty when available. */
  readonly reason: string;
  /** The mainline kernel that brought it. */
  readonly since: string;
}

/** One thing that a kernel may have, and how to find out. */
export interface FeatureProbe {
  /** `program/xdp`, `map/arena`, `helper/loop`, `link/tcx` … */
  readonly name: string;
  /** The mainline kernel that brought it. */
  readonly since: string;
  /** Options without which a kernel does not have it; CONFIG_BPF_SYSCALL goes without saying. */
  readonly config: readonly string[];
  /** It is loaded onto a BPF trampoline, which some hardened kernels refuse altogether. */
  readonly onTrampoline?: boolean;
  /** Returns when the kernel has it, leaves nothing behind. @throws VespidError when it has not */
  readonly attempt: () => void;
}

/** Errors that say that a kernel lacks something; others are faults of ours and go on. */
export function tryFeature(since: string, attempt: () => void): Feature {
  try {
    attempt();
    return { available: true, reason: '', since };
  } catch (error) {
    if (!(error instanceof VespidError)) throw error;
    return { available: false, reason: error.message, since };
  }
}

export function missing(reason: string): VespidError {
  return new VespidError('KERNEL_UNSUPPORTED', reason);
}

/**
 * Runs a command that a kernel with the feature refuses for this very reason, and one without for another.
 *
 * @throws VespidError KERNEL_UNSUPPORTED when it succeeds or fails otherwise
 */
export function expectErrno(expected: string, attempt: () => void): void {
  try {
    attempt();
  } catch (error) {
    if (error instanceof VespidError && error.details?.['errnoName'] === expected) return;
    throw error;
  }
  throw missing(`the kernel accepts what it was to refuse with ${expected}`);
}
