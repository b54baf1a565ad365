import { Btf } from '../../bytecode/index.js';
import { VespidError } from '../../errors/index.js';
import { Attributes } from '../commands/attributes.js';
import { loadBtfBytes } from '../commands/btf-commands.js';
import { objectInfo } from '../commands/object-commands.js';
import { openAll, openById } from '../objects/object-id.js';
import { fixedString } from '../objects/object-info.js';
import { withWholeLog } from '../programs/kernel-log.js';
import { errnoName } from '../system/libc.js';
import { OwnedFd } from '../system/owned-fd.js';

/**
 * BPF_BTF_LOAD, with a log only if the kernel refuses.
 *
 * @param token delegated rights, in place of CAP_BPF (kernel 6.9)
 * @throws VespidError BTF_REFUSED with the kernel's log, KERNEL_PERMISSION
 */
export function loadBtf(btf: Uint8Array, token?: OwnedFd): OwnedFd {
  const first = loadBtfBytes(btf, undefined, token?.fd);
  if ('value' in first.result) return new OwnedFd(first.result.value);
  const { result, log } = withWholeLog((buffer) => loadBtfBytes(btf, buffer, token?.fd));
  if ('value' in result) return new OwnedFd(result.value);
  const name = errnoName(result.errno);
  if (log === '' && name === 'EPERM') {
    throw new VespidError('KERNEL_PERMISSION', "the kernel does not let this process load an object's BTF", {
      details: { command: 'BTF_LOAD', errno: result.errno, errnoName: name },
      hint: 'run as root or with CAP_BPF',
    });
  }
  const reason = log.split('\n').findLast((line) => line.trim() !== '');
  const because = reason === undefined ? '' : `: ${reason.trim()}`;
  throw new VespidError('BTF_REFUSED', `the kernel refused the object's BTF (${name})${because}`, {
    log,
    details: { errno: result.errno, errnoName: name },
  });
}

/** `struct bpf_btf_info` of include/uapi/linux/bpf.h. */
export interface BtfInfo {
  readonly id: number;
  readonly byteSize: number;
  /** `vmlinux`, the name of a module, or empty for BTF that was loaded by BPF_BTF_LOAD. */
  readonly name: string;
  /** Whether the kernel made it, of itself or of a module. */
  readonly isKernel: boolean;
}

const BTF_INFO_BYTES = 32;
/** MODULE_NAME_LEN of include/linux/module.h on 64-bit machines, 56, and room. */
const NAME_BYTES = 64;

/** @throws VespidError KERNEL_CALL_FAILED */
export function btfInfo(btf: OwnedFd): BtfInfo {
  const name = new Uint8Array(NAME_BYTES);
  const info = new Attributes(BTF_INFO_BYTES).pointer(16, name).u32(24, name.byteLength);
  objectInfo(btf.fd, info, 'BTF');
  return {
    byteSize: info.readU32(8),
    id: info.readU32(12),
    name: fixedString(name),
    isKernel: info.readU32(28) !== 0,
  };
}

/** The bytes of BTF that the kernel has; a module's are a split BTF over vmlinux. */
export function btfBytes(btf: OwnedFd): Uint8Array {
  const bytes = new Uint8Array(btfInfo(btf).byteSize);
  const info = new Attributes(BTF_INFO_BYTES).pointer(0, bytes).u32(8, bytes.byteLength);
  objectInfo(btf.fd, info, 'BTF');
  return bytes;
}

/**
 * The BTF of that id, parsed.
 *
 * @param base vmlinux, for a module's
 * @throws VespidError KERNEL_OBJECT_GONE, KERNEL_PERMISSION, BTF_MALFORMED
 */
export function readBtfById(id: number, base?: Btf): Btf {
  using btf = openById('BTF', id);
  return new Btf(btfBytes(btf), `BTF ${id} of the kernel`, base);
}

/** What BTF the kernel has, its own, its modules' and what programs brought. */
export function* listBtf(): Generator<BtfInfo> {
  for (const { fd } of openAll('BTF')) {
    using btf = fd;
    yield btfInfo(btf);
  }
}

/**
 * The object id of vmlinux BTF: what a program's `aux->attach_btf->id` is for a kernel target.
 *
 * @throws VespidError KERNEL_UNSUPPORTED
 */
export function findVmlinuxBtfId(): number {
  for (const { id, name, isKernel } of listBtf()) {
    if (isKernel && name === 'vmlinux') return id;
  }
  throw new VespidError('KERNEL_UNSUPPORTED', 'this kernel has no BTF of itself (CONFIG_DEBUG_INFO_BTF)');
}
