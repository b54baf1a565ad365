import { closeSync, openSync, readlinkSync } from 'node:fs';
import { MAP_TYPE } from '../../engine/bytecode/index.js';
import { attachTracing, BpfMap, ResourceStack, RingBuffer, u32Key } from '../../engine/kernel/index.js';
import { encodeConfig } from '../../engine/loader/constant-value.js';
import { loadObject, NO_GATE, type ObjectPlan } from '../../engine/loader/index.js';
import { CONFIG, MAP_NAME } from '../../lsm-hooks/index.js';
import { COUNTER_OFFSET, COUNTER_SECTION, countedObject } from './instruction-counter.js';

const RING_BYTES = 1024 * 1024;
/** `sys_exit(struct pt_regs *regs, long ret)`: the file descriptor that an open returns. */
const RESULT_OFFSET = 8;

/** Counts the BPF instructions that a file.open program on the tracepoint executes for opens of this thread. */
export class OpenInstructions implements Disposable {
  readonly #resources: ResourceStack;
  readonly #counter: BpfMap;
  readonly #ring: RingBuffer;
  #records = 0;

  constructor(plan: ObjectPlan) {
    using resources = new ResourceStack();
    const ringDefinition = { name: MAP_NAME.events, type: MAP_TYPE.ringbuf, keySize: 0, valueSize: 0 };
    const events = resources.use(BpfMap.create({ ...ringDefinition, maxEntries: RING_BYTES, flags: 0 }));
    const names = new Set(plan.programs.map(({ name }) => name));
    const counted = countedObject(plan.object, { contextOffset: RESULT_OFFSET, otherwise: 0 });
    const loaded = resources.use(
      loadObject(
        counted,
        counted.programs.filter(({ name }) => names.has(name)),
        {
          constants: { [CONFIG.name]: encodeConfig({ scope: undefined, cookie: 1 }) },
          sharedMaps: new Map([[MAP_NAME.events, events]]),
          admission: NO_GATE,
          needsEveryField: true,
        },
      ),
    );
    const counter = loaded.maps.get(COUNTER_SECTION);
    if (counter === undefined) throw new Error('the counted object has no counter');
    this.#counter = counter;
    this.#ring = resources.use(new RingBuffer(events, () => this.#records++, { poll: false }));
    for (const { program } of loaded.programs) resources.use(attachTracing(program));
    this.#resources = resources.move();
  }

  /** Opens a file for reading, and says what that cost and whether a rule matched. */
  measure(path: string): { readonly instructions: number; readonly matched: boolean } {
    const expectedFd = nextFd(path);
    this.#reset(expectedFd);
    this.#records = 0;
    const fd = openSync(path, 'r');
    const instructions = this.#executed();
    closeSync(fd);
    if (fd !== expectedFd) throw new Error(`the open gave descriptor ${fd}, not ${expectedFd}`);
    this.#ring.drain();
    return { instructions, matched: this.#records > 0 };
  }

  #reset(expectedFd: number): void {
    const value = new BigUint64Array(3);
    value[COUNTER_OFFSET.pidTgid / 8] = currentThread();
    value[COUNTER_OFFSET.contextValue / 8] = BigInt(expectedFd);
    this.#counter.update(u32Key(0), new Uint8Array(value.buffer));
  }

  #executed(): number {
    const value = new BigUint64Array(3);
    this.#counter.lookup(u32Key(0), new Uint8Array(value.buffer));
    return Number(value[COUNTER_OFFSET.executed / 8]);
  }

  [Symbol.dispose](): void {
    this.#resources[Symbol.dispose]();
  }
}

/** The lowest free descriptor is the one that the next open gets. */
function nextFd(path: string): number {
  const fd = openSync(path, 'r');
  closeSync(fd);
  return fd;
}

/** As bpf_get_current_pid_tgid() gives it: process in the upper half, thread in the lower. */
function currentThread(): bigint {
  const [tgid = '', , tid = ''] = readlinkSync('/proc/thread-self').split('/');
  return (BigInt(tgid) << 32n) | BigInt(tid);
}
