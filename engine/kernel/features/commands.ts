import { ATTACH_TYPE, MAP_TYPE, PROGRAM_TYPE } from '../../bytecode/index.js';
import { mapBatch } from '../commands/map-commands.js';
import { loadProgram } from '../commands/program-commands.js';
import { createToken, enableStatistics } from '../commands/system-commands.js';
import { MAP_FLAG } from '../maps/map.js';
import { u32Key } from '../maps/map-keys.js';
import { PROGRAM_FLAG } from '../programs/program.js';
import { errnoName } from '../system/libc.js';
import { OwnedFd } from '../system/owned-fd.js';
import { listBtf } from '../types/btf-object.js';
import { attachTargetId } from '../types/vmlinux-btf.js';
import { expectErrno, type FeatureProbe, missing } from './feature.js';
import { createProbeMap } from './map-types.js';
import { EXIT, encodeSlots, loadProbe, onTrampoline, tryLoad } from './probe-program.js';

/** What bpf(2) can do besides types: commands, flags, attributes. */
export const COMMAND_PROBES: readonly FeatureProbe[] = [
  {
    name: 'command/test-run',
    since: '5.14',
    config: [],
    attempt: () => {
      using program = loadProbe({ type: PROGRAM_TYPE.syscall, sleepable: true });
      program.testRun({ context: new Uint8Array(8) });
    },
  },
  {
    name: 'command/map-freeze',
    since: '5.2',
    config: [],
    attempt: () => {
      using map = createProbeMap({ type: MAP_TYPE.array, flags: MAP_FLAG.readOnlyForPrograms });
      map.freeze();
    },
  },
  { name: 'command/map-memory', since: '5.5', config: ['CONFIG_MMU'], attempt: mapArray },
  { name: 'command/map-batch', since: '5.6', config: [], attempt: () => lookUpBatch(MAP_TYPE.hash) },
  {
    name: 'command/map-batch-per-cpu-array',
    since: '5.13',
    config: [],
    attempt: () => lookUpBatch(MAP_TYPE.percpuArray),
  },
  {
    name: 'command/enable-statistics',
    since: '5.8',
    config: [],
    attempt: () => new OwnedFd(enableStatistics()).close(),
  },
  {
    name: 'command/program-bind-map',
    since: '5.10',
    config: [],
    attempt: () => {
      using program = loadProbe({});
      using map = createProbeMap({});
      program.bind(map);
    },
  },
  {
    name: 'command/hash-lookup-and-delete',
    since: '5.14',
    config: [],
    attempt: () => {
      using map = createProbeMap({});
      map.update(u32Key(1), u32Key(2));
      if (map.lookupAndDelete(u32Key(1)) === undefined) throw missing('the element was not found');
    },
  },
  {
    name: 'command/token',
    since: '6.9',
    config: [],
    attempt: () => expectErrno('EBADF', () => new OwnedFd(createToken(0x7fff_ffff)).close()),
  },
  { name: 'command/log-true-size', since: '6.4', config: [], attempt: refuseWithLogSize },
  {
    name: 'command/module-btf',
    since: '5.11',
    config: ['CONFIG_DEBUG_INFO_BTF'],
    attempt: () => {
      // Since modules have BTF too, the kernel says of each object which it is; before, none was the kernel's.
      if (![...listBtf()].some(({ isKernel }) => isKernel)) throw missing('BTF of the kernel has no id');
    },
  },
  {
    name: 'program/sleepable-lsm',
    since: '5.10',
    config: ['CONFIG_BPF_LSM', 'CONFIG_DEBUG_INFO_BTF'],
    onTrampoline: true,
    attempt: () =>
      onTrampoline(() =>
        tryLoad({
          type: PROGRAM_TYPE.lsm,
          expectedAttachType: ATTACH_TYPE['lsm-mac'],
          attachBtfId: attachTargetId({ kind: 'function', name: 'bpf_lsm_file_open' }),
          sleepable: true,
        }),
      ),
  },
  {
    name: 'program/xdp-fragments',
    since: '5.18',
    config: ['CONFIG_NET'],
    attempt: () => tryLoad({ type: PROGRAM_TYPE.xdp, flags: PROGRAM_FLAG.xdpHasFragments }),
  },
];

function mapArray(): void {
  using map = createProbeMap({ type: MAP_TYPE.array, flags: MAP_FLAG.mappable });
  using _memory = map.mapMemory();
}

function lookUpBatch(type: number): void {
  using map = createProbeMap({ type });
  const batch = {
    mapFd: map.fd,
    outBatch: new Uint8Array(4),
    keys: new Uint8Array(4),
    values: new Uint8Array(map.valueBytes),
    count: 1,
  };
  const { result } = mapBatch('MAP_LOOKUP_BATCH', batch);
  if ('errno' in result && errnoName(result.errno) !== 'ENOENT') {
    throw map.error('MAP_LOOKUP_BATCH', result.errno);
  }
}

/** A program without a return value, refused with a log that is longer than its buffer. */
function refuseWithLogSize(): void {
  const { logTrueSize } = loadProgram(
    {
      programType: PROGRAM_TYPE['socket-filter'],
      instructions: encodeSlots([EXIT]),
      license: 'GPL',
      kernelVersion: 0,
      programFlags: 0,
      programName: 'vespid_probe',
      interfaceIndex: 0,
      expectedAttachType: 0,
      btfFd: 0,
      functionInfo: new Uint8Array(0),
      lineInfo: new Uint8Array(0),
      attachBtfId: 0,
      attachFd: 0,
      fdArray: new Uint8Array(0),
      tokenFd: 0,
    },
    { level: 1, buffer: new Uint8Array(128) },
  );
  if (logTrueSize === 0) throw missing('the kernel does not say how long a log is');
}
