import {
  Assembler,
  MAP_TYPE,
  type ObjectDefinition,
  R0,
  R1,
  R2,
  R3,
  R4,
  R6,
  R7,
  R10,
} from '../../engine/bytecode/index.js';

/** The program of {@link sampleDefinition}: a map, a constant, a callback, calls and a kernel field. */
function onSwitch(): Assembler {
  const program = new Assembler('on_switch');
  const missing = program.label('missing');
  return program
    .callHelper('get_current_task')
    .move(R3, R0)
    .addFieldOffset(R3, { struct: 'task_struct', path: ['pid'] })
    .move(R1, R10)
    .aluImmediate('add', R1, -8)
    .storeImmediate(8, R10, -8, 0)
    .moveImmediate(R2, 4)
    .callHelper('probe_read_kernel')
    .storeImmediate(4, R10, -12, 0)
    .loadMap(R1, 'counts')
    .move(R2, R10)
    .aluImmediate('add', R2, -12)
    .callHelper('map_lookup_elem')
    .jumpIfImmediate('==', R0, 0, missing)
    .load(8, R6, R10, -8)
    .store(8, R0, 0, R6)
    .place(missing)
    .loadConstant(R1, 'settings', 8)
    .load(8, R7, R1, 0)
    .moveImmediate(R1, 4)
    .loadFunction(R2, 'each')
    .moveImmediate(R3, 0)
    .moveImmediate(R4, 0)
    .callHelper('loop')
    .move(R1, R7)
    .callFunction('outer')
    .moveImmediate(R0, 0)
    .exit();
}

/**
 * An object that uses everything the writer can write, harmless enough to load on any kernel with `bpf_loop`
 * (5.17): it counts nothing and is attached to nothing.
 */
export function sampleDefinition(): ObjectDefinition {
  const outer = new Assembler('outer').callFunction('inner').aluImmediate('add', R0, 1).exit();
  const inner = new Assembler('inner').move(R0, R1).exit();
  const each = new Assembler('each').moveImmediate(R1, 5).callFunction('inner').moveImmediate(R0, 0).exit();
  const filter = new Assembler('filter').moveImmediate(R0, 0).exit();
  return {
    license: 'GPL',
    programs: [
      { section: 'raw_tp/sched_switch', function: onSwitch().finish() },
      { section: 'socket', function: filter.finish() },
    ],
    subprograms: [each.finish(), outer.finish(), inner.finish()],
    maps: [
      { name: 'counts', type: MAP_TYPE.array, keySize: 4, valueSize: 8, maxEntries: 1, flags: 0 },
      { name: 'events', type: MAP_TYPE.ringbuf, keySize: 0, valueSize: 0, maxEntries: 4096, flags: 0 },
    ],
    constants: [
      {
        name: 'settings',
        members: [
          { name: 'mode', byteSize: 4, value: 7n },
          { name: 'cgroup', byteSize: 8, value: 0xffff_ffff_ffff_ffffn },
        ],
      },
    ],
    kernelTypes: [
      {
        name: 'task_struct',
        kind: 'struct',
        members: [
          { name: 'state', type: { kind: 'bits', bitCount: 3 } },
          { name: 'pid', type: { kind: 'int', byteSize: 4, signed: true } },
          { name: 'mm', type: { kind: 'pointer', to: 'mm_struct' } },
          { name: 'parent', type: { kind: 'pointer', to: 'task_struct' } },
        ],
      },
    ],
    metadata: new TextEncoder().encode('{"hooks":[]}'),
  };
}
