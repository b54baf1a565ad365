import { ATTACH_TYPE, PROGRAM_TYPE } from '../../bytecode/index.js';
import {
  attachIterator,
  attachRawTracepoint,
  attachReplacement,
  attachTracepoint,
  attachTracing,
  attachTracingWithCookie,
} from '../../kernel/index.js';
import type { LoadedProgram } from '../programs/loaded-program.js';
import type { AttachOptions } from './attach-options.js';
import { attachProbe } from './attach-probe.js';
import { attachToGivenTarget } from './attach-to-given-target.js';
import { cannotAttach } from './cannot-attach.js';

/**
 * Attaches a program where its section says, as libbpf's auto-attach does, and where `options` says for the kinds
 * whose sections name no place: cgroups, interfaces, namespaces, sockets, perf events.
 *
 * @returns the attachment: a `BpfLink` wherever the kernel has a link for the kind
 * @throws VespidError ATTACH_UNSUPPORTED saying what is missing, KERNEL_*
 */
export function attachLoaded(loaded: LoadedProgram, options: AttachOptions = {}): Disposable {
  switch (loaded.meaning.programType) {
    case PROGRAM_TYPE.lsm:
      if (loaded.meaning.attachType === ATTACH_TYPE['lsm-cgroup'])
        return attachToGivenTarget(loaded, options);
      return attachTarget(loaded, options);
    case PROGRAM_TYPE.tracing:
      if (loaded.meaning.attachType === ATTACH_TYPE['trace-iter']) {
        return attachIterator(loaded.program, options.iterator);
      }
      return attachTarget(loaded, options);
    case PROGRAM_TYPE.ext:
      return attachReplacement(loaded.program);
    case PROGRAM_TYPE['raw-tracepoint']:
    case PROGRAM_TYPE['raw-tracepoint-writable']:
      return attachRawTracepoint(loaded.program, targetOf(loaded, options), cookieOf(options));
    case PROGRAM_TYPE.tracepoint:
      return attachToTracepoint(loaded, options);
    case PROGRAM_TYPE.kprobe:
      return attachProbe(loaded, targetOf(loaded, options), options);
    default:
      return attachToGivenTarget(loaded, options);
  }
}

/** What the program was loaded for: a function, an LSM hook, a BTF tracepoint. */
function attachTarget({ program, meaning }: LoadedProgram, { cookie }: AttachOptions): Disposable {
  return cookie === undefined
    ? attachTracing(program)
    : attachTracingWithCookie(program, meaning.attachType, cookie);
}

/** `category/name`, as in /sys/kernel/tracing/events. */
function attachToTracepoint(loaded: LoadedProgram, options: AttachOptions): Disposable {
  const target = targetOf(loaded, options);
  const [category = '', name = '', ...rest] = target.split('/');
  if (name === '' || rest.length > 0) {
    throw cannotAttach(loaded, `${target} is no tracepoint`, 'write SEC("tracepoint/category/name")');
  }
  return attachTracepoint(loaded.program, category, name, cookieOf(options));
}

function targetOf(loaded: LoadedProgram, options: AttachOptions): string {
  const target = options.target ?? loaded.targetName;
  if (target !== null) return target;
  throw cannotAttach(loaded, 'its section names no target', 'give `target` in the options of attach');
}

function cookieOf({ cookie }: AttachOptions): { readonly cookie?: bigint } {
  return cookie === undefined ? {} : { cookie };
}
