import type { Attributes } from '../commands/attributes.js';
import { createLink, detachLink, type LinkCreateAttributes, updateLink } from '../commands/link-commands.js';
import { openById } from '../objects/object-id.js';
import { openPinned, pin } from '../objects/object-pin.js';
import type { BpfProgram } from '../programs/program.js';
import { OwnedFd } from '../system/owned-fd.js';
import { type LinkInfo, readLinkInfo } from './link-info.js';

/** What is attached, and ends with its owner: a link, or where the kernel has none, its older counterpart. */
export interface Attachment extends Disposable {
  /**
   * Puts another program in the place of this one, without a moment between the two.
   *
   * @throws VespidError KERNEL_CALL_FAILED where the kernel cannot do that for this kind
   */
  update(program: BpfProgram): void;
}

/** A BPF link: the program stays attached for as long as a descriptor or a pin of the link is there. */
export class BpfLink extends OwnedFd implements Attachment {
  /**
   * BPF_LINK_CREATE.
   *
   * @param subject what is attached, for the message
   * @param family writes the fields of one family
   * @throws VespidError KERNEL_PERMISSION, KERNEL_CALL_FAILED
   */
  static create(
    create: Omit<LinkCreateAttributes, 'flags'> & { readonly flags?: number },
    subject: string,
    family?: (attributes: Attributes) => void,
  ): BpfLink {
    return new BpfLink(createLink({ flags: 0, ...create }, subject, family));
  }

  /** @throws VespidError PIN_NOT_FOUND, PIN_MISMATCH, KERNEL_PERMISSION */
  static openPinned(path: string): BpfLink {
    using opened = openPinned(path, 'link');
    return new BpfLink(opened.release());
  }

  /** @throws VespidError KERNEL_OBJECT_GONE, KERNEL_PERMISSION */
  static openById(id: number): BpfLink {
    using opened = openById('LINK', id);
    return new BpfLink(opened.release());
  }

  /** Gives the link a name in a BPF file system: the attachment outlives this process. */
  pin(path: string): void {
    pin(this.fd, path, 'a link');
  }

  /**
   * BPF_LINK_UPDATE: cgroup, XDP, tcx, netkit, iterators and network namespaces have it.
   *
   * @param expected the program that must be attached now; without it any may be
   */
  update(program: BpfProgram, expected?: BpfProgram): void {
    updateLink(this.fd, program.fd, expected?.fd, 'a link');
  }

  /** BPF_LINK_DETACH: takes the program off while the link stays; for the kinds that {@link update} has, but iterators. */
  detach(): void {
    detachLink(this.fd, 'a link');
  }

  info(): LinkInfo {
    return readLinkInfo(this.fd);
  }
}
