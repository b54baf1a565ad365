import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  applyCoreRelocations,
  Btf,
  linkProgram,
  programNamed,
  readObject,
  writeObject,
} from '../../engine/bytecode/index.js';
import { InstructionSlots } from '../../engine/bytecode/instruction-slots.js';
import { compileFixture, compileWithClang, missingTool, runTool } from '../bytecode/external-tools.js';
import { sampleDefinition } from '../bytecode/sample-object.js';
import { compareTags, KERNEL_TYPES } from './kernel-tags.js';

const missing = process.getuid?.() === 0 ? missingTool('bpftool') : 'not root';

describe.skipIf(missing)(`this kernel${missing === undefined ? '' : ` (${missing})`}`, () => {
  test('loads what writeObject writes, relocated by libbpf as by us', () => {
    compareTags(writeObject(sampleDefinition()));
  });

  const noClang = missingTool('clang');
  test.skipIf(noClang)(`loads clang's object, relocated by libbpf as by us${noClang ?? ''}`, () => {
    compareTags(compileWithClang());
  });

  test.skipIf(missingTool('clang-19'))('puts functions in the order in which libbpf puts them', () => {
    compareTags(compileFixture('functions'));
  });

  const noClang19 = missingTool('clang-19');
  test.skipIf(noClang19)(`resolves every kind of CO-RE as libbpf${noClang19 ?? ''}`, () => {
    const reasons = compareTags(compileFixture('core-relocations')).map(({ reason }) => reason);
    expect(reasons).toEqual([
      'the kernel has no field task_struct.not_in_any_kernel',
      'the kernel has no field no_such_struct.x',
      'the kernel has no enum value no_such_enum.NO_SUCH_VALUE',
      'the kernel has no field mm_struct.never_was',
      'the kernel has no field no_such_struct.x',
      "task_struct.start_time: the kernel's field has 8 bytes, not 4, and cannot be loaded as it is",
      'the kernel has no field no_such_struct.x',
    ]);
  });

  test('has a task_struct.pid where bpftool says it is', () => {
    const kernel = new Btf(new Uint8Array(readFileSync(KERNEL_TYPES)), 'vmlinux');
    const object = readObject(writeObject(sampleDefinition()), 'sample.bpf.o');
    if (object.btf === undefined) throw new Error('the object has no BTF');
    const linked = linkProgram(object, programNamed(object, 'on_switch'));
    const relocated = applyCoreRelocations(linked, object.btf, { vmlinux: kernel, modules: () => [] });
    expect(relocated.poisoned).toEqual([]);
    const dump = runTool('bpftool', ['btf', 'dump', 'file', KERNEL_TYPES, 'format', 'raw']);
    const struct = /STRUCT 'task_struct'[^[]*/.exec(dump)?.[0] ?? '';
    const bitOffset = Number(/'pid' type_id=\d+ bits_offset=(\d+)/.exec(struct)?.[1]);
    const slots = new InstructionSlots(relocated.instructions, 'on_switch');
    expect(slots.immediate(2)).toBe(bitOffset / 8);
  });
});
