import { createHash } from 'node:crypto';
import {
  encodeTicket,
  encodeTicketFacts,
  GATE_CONFIG,
  GATE_PROGRAMS,
  GUARDED_MAP,
  gateObject,
  MAP_NAME,
  TICKETS_MAP,
  type TicketFacts,
} from '../../lsm-hooks/index.js';
import { MAP_TYPE, programNamed, readObject, writeObject } from '../bytecode/index.js';
import { VespidError } from '../errors/index.js';
import {
  BpfMap,
  bootTimeNs,
  isInitialNamespace,
  type KernelFeatures,
  ResourceStack,
  u32Key,
} from '../kernel/index.js';
import { type Admission, NO_GATE } from './admission.js';
import { attachProgram } from './attach.js';
import { encodeConfig, encodeConstant } from './constant-value.js';
import { type ConstantValues, loadObject } from './load-object.js';

/** enforce: unsigned loads get EPERM; audit: they are reported only. */
export type GateMode = 'enforce' | 'audit';

/** How long a ticket waits for its load: the load is the very next system call of this process. */
const TICKET_LIFETIME_NS = 5_000_000_000n;

/** Records of the gate carry this cookie; those of objects count from 1. */
export const GATE_COOKIE = 0;

/**
 * The gate in the kernel, from its load to its release. While it stands, the kernel loads no BPF program that was
 * not announced with {@link Gate.admit} by this process.
 */
export class Gate implements Admission, Disposable {
  private constructor(
    readonly mode: GateMode,
    private readonly tickets: BpfMap,
    private readonly guardMap: (map: BpfMap) => void,
    readonly counters: BpfMap,
    private readonly links: ResourceStack,
    private readonly resources: ResourceStack,
  ) {}

  /**
   * Loads the gate's programs and attaches them.
   *
   * @param events the ring buffer for its reports
   * @throws VespidError GATE_UNSUPPORTED, PROGRAM_REFUSED, KERNEL_*
   */
  static raise(mode: GateMode, events: BpfMap, features: KernelFeatures): Gate {
    if (features.gate !== 'before-verifier') {
      throw new VespidError(
        'GATE_UNSUPPORTED',
        `the gate cannot stand before the verifier on kernel ${features.release}`,
        {
          hint:
            features.gate === 'after-verifier'
              ? 'the hook bpf_prog_load came with kernel 6.9; run without --gate, or update the kernel'
              : `BPF LSM programs cannot be attached (${features.bpfLsm.reason}); run without --gate`,
          details: { gate: features.gate, release: features.release },
        },
      );
    }
    if (!isInitialNamespace('pid')) {
      throw new VespidError(
        'GATE_UNSUPPORTED',
        'the gate knows the agent by its process id, and here that is one of a container',
        { hint: "run the agent in the host's pid namespace (hostPID: true, --pid=host)" },
      );
    }
    using resources = new ResourceStack();
    const links = new ResourceStack();
    const object = readObject(writeObject(gateObject()), 'gate.bpf.o');
    const guarded = resources.use(BpfMap.create({ ...GUARDED_MAP, type: MAP_TYPE.hash, flags: 0 }));
    const guard = (map: BpfMap) => guarded.update(u32Key(map.id()), u32Key(1));
    const load = (program: string, sharedMaps: ReadonlyMap<string, BpfMap>) => {
      const loaded = resources.use(
        loadObject(object, [programNamed(object, program)], {
          constants: gateConstants(mode),
          sharedMaps: new Map([...sharedMaps, [GUARDED_MAP.name, guarded]]),
          admission: NO_GATE,
          needsEveryField: true,
          onMap: guard,
        }),
      );
      for (const each of loaded.programs) resources.use(links.use(attachProgram(each, undefined)));
      return loaded;
    };
    // What keeps others from the maps stands first; every map is guarded as soon as it exists.
    guard(guarded);
    guard(events);
    load(GATE_PROGRAMS.map, new Map());
    const tickets = resources.use(BpfMap.create({ ...TICKETS_MAP, type: MAP_TYPE.hash, flags: 0 }));
    guard(tickets);
    const shared = new Map([
      [MAP_NAME.events, events],
      [TICKETS_MAP.name, tickets],
    ]);
    const counters = load(GATE_PROGRAMS.load, shared).maps.get(MAP_NAME.counters);
    if (counters === undefined) throw new VespidError('INTERNAL', 'the gate has no counters');
    return new Gate(mode, tickets, guard, counters, links, resources.move());
  }

  /** From now on only this process may open the map. */
  guard(map: BpfMap): void {
    this.guardMap(map);
  }

  /** Detaches: from here on the kernel asks the gate no more. What it counted can still be read. */
  lower(): void {
    this.links[Symbol.dispose]();
  }

  /** Places the ticket for one load: these facts, these instructions, this process, the next five seconds. */
  admit(facts: TicketFacts, instructions: Uint8Array): void {
    const digest = createHash('sha256').update(encodeTicketFacts(facts)).update(instructions).digest();
    this.tickets.update(
      digest,
      encodeTicket({ loaderPid: process.pid, expiresNs: bootTimeNs() + TICKET_LIFETIME_NS }),
    );
  }

  [Symbol.dispose](): void {
    this.resources[Symbol.dispose]();
  }
}

function gateConstants(mode: GateMode): ConstantValues {
  return {
    vespid_config: encodeConfig({ scope: undefined, cookie: GATE_COOKIE }),
    [GATE_CONFIG.name]: encodeConstant(GATE_CONFIG, {
      enforce: mode === 'enforce' ? 1n : 0n,
      owner_pid: BigInt(process.pid),
    }),
  };
}
