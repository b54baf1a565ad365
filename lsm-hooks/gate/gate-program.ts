import {
  type AssembledFunction,
  Assembler,
  type ConstantDefinition,
  type Label,
  MAP_TYPE,
  type ObjectDefinition,
  R0,
  R1,
  R2,
  R3,
  R6,
  R7,
  R8,
  R9,
  R10,
} from '../../engine/bytecode/index.js';
import { CONFIG, enterProgram, Frame, hookMaps, Subprograms } from '../program/frame.js';
import { KERNEL_TYPES, kernelField } from '../program/kernel-types.js';
import { PROCESS_READERS } from '../program/process-readers.js';
import type { FieldReaders } from '../program/readers.js';
import { emitRecord } from '../program/record-emit.js';
import { LSM_RETURNS } from '../program/returns.js';
import { type ScratchLayout, scratchLayout } from '../program/scratch-layout.js';
import { emitClaim, emitCount, emitRelease } from '../program/slot-claim.js';
import { emitCopyKernelString } from '../program/strings.js';
import { PROGRAM_LOAD } from '../program-load.js';
import { RECORD_OFFSET } from '../record-layout.js';
import { TICKETS_MAP } from './ticket.js';
import { assembleTicketDigest, DIGEST_AREA, DIGEST_OFFSET } from './ticket-digest-code.js';

/** Read-only globals of the gate. */
export const GATE_CONFIG: ConstantDefinition = {
  name: 'gate_config',
  members: [
    /** 1: refuse; 0: report only. */
    { name: 'enforce', byteSize: 4, value: 1n },
    /** Process id of the agent: only its threads may open the guarded maps. */
    { name: 'owner_pid', byteSize: 4, value: 0n },
  ],
};
const GATE_CONFIG_OFFSET = { enforce: 0, ownerPid: 4 } as const;

/** The `guarded` map: key = id of a map that nobody but the agent may open, value = nothing of meaning. */
export const GUARDED_MAP = { name: 'guarded', keySize: 4, valueSize: 4, maxEntries: 4096 } as const;

/** Function names of the gate's programs. */
export const GATE_PROGRAMS = { load: 'gate_prog_load', map: 'gate_map' } as const;

const PROG = (...path: string[]) => kernelField('bpf_prog', ...path);
const AUX = (...path: string[]) => kernelField('bpf_prog_aux', ...path);

const GATE_READERS: FieldReaders = {
  integers: {
    ...PROCESS_READERS.integers,
    'program.type': (frame) => frame.readHookField([PROG('type')], 4),
    'program.attach_type': (frame) => frame.readHookField([PROG('expected_attach_type')], 4),
    'program.instruction_count': (frame) => frame.readHookField([PROG('len')], 4),
  },
  strings: {
    ...PROCESS_READERS.strings,
    'program.name': (frame, place) => {
      frame.readHookField([PROG('aux')], 8);
      frame.assembler.move(R3, R0).addFieldOffset(R3, AUX('name'));
      emitCopyKernelString(frame, place);
    },
  },
};

/**
 * The gate: an LSM program on `bpf_prog_load(struct bpf_prog *prog, union bpf_attr *attr, struct bpf_token *token)`,
 * which the kernel calls after it has copied the instructions and before the verifier sees them (kernel/bpf/syscall.c
 * of 6.12), and one on `bpf_map(struct bpf_map *map, fmode_t mode)` that keeps others from the agent's maps: tickets could be
 * forged there, events taken, and a program's working memory changed while it judges.
 */
export function gateObject(): ObjectDefinition {
  const base = scratchLayout(PROGRAM_LOAD, new Map());
  const layout: ScratchLayout = { ...base, byteLength: base.byteLength + DIGEST_AREA.byteLength };
  const subprograms = new Subprograms();
  return {
    license: 'Dual MIT/GPL',
    programs: [
      { section: 'lsm/bpf_prog_load', function: assembleLoadHook(layout, base.byteLength, subprograms) },
      { section: 'lsm/bpf_map', function: assembleMapHook() },
    ],
    subprograms: subprograms.all(),
    maps: [
      ...hookMaps(layout.byteLength),
      { ...TICKETS_MAP, type: MAP_TYPE.hash, flags: 0 },
      { ...GUARDED_MAP, type: MAP_TYPE.hash, flags: 0 },
    ],
    constants: [CONFIG, GATE_CONFIG],
    kernelTypes: KERNEL_TYPES,
    metadata: new Uint8Array(0),
  };
}

