import type { VariableValue } from '../bytecode/index.js';
import type { BpfMap, KernelTypes } from '../kernel/index.js';
import type { AttachTarget } from './programs/attach-target.js';
import type { Admit } from './programs/load-program.js';
import type { ProgramFilter } from './selection.js';

/** What a caller decides about a load. Everything has the default that libbpf has. */
export interface LoadObjectOptions {
  /**
   * Which programs to load; without it all but those of sections that begin with `?`. With it, maps that none of
   * the programs uses are not made.
   */
  readonly programs?: ProgramFilter | undefined;
  /** Global variables and constants by name or path (`config.limits[2]`), as they are when programs start. */
  readonly variables?: Readonly<Record<string, VariableValue>> | undefined;
  /** Maps that exist already and stand in for those of the same name; they stay their owner's. */
  readonly maps?: ReadonlyMap<string, BpfMap> | undefined;
  /**
   * Directory in a bpffs for maps that the object declares as pinned by name, /sys/fs/bpf by default. With null
   * none is looked for and none is pinned.
   */
  readonly pinPath?: string | null | undefined;
  /** Where programs attach whose sections do not say it, by the name of the program. */
  readonly targets?: Readonly<Record<string, AttachTarget>> | undefined;
  /** Types of the kernel that were read already, to be shared between objects. */
  readonly kernelTypes?: KernelTypes | undefined;
  /** Configuration values that go before the running kernel's own: lines `CONFIG_NAME=value`. */
  readonly kconfig?: string | undefined;
  /**
   * Refuse a program that needs a kernel field which is not there, before the verifier sees whether the access can
   * be reached. Off: programs may guard it by a test for existence.
   */
  readonly needsEveryField?: boolean | undefined;
  /** Called right after each map was made or opened. */
  readonly onMap?: ((map: BpfMap) => void) | undefined;
  /** Called right before each BPF_PROG_LOAD with exactly what it loads. */
  readonly admit?: Admit | undefined;
}
