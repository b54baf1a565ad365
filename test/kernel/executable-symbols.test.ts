import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { VespidError } from '../../engine/errors/index.js';
import { functionOffsets } from '../../engine/kernel/index.js';
import { runTool } from '../bytecode/external-tools.js';
import { thrownBy } from '../policies/policy-text.js';

let folder: string;
let executable: string;
let library: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vespid-symbols-'));
  const source = join(folder, 'sample.c');
  executable = join(folder, 'sample');
  library = join(folder, 'libsample.so');
  // Functions that nobody calls, so that their bytes can be told by reading them, on any machine.
  const marked = (name: string, isExported: boolean) =>
    `__asm__(".text\\n${isExported ? `.globl ${name}\\n` : ''}.type ${name}, %function\\n"
             "${name}: .ascii \\"code of ${name}\\"\\n.size ${name}, . - ${name}\\n.balign 8\\n");`;
  writeFileSync(
    source,
    `int data_only = 4; ${marked('hidden', false)} ${marked('shown', true)} int main(void) { return 0; }`,
  );
  runTool('clang-19', ['-O1', source, '-o', executable]);
  runTool('clang-19', ['-O1', '-shared', '-fPIC', source, '-o', library]);
  runTool('llvm-strip-19', [library]);
});
afterAll(() => rmSync(folder, { recursive: true }));

const textAt = (path: string, offset: bigint | undefined, byteLength: number) =>
  readFileSync(path).toString('latin1', Number(offset), Number(offset) + byteLength);

describe('functionOffsets', () => {
  test('finds functions where their code lies in the file', () => {
    const [hidden, shown] = functionOffsets(executable, ['hidden', 'shown']);
    expect(textAt(executable, hidden, 14)).toBe('code of hidden');
    expect(textAt(executable, shown, 13)).toBe('code of shown');
  });

  test('of a stripped library, those that it exports', () => {
    const [shown] = functionOffsets(library, ['shown']);
    expect(textAt(library, shown, 13)).toBe('code of shown');
    expect(thrownBy(() => functionOffsets(library, ['hidden'])).code).toBe('SYMBOL_NOT_FOUND');
  });

  test.each(['data_only', 'printf', ''])('%j is no function of its own', (name) => {
    expect(thrownBy(() => functionOffsets(executable, [name])).code).toBe('SYMBOL_NOT_FOUND');
  });

  test('what is no file is refused, and a pipe without waiting for its other end', () => {
    const pipe = join(folder, 'pipe');
    runTool('mkfifo', [pipe]);
    const codeOf = (path: string) => thrownBy(() => functionOffsets(path, ['shown'])).code;
    expect([codeOf(pipe), codeOf(folder), codeOf(join(folder, 'none'))]).toEqual([
      'EXECUTABLE_MALFORMED',
      'EXECUTABLE_MALFORMED',
      'INPUT_UNREADABLE',
    ]);
  });

  test('a damaged file is refused with a documented code', () => {
    const good = readFileSync(executable);
    const path = join(folder, 'damaged');
    const known = ['SYMBOL_NOT_FOUND', 'EXECUTABLE_MALFORMED', 'BYTES_OUT_OF_RANGE'];
    // The headers: everything else is found through them.
    const place = fc.integer({ min: 0, max: 63 });
    fc.assert(
      fc.property(place, fc.integer({ min: 0, max: 255 }), fc.nat(good.byteLength), (at, value, cut) => {
        const bytes = Buffer.from(good.subarray(0, cut % 4 === 0 ? cut : good.byteLength));
        if (at < bytes.byteLength) bytes[at] = value;
        writeFileSync(path, bytes);
        try {
          functionOffsets(path, ['shown']);
        } catch (error) {
          expect(error).toBeInstanceOf(VespidError);
          expect(known).toContain((error as VespidError).code);
        }
      }),
      { numRuns: 200 },
    );
  });
});
