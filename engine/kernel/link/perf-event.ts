import { ATTACH_TYPE } from '../../bytecode/index.js';
import { VespidError } from '../../errors/index.js';
import { LINK_CREATE_FAMILY } from '../commands/attribute-layout.js';
import type { BpfProgram } from '../programs/program.js';
import {
  enablePerfEvent,
  openPerfEvent,
  type PerfEventConfig,
  type PerfEventScope,
  setPerfEventProgram,
} from '../records/perf-event.js';
import type { OwnedFd } from '../system/owned-fd.js';
import { BpfLink } from './bpf-link.js';
import type { LinkInfo } from './link-info.js';
import { isRefusedWith } from './refused-with.js';

export interface PerfLinkOptions {
  /** What `bpf_get_attach_cookie` gives to the program; needs Linux 5.15. */
  readonly cookie?: bigint;
}

/** The program on a perf event before Linux 5.15, which has no link for it: attached while the event is open. */
class PerfEventAttachment extends BpfLink {
  override pin(): void {
    throw noLink();
  }

  override update(): void {
    throw noLink();
  }

  override detach(): void {
    this.close();
  }

  override info(): LinkInfo {
    throw noLink();
  }
}

function noLink(): VespidError {
  return new VespidError('KERNEL_UNSUPPORTED', 'this kernel has no link for a perf event', {
    hint: 'pin, update and info of kprobes, uprobes, tracepoints and perf events need Linux 5.15',
  });
}

/**
 * Attaches a program to a perf event and starts it. The event becomes the link's.
 *
 * @throws VespidError KERNEL_PERMISSION, KERNEL_CALL_FAILED
 */
export function attachToPerfEvent(
  program: BpfProgram,
  event: OwnedFd,
  options: PerfLinkOptions,
  subject: string,
): BpfLink {
  // A link keeps the event for itself; without one, the attachment has taken the descriptor over.
  using opened = event;
  const link = createLink(program, opened, options, subject);
  try {
    enablePerfEvent(link instanceof PerfEventAttachment ? link : opened);
    return link;
  } catch (error) {
    link.close();
    throw error;
  }
}

function createLink(
  program: BpfProgram,
  event: OwnedFd,
  { cookie }: PerfLinkOptions,
  subject: string,
): BpfLink {
  try {
    return BpfLink.create(
      { fd: program.fd, target: event.fd, attachType: ATTACH_TYPE['perf-event'] },
      subject,
      (attributes) => void attributes.u64(LINK_CREATE_FAMILY['perf_event.bpf_cookie'], cookie ?? 0n),
    );
  } catch (error) {
    if (cookie !== undefined || !isRefusedWith(error, 'EINVAL')) throw error;
    setPerfEventProgram(event, program.fd);
    return new PerfEventAttachment(event.release());
  }
}

/**
 * Runs a program of type perf_event at every sample of an event, of a thread or of a CPU.
 *
 * @throws VespidError KERNEL_PERMISSION, KERNEL_CALL_FAILED
 */
export function attachPerfEvent(
  program: BpfProgram,
  event: PerfEventConfig,
  scope: PerfEventScope,
  options: PerfLinkOptions = {},
): BpfLink {
  const subject = `perf event ${event.type}:${event.config}`;
  return attachToPerfEvent(program, openPerfEvent(event, scope, subject), options, subject);
}
