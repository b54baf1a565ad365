import fc from 'fast-check';
import { Assembler, type ObjectDefinition, R0, R1 } from '../../../engine/bytecode/index.js';

const SECTIONS = [
  'lsm/file_open',
  'lsm.s/bprm_check_security',
  'tp_btf/sched_switch',
  'cgroup/connect4',
  'socket',
];
const MAPS = ['first', 'second'];
const SUBPROGRAMS = ['alpha', 'beta', 'gamma'];

type Step = (code: Assembler) => Assembler;

/** Instructions that refer to what every random definition has, between ones that refer to nothing. */
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.constantFrom(...MAPS).map(
    (map): Step =>
      (code) =>
        code.loadMap(R1, map),
  ),
  fc.constantFrom(0, 8, 16).map(
    (byteOffset): Step =>
      (code) =>
        code.loadConstant(R1, 'values', byteOffset),
  ),
  fc.constantFrom(...SUBPROGRAMS).map(
    (name): Step =>
      (code) =>
        code.callFunction(name),
  ),
  fc.constantFrom(...SUBPROGRAMS).map(
    (name): Step =>
      (code) =>
        code.loadFunction(R1, name),
  ),
  fc.constantFrom(['f_flags'], ['f_path', 'dentry'], ['bits']).map(
    (path): Step =>
      (code) =>
        code.addFieldOffset(R1, { struct: 'file', path }),
  ),
  fc.integer({ min: -1000, max: 1000 }).map(
    (value): Step =>
      (code) =>
        code.moveImmediate(R0, value),
  ),
);

const body = fc.array(step, { maxLength: 12 });
const assemble = (name: string, steps: readonly Step[]) =>
  steps
    .reduce((code, append) => append(code), new Assembler(name))
    .exit()
    .finish();

/** Definitions of up to four programs with three subprograms, which call one another in any way. */
export const randomDefinition: fc.Arbitrary<ObjectDefinition> = fc
  .record({
    license: fc.constantFrom('GPL', 'Dual MIT/GPL', ''),
    programs: fc.array(fc.record({ section: fc.constantFrom(...SECTIONS), steps: body }), { maxLength: 4 }),
    subprograms: fc.tuple(body, body, body),
    maxEntries: fc.integer({ min: 1, max: 0xffff_ffff }),
    flags: fc.nat(0xffff),
    value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    metadata: fc.uint8Array({ maxLength: 20 }),
  })
  .map(({ license, programs, subprograms, maxEntries, flags, value, metadata }) => ({
    license,
    programs: programs.map(({ section, steps }, index) => ({
      section,
      function: assemble(`program${index}`, steps),
    })),
    subprograms: SUBPROGRAMS.map((name, index) => assemble(name, subprograms[index] ?? [])),
    maps: MAPS.map((name, index) => ({
      name,
      type: index + 1,
      keySize: index * 4,
      valueSize: index * 8,
      maxEntries,
      flags,
    })),
    constants: [
      {
        name: 'values',
        members: [
          { name: 'narrow', byteSize: 4 as const, value: value & 0xffff_ffffn },
          { name: 'wide', byteSize: 8 as const, value },
        ],
      },
    ],
    kernelTypes: [
      {
        name: 'file',
        kind: 'struct' as const,
        members: [
          { name: 'f_flags', type: { kind: 'int' as const, byteSize: 4 as const, signed: false } },
          { name: 'f_path', type: { kind: 'struct' as const, name: 'path' } },
          { name: 'bits', type: { kind: 'bits' as const, bitCount: 5 } },
        ],
      },
      {
        name: 'path',
        kind: 'struct' as const,
        members: [{ name: 'dentry', type: { kind: 'pointer' as const, to: 'dentry' } }],
      },
    ],
    metadata,
  }));
