import { VespidError } from '../errors/index.js';
import { Attributes } from './attributes.js';
import { bpf, tryBpf } from './bpf-command.js';
import { errnoName } from './libc.js';
import { OwnedFd } from './owned-fd.js';

/**
 * BPF_BTF_LOAD.
 *
 * @throws VespidError BTF_REFUSED with the kernel's log
 */
export function loadBtf(btf: Uint8Array): OwnedFd {
  const log = new Uint8Array(64 * 1024);
  const attributes = new Attributes(32).pointer(0, btf).u32(16, btf.byteLength);
  const result = tryBpf('BTF_LOAD', attributes);
  if ('value' in result) return new OwnedFd(result.value);
  const withLog = tryBpf('BTF_LOAD', attributes.pointer(8, log).u32(20, log.byteLength).u32(24, 1));
  if ('value' in withLog) return new OwnedFd(withLog.value);
  const text = new TextDecoder().decode(log.subarray(0, log.indexOf(0)));
  throw new VespidError('BTF_REFUSED', `the kernel refused the object's BTF: ${errnoName(withLog.errno)}`, {
    log: text,
    details: { errno: withLog.errno },
  });
}

/** `struct bpf_btf_info`: btf, btf_size, id, name, name_len, kernel_btf. */
const BTF_INFO_BYTES = 32;

/** The object id of vmlinux BTF: what a program's `aux->attach_btf->id` is for a kernel target. */
export function findVmlinuxBtfId(): number {
  for (let id = 0; ; ) {
    const next = new Attributes(12).u32(0, id);
    const found = tryBpf('BTF_GET_NEXT_ID', next);
    if (!('value' in found)) {
      throw new VespidError('KERNEL_UNSUPPORTED', 'this kernel has no BTF of itself (CONFIG_DEBUG_INFO_BTF)');
    }
    id = next.readU32(4);
    const opened = tryBpf('BTF_GET_FD_BY_ID', new Attributes(12).u32(0, id));
    if (!('value' in opened)) continue;
    using btf = new OwnedFd(opened.value);
    if (isVmlinux(btf)) return id;
  }
}

function isVmlinux(btf: OwnedFd): boolean {
  const name = new Uint8Array(16);
  const info = new Uint8Array(BTF_INFO_BYTES);
  const infoAttributes = new Attributes(BTF_INFO_BYTES).pointer(16, name).u32(24, name.byteLength);
  info.set(infoAttributes.bytes);
  bpf(
    'OBJ_GET_INFO_BY_FD',
    new Attributes(16).u32(0, btf.fd).u32(4, info.byteLength).pointer(8, info),
    'BTF',
  );
  const isKernel = new DataView(info.buffer).getUint32(28, true) !== 0;
  return isKernel && new TextDecoder().decode(name).startsWith('vmlinux\0');
}
