import type { BpfMap } from '../../kernel/index.js';
import type { LoadedProgram } from '../programs/loaded-program.js';
import { type PlannedStructOps, structOpsValue, usesLink } from './struct-ops-map.js';

/** A struct_ops variable in the kernel, with its programs loaded; {@link attachStructOps} registers it. */
export class LoadedStructOps {
  readonly name: string;
  /** Of the kernel: `tcp_congestion_ops`. */
  readonly typeName: string;
  /** The map's only value: the kernel's struct with the descriptors of its programs. */
  readonly value: Uint8Array;

  constructor(
    planned: PlannedStructOps,
    readonly map: BpfMap,
    programs: readonly LoadedProgram[],
  ) {
    this.name = planned.declared.name;
    this.typeName = planned.declared.typeName;
    const fds = new Map(programs.map(({ name, program }) => [name, program.fd]));
    this.value = structOpsValue(planned, ({ name }) => fds.get(name));
  }

  /** Whether the kernel registers it by a link (kernel 6.4), and not by the map's element. */
  get isLink(): boolean {
    return usesLink(this.map);
  }
}
