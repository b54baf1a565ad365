import { MAP_TYPE, PROGRAM_TYPE } from '../../bytecode/index.js';
import { MAP_FLAG } from '../maps/map.js';
import type { FeatureProbe } from './feature.js';
import { createProbeMap } from './map-types.js';
import { EXIT, encodeSlots, type RawSlot, setR0, tryLoad } from './probe-program.js';

/** BPF_MAXINSNS: what a program could have before kernel 5.2. */
const OLD_LIMIT = 4096;

/** Where the arena would be in user space: the verifier wants to know, the probe never maps it. */
const ARENA_ADDRESS = 1n << 44n;

/** Extensions of the instruction set, by a program that each of them is needed for. */
const EXTENSIONS: readonly {
  readonly name: string;
  readonly since: string;
  readonly slots: readonly RawSlot[];
}[] = [
  { name: 'v2-jumps', since: '4.14', slots: [setR0(0), [0xa5, 0, 0, 0, 1], EXIT] },
  { name: 'v3-32-bit-jumps', since: '5.1', slots: [setR0(0), [0x16, 0, 0, 0, 1], EXIT] },
  {
    name: 'more-than-4096',
    since: '5.2',
    slots: [...Array.from({ length: OLD_LIMIT }, () => setR0(0)), EXIT],
  },
  {
    name: 'bounded-loops',
    since: '5.3',
    // r0 = 0; do r0 += 1; while (r0 < 8)
    slots: [setR0(0), [0x07, 0, 0, 0, 1], [0xa5, 0, 0, -2, 8], EXIT],
  },
  {
    name: 'atomic-fetch-add',
    since: '5.12',
    // *(u64 *)(r10 - 8) = 0; r0 = 1; r0 = atomic_fetch_add(r10 - 8, r0)
    slots: [[0x7a, 10, 0, -8, 0], setR0(1), [0xdb, 10, 0, -8, 0x01], EXIT],
  },
  {
    name: 'v4-sign-extension',
    since: '6.6',
    // r0 = (s8)r0
    slots: [setR0(0), [0xbf, 0, 0, 8, 0], EXIT],
  },
  {
    name: 'may-goto',
    since: '6.9',
    slots: [setR0(0), [0xe5, 0, 0, 1, 0], setR0(1), EXIT],
  },
  {
    name: 'load-acquire',
    since: '6.15',
    // *(u64 *)(r10 - 8) = 0; r0 = load_acquire((u64 *)(r10 - 8))
    slots: [[0x7a, 10, 0, -8, 0], [0xdb, 0, 10, -8, 0x100], EXIT],
  },
];

export const INSTRUCTION_PROBES: readonly FeatureProbe[] = [
  ...EXTENSIONS.map(({ name, since, slots }) => ({
    name: `instructions/${name}`,
    since,
    config: [],
    attempt: () => tryLoad({ instructions: encodeSlots(slots) }),
  })),
  {
    name: 'instructions/global-data',
    since: '5.2',
    config: [],
    attempt: () => {
      using map = createProbeMap({ type: MAP_TYPE.array });
      // r1 = &map's only value; r0 = *(u32 *)r1
      const slots: RawSlot[] = [[0x18, 1, 2, 0, map.fd], [0, 0, 0, 0, 0], [0x61, 0, 1, 0, 0], EXIT];
      tryLoad({ instructions: encodeSlots(slots) });
    },
  },
  {
    name: 'instructions/arena-address-cast',
    since: '6.9',
    config: ['CONFIG_MMU', 'CONFIG_64BIT'],
    attempt: () => {
      using arena = createProbeMap({
        type: MAP_TYPE.arena,
        keySize: 0,
        valueSize: 0,
        flags: MAP_FLAG.mappable,
        mapExtra: ARENA_ADDRESS,
      });
      // r1 = arena; r2 = 0; r2 = addr_space_cast(r2, 0, 1)
      const slots: RawSlot[] = [
        [0x18, 1, 1, 0, arena.fd],
        [0, 0, 0, 0, 0],
        [0xb7, 2, 0, 0, 0],
        [0xbf, 2, 2, 1, 1],
        setR0(0),
        EXIT,
      ];
      tryLoad({ type: PROGRAM_TYPE.syscall, sleepable: true, instructions: encodeSlots(slots) });
    },
  },
];
