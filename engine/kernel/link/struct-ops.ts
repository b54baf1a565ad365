import { ATTACH_TYPE } from '../../bytecode/index.js';
import { VespidError } from '../../errors/index.js';
import { updateLink } from '../commands/link-commands.js';
import { BpfMap, MAP_FLAG } from '../maps/map.js';
import { u32Key } from '../maps/map-keys.js';
import { BpfLink } from './bpf-link.js';

/** A struct_ops that is registered: a congestion control, a scheduler class, a queueing discipline. */
export interface StructOpsRegistration extends Disposable {
  /** From Linux 6.4, for a map that was made for it (`.struct_ops.link`). */
  readonly link: BpfLink | undefined;
  /** Puts another map of the same struct in its place: link registrations, where the subsystem can. */
  update(map: BpfMap): void;
}

/**
 * Registers a struct_ops. `value` is the map's whole value, `struct bpf_struct_ops_NAME`, with program descriptors in
 * the places of the functions.
 *
 * @throws VespidError KERNEL_PERMISSION, KERNEL_CALL_FAILED
 */
export function registerStructOps(map: BpfMap, value: Uint8Array): StructOpsRegistration {
  map.update(u32Key(0), value);
  if ((map.definition.flags & MAP_FLAG.link) === 0) {
    // It stays registered when the map is closed, and only by a descriptor of the map can it be ended.
    const held = new BpfMap(map.duplicate().release(), map.definition);
    return {
      link: undefined,
      update() {
        throw new VespidError(
          'KERNEL_UNSUPPORTED',
          'only a struct_ops that is registered by a link can be updated',
          {
            hint: 'put it into the section .struct_ops.link (Linux 6.4)',
          },
        );
      },
      [Symbol.dispose]() {
        if (held.isOpen) held.delete(u32Key(0));
        held.close();
      },
    };
  }
  const subject = `struct_ops ${map.definition.name}`;
  const link = BpfLink.create({ fd: map.fd, target: 0, attachType: ATTACH_TYPE['struct-ops'] }, subject);
  return {
    link,
    update: (next) => updateLink(link.fd, next.fd, undefined, subject),
    [Symbol.dispose]: () => link.close(),
  };
}
