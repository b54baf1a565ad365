import type { SystemCallResult } from '../system/libc.js';
import { BTF_LOAD } from './attribute-layout.js';
import { Attributes } from './attributes.js';
import { tryBpf } from './bpf-command.js';

/** BPF_F_TOKEN_FD of include/uapi/linux/bpf.h. */
export const TOKEN_FD_FLAG = 1 << 16;

export interface BtfLoadResult {
  readonly result: SystemCallResult;
  /** Bytes that the whole log has, with its NUL: kernel 6.4 and later; 0 if not said. */
  readonly logTrueSize: number;
}

/** BPF_BTF_LOAD; the value is the new descriptor. */
export function loadBtfBytes(
  btf: Uint8Array,
  log: Uint8Array | undefined,
  tokenFd: number | undefined,
): BtfLoadResult {
  const attributes = new Attributes(40)
    .pointer(BTF_LOAD.btf, btf)
    .u32(BTF_LOAD.btf_size, btf.byteLength)
    .u32(BTF_LOAD.btf_flags, tokenFd === undefined ? 0 : TOKEN_FD_FLAG)
    .i32(BTF_LOAD.btf_token_fd, tokenFd ?? 0);
  if (log !== undefined) {
    attributes
      .pointer(BTF_LOAD.btf_log_buf, log)
      .u32(BTF_LOAD.btf_log_size, log.byteLength)
      .u32(BTF_LOAD.btf_log_level, 1);
  }
  const result = tryBpf('BTF_LOAD', attributes);
  return { result, logTrueSize: attributes.readU32(BTF_LOAD.btf_log_true_size) };
}
