import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { BtfBuilder, MAP_TYPE, type MapDefinition, PROGRAM_TYPE } from '../../engine/bytecode/index.js';
import { EXIT, encodeSlots, type RawSlot, setR0 } from '../../engine/kernel/features/probe-program.js';
import {
  BpfMap,
  BpfProgram,
  loadBtf,
  MAP_FLAG,
  openAll,
  ResourceStack,
  u32Key,
  unpin,
} from '../../engine/kernel/index.js';
import { mapInfo } from '../../engine/kernel/objects/object-info.js';
import { programInfo } from '../../engine/kernel/programs/program-info.js';
import { thrownBy } from '../policies/policy-text.js';

const LOADS = 1000;
/** Of this run alone: others may load things meanwhile. */
const NAME = `leak_${process.pid}`;

const MAP: MapDefinition = {
  name: NAME,
  type: MAP_TYPE.array,
  keySize: 4,
  valueSize: 4,
  maxEntries: 1,
  flags: MAP_FLAG.mappable,
};

const goodBtf = () => {
  const builder = new BtfBuilder();
  builder.add({ kind: 'float', name: 'double', byteSize: 8 });
  return builder.build();
};
const cutBtf = () => goodBtf().subarray(0, -1);
const program = (slots: readonly RawSlot[]) => ({
  name: NAME,
  type: PROGRAM_TYPE['socket-filter'],
  expectedAttachType: 0,
  attachBtfId: 0,
  license: 'GPL',
  instructions: encodeSlots(slots),
  sleepable: false,
  btf: undefined,
  functionInfo: [],
});
const accepted = program([setR0(0), EXIT]);
const refused = program([[0xbf, 0, 6, 0, 0], EXIT]);

/** The steps of a load of an object, each of which makes something: the last one fails. */
const STEPS: readonly {
  readonly name: string;
  readonly code: string;
  readonly load: (made: ResourceStack) => void;
}[] = [
  {
    name: 'types that the kernel refuses',
    code: 'BTF_REFUSED',
    load: () => void loadBtf(cutBtf()),
  },
  {
    name: 'a second map that the kernel refuses',
    code: 'KERNEL_CALL_FAILED',
    load: (made) => {
      made.use(loadBtf(goodBtf()));
      made.use(BpfMap.create(MAP));
      made.use(BpfMap.create({ ...MAP, maxEntries: 0 }));
    },
  },
  {
    name: 'a value of the wrong size for a map that is mapped',
    code: 'MAP_ELEMENT_SIZE',
    load: (made) => {
      const map = made.use(BpfMap.create(MAP));
      made.use(map.mapMemory());
      map.update(u32Key(0), new Uint8Array(5));
    },
  },
  {
    name: 'a second program that the verifier refuses',
    code: 'PROGRAM_REFUSED',
    load: (made) => {
      const map = made.use(BpfMap.create(MAP));
      const first = made.use(BpfProgram.load(accepted));
      first.bind(map);
      made.use(BpfProgram.load(refused));
    },
  },
  {
    name: 'a pinned map of another form',
    code: 'PIN_MISMATCH',
    load: (made) => {
      const path = `/sys/fs/bpf/vespid-${NAME}`;
      made.use({ [Symbol.dispose]: () => void unpin(path) });
      made.use(BpfMap.create(MAP)).pin(path);
      made.use(BpfMap.openPinned(path, { ...MAP, valueSize: 8 }));
    },
  },
  {
    name: 'a pinned map where a program is expected',
    code: 'PIN_MISMATCH',
    load: (made) => {
      const path = `/sys/fs/bpf/vespid-${NAME}`;
      made.use({ [Symbol.dispose]: () => void unpin(path) });
      made.use(BpfMap.create(MAP)).pin(path);
      made.use(BpfProgram.openPinned(path));
    },
  },
];

interface Holdings {
  readonly descriptors: number;
  readonly mappings: number;
  readonly maps: number;
  readonly programs: number;
}

/** What this process holds, and what the kernel has by the name of this run, whoever holds it. */
function holdings(): Holdings {
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    mappings: readFileSync('/proc/self/maps', 'utf8')
      .split('\n')
      .filter((line) => line.includes('bpf-map')).length,
    maps: countNamed('MAP'),
    programs: countNamed('PROG'),
  };
}

function countNamed(family: 'MAP' | 'PROG'): number {
  let count = 0;
  for (const opened of openAll(family)) {
    using fd = opened.fd;
    const { name } = family === 'MAP' ? mapInfo(fd.fd, 'a map') : programInfo(fd, 'a program');
    if (name === NAME) count++;
  }
  return count;
}

describe(`${LOADS} loads that fail leave nothing behind`, () => {
  test.each(STEPS)('at $name', { timeout: 120_000 }, async ({ code, load }) => {
    const failing = () => {
      using made = new ResourceStack();
      load(made);
    };
    // Once for what is made only once: the C library, buffers of Node's own.
    expect(thrownBy(failing).code).toBe(code);
    const before = await settled();
    expect(before).toMatchObject({ maps: 0, programs: 0, mappings: 0 });
    for (let count = 0; count < LOADS; count++) thrownBy(failing);
    expect(await settled()).toEqual(before);
  });
});

/** The kernel frees maps and programs some time after their last descriptor is closed. */
async function settled(): Promise<Holdings> {
  for (let waits = 0; ; waits++) {
    const now = holdings();
    if ((now.maps === 0 && now.programs === 0) || waits === 100) return now;
    await sleep(50);
  }
}

test('the count sees what is held', () => {
  using map = BpfMap.create(MAP);
  using _memory = map.mapMemory();
  using _program = BpfProgram.load(accepted);
  expect(holdings()).toMatchObject({ maps: 1, programs: 1, mappings: 1 });
});
