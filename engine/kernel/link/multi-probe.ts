import { ATTACH_TYPE } from '../../bytecode/index.js';
import { VespidError } from '../../errors/index.js';
import { LINK_CREATE_FAMILY } from '../commands/attribute-layout.js';
import { cString } from '../commands/attributes.js';
import type { BpfProgram } from '../programs/program.js';
import { addressOf } from '../system/libc.js';
import { BpfLink } from './bpf-link.js';
import { functionOffsets } from './executable-symbols.js';

/** Many functions at once: all are probed, or none. */
export interface MultiProbeOptions {
  readonly isReturn?: boolean;
  /** What `bpf_get_attach_cookie` gives at each place, in the order of the places. */
  readonly cookies?: readonly bigint[];
  /** The program was loaded for a session: it runs at entry and return (Linux 6.12; uprobes 6.13). */
  readonly isSession?: boolean;
}

/** BPF_F_KPROBE_MULTI_RETURN and BPF_F_UPROBE_MULTI_RETURN. */
const RETURN = 1;

/**
 * Attaches a program to many kernel functions by name or address through fprobe: needs Linux 5.18, and a program
 * that was loaded for kprobe.multi.
 *
 * @throws VespidError ATTACH_INVALID, KERNEL_PERMISSION, KERNEL_CALL_FAILED (ESRCH: a function that is not there)
 */
export function attachKprobeMulti(
  program: BpfProgram,
  targets: { readonly functions: readonly string[] } | { readonly addresses: readonly bigint[] },
  options: MultiProbeOptions = {},
): BpfLink {
  const count = 'functions' in targets ? targets.functions.length : targets.addresses.length;
  const cookies = cookieArray(options, count);
  // The strings must live until the call is over; the table of pointers does not hold them.
  const names = 'functions' in targets ? targets.functions.map(cString) : [];
  const addresses = u64Array('addresses' in targets ? targets.addresses : []);
  const link = BpfLink.create(
    {
      fd: program.fd,
      target: 0,
      attachType: ATTACH_TYPE[options.isSession === true ? 'trace-kprobe-session' : 'trace-kprobe-multi'],
    },
    `kprobes on ${count} functions`,
    (attributes) => {
      attributes
        .u32(LINK_CREATE_FAMILY['kprobe_multi.flags'], options.isReturn === true ? RETURN : 0)
        .u32(LINK_CREATE_FAMILY['kprobe_multi.cnt'], count)
        .pointer(LINK_CREATE_FAMILY['kprobe_multi.syms'], u64Array(names.map(addressOf)))
        .pointer(LINK_CREATE_FAMILY['kprobe_multi.addrs'], addresses)
        .pointer(LINK_CREATE_FAMILY['kprobe_multi.cookies'], cookies);
    },
  );
  names.length = 0;
  return link;
}

export type UprobeMultiTarget = { readonly path: string } & (
  | { readonly functions: readonly string[] }
  | { readonly fileOffsets: readonly bigint[] }
);

export interface UprobeMultiOptions extends MultiProbeOptions {
  readonly pid?: number;
  readonly referenceCounterOffsets?: readonly bigint[];
}

/**
 * Attaches a program to many places of one executable: needs Linux 6.6, and a program that was loaded for
 * uprobe.multi.
 *
 * @throws VespidError ATTACH_INVALID, SYMBOL_NOT_FOUND, EXECUTABLE_MALFORMED, KERNEL_PERMISSION, KERNEL_CALL_FAILED
 */
export function attachUprobeMulti(
  program: BpfProgram,
  target: UprobeMultiTarget,
  options: UprobeMultiOptions = {},
): BpfLink {
  const offsets =
    'fileOffsets' in target ? target.fileOffsets : functionOffsets(target.path, target.functions);
  const cookies = cookieArray(options, offsets.length);
  const referenceCounters = u64Array(options.referenceCounterOffsets ?? []);
  return BpfLink.create(
    {
      fd: program.fd,
      target: 0,
      attachType: ATTACH_TYPE[options.isSession === true ? 'trace-uprobe-session' : 'trace-uprobe-multi'],
    },
    `uprobes on ${offsets.length} places of ${target.path}`,
    (attributes) => {
      attributes
        .pointer(LINK_CREATE_FAMILY['uprobe_multi.path'], cString(target.path))
        .pointer(LINK_CREATE_FAMILY['uprobe_multi.offsets'], u64Array(offsets))
        .pointer(LINK_CREATE_FAMILY['uprobe_multi.ref_ctr_offsets'], referenceCounters)
        .pointer(LINK_CREATE_FAMILY['uprobe_multi.cookies'], cookies)
        .u32(LINK_CREATE_FAMILY['uprobe_multi.cnt'], offsets.length)
        .u32(LINK_CREATE_FAMILY['uprobe_multi.flags'], options.isReturn === true ? RETURN : 0)
        .u32(LINK_CREATE_FAMILY['uprobe_multi.pid'], options.pid ?? 0);
    },
  );
}

function cookieArray({ cookies = [] }: MultiProbeOptions, count: number): Uint8Array {
  if (cookies.length !== 0 && cookies.length !== count) {
    throw new VespidError(
      'ATTACH_INVALID',
      `expected a cookie for each of ${count} places, got ${cookies.length}`,
    );
  }
  return u64Array(cookies);
}

/** Empty gives the null pointer: an array that is left out. */
function u64Array(values: readonly bigint[]): Uint8Array {
  return new Uint8Array(new BigUint64Array(values).buffer);
}
