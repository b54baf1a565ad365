import { readFileSync } from 'node:fs';
import { Btf, type BtfKind } from '../../bytecode/index.js';
import { VespidError } from '../../errors/index.js';

const VMLINUX = '/sys/kernel/btf/vmlinux';

let opened: Btf | undefined;

/**
 * The running kernel's types, read at the first call and kept.
 *
 * @throws VespidError KERNEL_UNSUPPORTED when the kernel has none
 */
export function vmlinuxBtf(): Btf {
  if (opened === undefined) {
    let bytes: Uint8Array;
    try {
      bytes = readFileSync(VMLINUX);
    } catch (cause) {
      throw new VespidError('KERNEL_UNSUPPORTED', `this kernel does not describe its types: no ${VMLINUX}`, {
        cause,
        hint: 'use a kernel built with CONFIG_DEBUG_INFO_BTF (every distribution kernel since 2021)',
      });
    }
    opened = new Btf(bytes, VMLINUX);
  }
  return opened;
}

/**
 * The BTF type id of an attach target.
 *
 * @throws VespidError KERNEL_UNSUPPORTED when this kernel has no such function or tracepoint
 */
export function attachTargetId(target: { readonly kind: BtfKind; readonly name: string }): number {
  const [id] = vmlinuxBtf().idsByName(target.name, target.kind);
  if (id === undefined) {
    throw new VespidError('KERNEL_UNSUPPORTED', `this kernel has no attach target ${target.name}`, {
      details: { target: target.name },
    });
  }
  return id;
}
