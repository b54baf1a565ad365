import { readSync } from 'node:fs';
import { ATTACH_TYPE } from '../../bytecode/index.js';
import { hasSystemCode } from '../../errors/index.js';
import { LINK_CREATE_FAMILY } from '../commands/attribute-layout.js';
import { Attributes } from '../commands/attributes.js';
import { createIterator } from '../commands/link-commands.js';
import type { BpfMap } from '../maps/map.js';
import type { BpfProgram } from '../programs/program.js';
import { OwnedFd } from '../system/owned-fd.js';
import { BpfLink } from './bpf-link.js';

/** enum bpf_cgroup_iter_order */
const CGROUP_ORDER = { self: 1, 'descendants-first': 2, 'descendants-last': 3, ancestors: 4 } as const;

/** What an iterator walks, where its kind can be narrowed: `union bpf_iter_link_info`. */
export type IteratorScope =
  | { readonly map: BpfMap }
  | { readonly cgroup: { readonly fd: number }; readonly order: keyof typeof CGROUP_ORDER }
  | { readonly threadId: number }
  | { readonly processId: number };

/** Bytes of `union bpf_iter_link_info`. */
const SCOPE_BYTES = 16;

/**
 * Makes a link of an iterator, which runs when it is read: {@link readIterator}, or by the path of a pin.
 *
 * @throws VespidError KERNEL_PERMISSION, KERNEL_CALL_FAILED
 */
export function attachIterator(program: BpfProgram, scope?: IteratorScope): BpfLink {
  return BpfLink.create(
    { fd: program.fd, target: 0, attachType: ATTACH_TYPE['trace-iter'] },
    'an iterator',
    (attributes) => {
      if (scope === undefined) return;
      attributes
        .pointer(LINK_CREATE_FAMILY.iter_info, scopeBytes(scope))
        .u32(LINK_CREATE_FAMILY.iter_info_len, SCOPE_BYTES);
    },
  );
}

function scopeBytes(scope: IteratorScope): Uint8Array {
  const info = new Attributes(SCOPE_BYTES);
  if ('map' in scope) info.u32(0, scope.map.fd);
  else if ('cgroup' in scope) info.u32(0, CGROUP_ORDER[scope.order]).u32(4, scope.cgroup.fd);
  else if ('threadId' in scope) info.u32(0, scope.threadId);
  else info.u32(4, scope.processId);
  return info.bytes;
}

const CHUNK_BYTES = 64 * 1024;

/** Runs an iterator from its start to its end (BPF_ITER_CREATE) and gives all that the program wrote. */
export function readIterator(link: BpfLink): Uint8Array {
  using iterator = new OwnedFd(createIterator(link.fd, 'an iterator'));
  const chunks: Uint8Array[] = [];
  for (;;) {
    const chunk = new Uint8Array(CHUNK_BYTES);
    const byteLength = readSome(iterator.fd, chunk);
    if (byteLength === 0) return Buffer.concat(chunks);
    chunks.push(chunk.subarray(0, byteLength));
  }
}

/** EAGAIN: the kernel stopped after a million objects without output, to let others run. */
function readSome(fd: number, chunk: Uint8Array): number {
  for (;;) {
    try {
      return readSync(fd, chunk);
    } catch (error) {
      if (!hasSystemCode(error, 'EAGAIN')) throw error;
    }
  }
}
