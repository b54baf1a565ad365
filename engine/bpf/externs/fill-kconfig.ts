import type { KconfigExtern, ObjectFile } from '../../bytecode/index.js';
import { kernelSymbolAddress } from '../../kernel/index.js';
import type { SelectedProgram } from '../selection.js';
import { externUnresolved } from './extern-unresolved.js';
import { writeKconfigNumber, writeKconfigText } from './kconfig-values.js';
import {
  type KernelConfig,
  kernelConfigPaths,
  parseKernelConfig,
  readKernelConfig,
} from './kernel-config.js';
import { kernelVersionCode } from './kernel-version.js';

/** What the loader knows of a kernel without its configuration, by the names that libbpf gave these values. */
export type VirtualValues = Readonly<Record<string, () => bigint>>;

/** The bytes of an object's `.kconfig` section for one kernel. */
export interface FilledKconfig {
  readonly bytes: Uint8Array;
  /** Values that are not weak and were not found: reading one is a mistake, having one in the object is none. */
  readonly missing: readonly { readonly extern: KconfigExtern; readonly reason: string }[];
}

/**
 * Fills in the configuration values that an object names. The file of the running kernel is read only if one of
 * them is in neither `overrides` nor `virtual`.
 *
 * @param overrides text of the form of such a file; it goes first
 * @throws VespidError EXTERN_MISMATCH when a value does not fit the type that the object gives it
 */
export function fillKconfig(
  object: ObjectFile,
  virtual: VirtualValues,
  overrides: string,
  readConfig: () => KernelConfig | undefined = readKernelConfig,
): FilledKconfig {
  const bytes = new Uint8Array(object.kconfigByteSize);
  const missing: FilledKconfig['missing'][number][] = [];
  const given = parseKernelConfig(overrides);
  let config: KernelConfig | undefined;
  let isRead = false;
  const ofKernel = (name: string): string | undefined => {
    if (!isRead) config = readConfig();
    isRead = true;
    return config?.get(name);
  };
  for (const extern of object.externs) {
    if (extern.kind !== 'kconfig') continue;
    const known = Object.hasOwn(virtual, extern.name) ? virtual[extern.name] : undefined;
    if (known !== undefined) {
      writeKconfigNumber(bytes, extern, known());
      continue;
    }
    const isOption = extern.name.startsWith('CONFIG_');
    const text = isOption ? (given.get(extern.name) ?? ofKernel(extern.name)) : undefined;
    if (text !== undefined) writeKconfigText(bytes, extern, text);
    else if (!extern.isWeak) missing.push({ extern, reason: reasonFor(isOption, config !== undefined) });
  }
  return { bytes, missing };
}

/** What libbpf gives values of these names (`bpf_object__resolve_externs`). */
const VIRTUAL: VirtualValues = {
  LINUX_KERNEL_VERSION: () => BigInt(kernelVersionCode()),
  LINUX_HAS_BPF_COOKIE: () => (hasBpfCookie() ? 1n : 0n),
  LINUX_HAS_SYSCALL_WRAPPER: () => (hasSyscallWrapper() ? 1n : 0n),
};

/** `bpf_get_attach_cookie` (kernel 5.15) came with this function of the kernel. */
function hasBpfCookie(): boolean {
  return kernelSymbolAddress('bpf_get_attach_cookie_trace') !== undefined;
}

/** Whether system calls are functions `__x64_sys_…`, `__arm64_sys_…` that take the registers. */
function hasSyscallWrapper(): boolean {
  const prefix = process.arch === 'arm64' ? '__arm64' : '__x64';
  return kernelSymbolAddress(`${prefix}_sys_bpf`) !== undefined;
}

/**
 * The bytes of the `.kconfig` section for the running kernel.
 *
 * @throws VespidError EXTERN_UNRESOLVED when one of the programs reads a value that is not there, EXTERN_MISMATCH
 */
export function fillKconfigOfKernel(
  object: ObjectFile,
  programs: readonly SelectedProgram[],
  overrides: string,
): Uint8Array {
  const { bytes, missing } = fillKconfig(object, VIRTUAL, overrides);
  for (const { extern, reason } of missing) {
    for (const { linked } of programs) {
      const use = linked.kconfigReferences.find(({ byteOffset }) => byteOffset === extern.byteOffset);
      if (use !== undefined) throw externUnresolved(linked, use.slotIndex, extern.name, reason);
    }
  }
  return bytes;
}

function reasonFor(isOption: boolean, hasConfig: boolean): string {
  if (!isOption) return 'it is no option (CONFIG_…), and no value that a loader knows';
  if (hasConfig) return "the kernel's configuration does not set it";
  return `no configuration of this kernel was found (${kernelConfigPaths().join(', ')})`;
}