function assembleLoadHook(
  layout: ScratchLayout,
  digestAt: number,
  subprograms: Subprograms,
): AssembledFunction {
  const assembler = new Assembler(GATE_PROGRAMS.load);
  const frame = new Frame(assembler, layout, subprograms, GATE_PROGRAMS.load, 'direct');
  const admit = assembler.label('admit');
  const refuse = assembler.label('refuse');
  const exhausted = assembler.label('no working memory');
  const readers = { ...GATE_READERS, memory: { 'program.digest': digestAt + DIGEST_OFFSET } };
  const digest = subprograms.require('ticket_digest', (code) =>
    assembleTicketDigest(code, digestAt, subprograms),
  );
  enterProgram(frame);
  emitClaim(frame, exhausted);
  assembler.load(8, R8, R6, 0).move(R1, R7).move(R2, R8).callFunction(digest);
  assembler.jumpIfImmediate('!=', R0, 0, refuse);
  emitRedeem(frame, digestAt + DIGEST_OFFSET, refuse);
  assembler.jump(admit);

  assembler.place(refuse).loadConstant(R1, GATE_CONFIG.name, GATE_CONFIG_OFFSET.enforce).load(4, R9, R1, 0);
  assembler.store(1, R7, layout.recordOffset + RECORD_OFFSET.verdict, R9);
  emitRecord(frame, readers, new Set(Object.keys(PROCESS_READERS.strings)));
  // Decided by the frozen constant, not by the working memory that it was written to.
  assembler
    .loadConstant(R1, GATE_CONFIG.name, GATE_CONFIG_OFFSET.enforce)
    .load(4, R1, R1, 0)
    .jumpIfImmediate('==', R1, 0, admit);
  emitRelease(frame);
  assembler.moveImmediate(R0, LSM_RETURNS.deny).exit();

  assembler.place(admit);
  emitRelease(frame);
  assembler.moveImmediate(R0, LSM_RETURNS.allow).exit();
  assembler.place(exhausted);
  emitCount(frame, 'unjudged');
  assembler.moveImmediate(R0, LSM_RETURNS.retry).exit();
  return assembler.finish();
}

/**
 * Goes on only when the agent itself loads, and there was a ticket for this digest, this process and this moment,
 * and this run took it: of two loads that race for one ticket, the delete succeeds for one. The agent's process id
 * is a frozen constant, so a ticket that somebody else managed to write helps nobody.
 */
function emitRedeem(frame: Frame, digestAt: number, refuse: Label): void {
  const { assembler } = frame;
  const key = () => assembler.loadMap(R1, TICKETS_MAP.name).move(R2, R7).aluImmediate('add', R2, digestAt);
  key().callHelper('map_lookup_elem').jumpIfImmediate('==', R0, 0, refuse).move(R9, R0);
  frame.readTaskField([kernelField('task_struct', 'tgid')], 4);
  assembler
    .load(4, R1, R9, 0)
    .jumpIf('!=', R0, R1, refuse)
    .loadConstant(R1, GATE_CONFIG.name, GATE_CONFIG_OFFSET.ownerPid)
    .load(4, R1, R1, 0)
    .jumpIf('!=', R0, R1, refuse)
    .callHelper('ktime_get_boot_ns')
    .load(8, R1, R9, 8)
    .jumpIf('>', R0, R1, refuse);
  key().callHelper('map_delete_elem').jumpIfImmediate('!=', R0, 0, refuse);
}

/** A file descriptor for a guarded map, by id or by pin, goes to the agent only. */
function assembleMapHook(): AssembledFunction {
  const assembler = new Assembler(GATE_PROGRAMS.map);
  const allow = assembler.label('allow');
  assembler
    .load(8, R1, R1, 0)
    .loadField(4, R1, R1, kernelField('bpf_map', 'id'))
    .store(4, R10, -4, R1)
    .loadMap(R1, GUARDED_MAP.name)
    .move(R2, R10)
    .aluImmediate('add', R2, -4)
    .callHelper('map_lookup_elem')
    .jumpIfImmediate('==', R0, 0, allow)
    .callHelper('get_current_task_btf')
    .loadField(4, R2, R0, kernelField('task_struct', 'tgid'))
    .loadConstant(R1, GATE_CONFIG.name, GATE_CONFIG_OFFSET.ownerPid)
    .load(4, R1, R1, 0)
    .jumpIf('==', R2, R1, allow)
    .moveImmediate(R0, LSM_RETURNS.deny)
    .exit()
    .place(allow)
    .moveImmediate(R0, LSM_RETURNS.allow)
    .exit();
  return assembler.finish();
}
