import { closeSync, openSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import {
  Assembler,
  ATTACH_TYPE,
  MAP_TYPE,
  PROGRAM_TYPE,
  PSEUDO,
  R0,
  R1,
  R2,
  R10,
  SLOT_BYTES,
} from '../../bytecode/index.js';
import { VespidError } from '../../errors/index.js';
import { attachTracing } from '../link/tracing.js';
import { BpfMap } from '../maps/map.js';
import { u32Key } from '../maps/map-keys.js';
import { attachTargetId, vmlinuxBtf } from '../types/vmlinux-btf.js';
import { type Feature, tryFeature } from './feature.js';
import { loadProbe, onTrampoline, returning, tryLoad } from './probe-program.js';

/** What the gate can promise: which hook of the load path a BPF LSM program can stand on. */
export type GateLevel =
  /** The kernel's own copy of the instructions is judged before the verifier sees it (6.9 and later). */
  | 'before-verifier'
  /** Only what the verifier has accepted can be judged, before its file descriptor is handed out. */
  | 'after-verifier'
  | 'none';

export interface KernelFeatures {
  readonly release: string;
  readonly btf: Feature;
  readonly ringBuffer: Feature;
  readonly bpfLsm: Feature;
  readonly trampolines: Feature;
  readonly tracepointBtf: Feature;
  readonly cgroupSockAddr: Feature;
  readonly gate: GateLevel;
}

/** Tries every feature once; takes a few milliseconds and leaves nothing behind. */
export function probeKernel(): KernelFeatures {
  const bpfLsm = tryFeature('5.7', probeLsm);
  return {
    release: release(),
    btf: tryFeature('5.2', () => void vmlinuxBtf()),
    ringBuffer: tryFeature('5.8', probeRingBuffer),
    bpfLsm,
    trampolines: tryFeature('5.5', probeTrampolines),
    tracepointBtf: tryFeature('5.5', probeTracepoint),
    cgroupSockAddr: tryFeature('4.17', probeCgroupSockAddr),
    gate: bpfLsm.available ? gateLevel() : 'none',
  };
}

function probeRingBuffer(): void {
  using _map = BpfMap.create({
    name: 'probe',
    type: MAP_TYPE.ringbuf,
    keySize: 0,
    valueSize: 0,
    maxEntries: 4096,
    flags: 0,
  });
}

/** fentry on a function that every kernel has and rarely runs; only loaded, never attached. */
function probeTrampolines(): void {
  const target = attachTargetId({ kind: 'function', name: 'vfs_fallocate' });
  onTrampoline(() =>
    tryLoad({
      type: PROGRAM_TYPE.tracing,
      expectedAttachType: ATTACH_TYPE['trace-fentry'],
      attachBtfId: target,
    }),
  );
}

function probeTracepoint(): void {
  const target = attachTargetId({ kind: 'typedef', name: 'btf_trace_sched_process_exec' });
  using program = loadProbe({
    type: PROGRAM_TYPE.tracing,
    expectedAttachType: ATTACH_TYPE['trace-raw-tp'],
    attachBtfId: target,
  });
  using _link = attachTracing(program);
}

function probeCgroupSockAddr(): void {
  tryLoad({
    type: PROGRAM_TYPE['cgroup-sock-addr'],
    expectedAttachType: ATTACH_TYPE['cgroup-inet4-connect'],
    instructions: returning(1),
  });
}

/**
 * Loading and attaching can succeed while the hook never fires, when `bpf` is not in the kernel's LSM list. So the
 * probe attaches a program that raises a flag and allows, opens a file, and looks at the flag.
 */
function probeLsm(): void {
  using flag = BpfMap.create({
    name: 'probe_fired',
    type: MAP_TYPE.array,
    keySize: 4,
    valueSize: 8,
    maxEntries: 1,
    flags: 0,
  });
  const target = attachTargetId({ kind: 'function', name: 'bpf_lsm_file_open' });
  using program = onTrampoline(() =>
    loadProbe({
      type: PROGRAM_TYPE.lsm,
      expectedAttachType: ATTACH_TYPE['lsm-mac'],
      attachBtfId: target,
      instructions: raiseFlag(flag),
    }),
  );
  using _link = attachTracing(program);
  closeSync(openSync('/proc/self/stat', 'r'));
  const value = new Uint8Array(8);
  flag.lookup(u32Key(0), value);
  if (value[0] === 1) return;
  throw new VespidError(
    'KERNEL_UNSUPPORTED',
    `BPF LSM programs attach but are not called (active: ${activeLsms()})`,
    {
      hint: 'add bpf to the lsm= list on the kernel command line',
    },
  );
}

function raiseFlag(flag: BpfMap): Uint8Array {
  const assembler = new Assembler('vespid_probe');
  const none = assembler.label('none');
  const { instructions, symbolReferences } = assembler
    .storeImmediate(4, R10, -4, 0)
    .move(R2, R10)
    .aluImmediate('add', R2, -4)
    .loadMap(R1, flag.definition.name)
    .callHelper('map_lookup_elem')
    .jumpIfImmediate('==', R0, 0, none)
    .storeImmediate(8, R0, 0, 1)
    .place(none)
    .moveImmediate(R0, 0)
    .exit()
    .finish();
  const view = new DataView(instructions.buffer);
  for (const { slotIndex } of symbolReferences) {
    const at = slotIndex * SLOT_BYTES;
    view.setUint8(at + 1, (PSEUDO.mapFd << 4) | R1);
    view.setInt32(at + 4, flag.fd, true);
  }
  return instructions;
}

function activeLsms(): string {
  try {
    return readFileSync('/sys/kernel/security/lsm', 'utf8').trim();
  } catch {
    return 'unknown';
  }
}

function gateLevel(): GateLevel {
  const btf = vmlinuxBtf();
  if (btf.idsByName('bpf_lsm_bpf_prog_load', 'function').length > 0) return 'before-verifier';
  return btf.idsByName('bpf_lsm_bpf_prog', 'function').length > 0 ? 'after-verifier' : 'none';
}
