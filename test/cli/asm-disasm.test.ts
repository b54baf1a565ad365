import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readObject } from '../../engine/bytecode/index.js';
import type { ErrorCode } from '../../engine/errors/index.js';
import { compileWithClang, missingTool } from '../bytecode/external-tools.js';
import { MAIN, runVespid, Workspace } from './run-vespid.js';

const PROBE = `.map counts type=array key=4 value=8 entries=1
.function on_switch raw_tp/sched_switch
  *(u32 *)(r10 - 4) = 0
  r1 = counts ll
  r2 = r10
  r2 += -4
  call bpf_map_lookup_elem
  if r0 == 0 goto out     ; an array has all its elements, but the verifier asks
  r1 = 1
  lock *(u64 *)(r0 + 0) += r1
  call inner
out:
  r0 = 0
  exit
.function inner
  r0 = 7
  exit
`;

let workspace: Workspace;
const at = (name: string) => workspace.path(name);

beforeEach(() => {
  workspace = new Workspace();
  writeFileSync(at('probe.s'), PROBE);
});
afterEach(() => workspace[Symbol.dispose]());

async function assembleProbe(): Promise<string> {
  const { exitCode, stderr } = await runVespid(
    ...['asm', at('probe.s'), '--license', 'GPL', '--out', at('p.o')],
  );
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  return at('p.o');
}

async function runJson(...args: readonly string[]): Promise<unknown> {
  const { exitCode, stdout } = await runVespid(...args, '--json');
  expect(exitCode).toBe(0);
  return JSON.parse(stdout);
}

describe('asm', () => {
  it('writes an object with the maps, programs and functions of the text', async () => {
    const object = readObject(readFileSync(await assembleProbe()), 'p.o');
    expect(object).toMatchObject({
      license: 'GPL',
      programs: [{ name: 'on_switch', section: 'raw_tp/sched_switch' }],
      subprograms: [{ name: 'inner' }],
      maps: [{ name: 'counts', type: 2, keySize: 4, valueSize: 8, maxEntries: 1 }],
    });
  });

  it('says in JSON what it wrote', async () => {
    expect(await runJson('asm', at('probe.s'), '--out', at('p.o'))).toMatchObject({
      path: at('p.o'),
      programs: [{ name: 'on_switch', section: 'raw_tp/sched_switch', instructionCount: 12 }],
      subprograms: [{ name: 'inner', instructionCount: 2 }],
      maps: ['counts'],
    });
  });

  it('takes standard input, with section and name from the command line', () => {
    const args = ['asm', '-', '--section', 'xdp', '--name', 'pass', '--out', at('pass.o')];
    const { status, stdout } = spawnSync(process.execPath, [MAIN, ...args], {
      input: 'r0 = 2\nexit\n',
      encoding: 'utf8',
    });
    expect({ status, stdout }).toMatchObject({ status: 0, stdout: expect.stringContaining('xdp: pass') });
    expect(readObject(readFileSync(at('pass.o')), 'pass.o').programs[0]).toMatchObject({
      name: 'pass',
      section: 'xdp',
    });
  });

  it('writes the instructions alone', async () => {
    writeFileSync(at('two.s'), 'r0 = 2\nexit');
    await runVespid('asm', at('two.s'), '--raw', '--out', at('two.bin'));
    expect(readFileSync(at('two.bin')).toString('hex')).toBe('b7000000020000009500000000000000');
    const { stdout } = await runVespid('disasm', at('two.bin'), '--raw', '--style', 'kernel');
    expect(stdout).toBe('     0: (b7) r0 = 2\n     1: (95) exit\n');
  });
});

describe('disasm', () => {
  it.each(['llvm', 'kernel'])('prints in the %s form what asm makes the same object of', async (style) => {
    const object = await assembleProbe();
    const { stdout } = await runVespid('disasm', object, '--style', style);
    writeFileSync(at('copy.s'), stdout);
    await runVespid('asm', at('copy.s'), '--license', 'GPL', '--out', at('copy.o'));
    expect(readFileSync(at('copy.o'))).toEqual(readFileSync(object));
  });

  it('names maps, functions and helpers', async () => {
    const { stdout } = await runVespid('disasm', await assembleProbe(), '--program', 'on_switch');
    expect(stdout).toContain('call bpf_map_lookup_elem#1\n');
    expect(stdout).toMatch(/ 1: r1 = counts ll +; map: array of 4 to 8 bytes, 1 entry\n/);
    expect(stdout).toContain('call inner\n');
    expect(stdout).not.toContain('.function inner');
  });

  it('gives every instruction in JSON, with the conformance groups', async () => {
    expect(await runJson('disasm', await assembleProbe(), '--section', '.text')).toMatchObject({
      functions: [
        {
          name: 'inner',
          section: '.text',
          isProgram: false,
          groups: ['base64'],
          instructions: [
            { slot: 0, bytes: 'b700000007000000', text: 'r0 = 0x7', comments: [] },
            { slot: 1, bytes: '9500000000000000', text: 'exit' },
          ],
        },
      ],
    });
  });

  const reason = missingTool('clang');
  it.skipIf(reason)('has the source lines and CO-RE fields of an object of clang', async () => {
    writeFileSync(at('clang.o'), compileWithClang());
    const { stdout } = await runVespid('disasm', at('clang.o'), '--program', 'on_switch');
    expect(stdout).toMatch(/; every-feature\.bpf\.c:\d+: probe_read_kernel\(&pid/);
    expect(stdout).toContain('; CO-RE field-byte-offset task_struct.pid\n');
    expect(stdout).toMatch(/r\d = total ll +; \.data\+0x0\n/);
  });
});

describe('what cannot be done', () => {
  it.each<{ what: string; line: string; exit: number; code: ErrorCode; hint?: RegExp }>([
    {
      what: 'a text that says no program',
      line: 'asm @plain.s --out @x.o',
      exit: 2,
      code: 'USAGE',
      hint: /--section/,
    },
    { what: 'standard input without a name', line: 'asm -', exit: 2, code: 'USAGE', hint: /--out/ },
    {
      what: 'a fault in the text',
      line: 'asm @fault.s --section xdp --out @x.o',
      exit: 1,
      code: 'ASSEMBLY_SYNTAX',
      hint: /did you mean exit/,
    },
    {
      what: 'a section that no kernel knows',
      line: 'asm @plain.s --section nonsense --out @x.o',
      exit: 1,
      code: 'OBJECT_SECTION_UNKNOWN',
    },
    {
      what: 'maps without an object',
      line: 'asm @probe.s --raw --out @x.o',
      exit: 1,
      code: 'ASSEMBLY_SYMBOL_UNKNOWN',
    },
    {
      what: 'a text to disassemble',
      line: 'disasm @probe.s',
      exit: 2,
      code: 'INPUT_WRONG_KIND',
      hint: /--raw/,
    },
    { what: 'half an instruction', line: 'disasm @half.bin --raw', exit: 1, code: 'INSTRUCTION_TRUNCATED' },
    {
      what: 'a program that is not there',
      line: 'disasm @p.o --program nothing',
      exit: 1,
      code: 'OBJECT_PROGRAM_UNKNOWN',
      hint: /on_switch, inner/,
    },
    {
      what: 'a section that is not there',
      line: 'disasm @p.o --section xdp',
      exit: 1,
      code: 'OBJECT_PROGRAM_UNKNOWN',
      hint: /raw_tp\/sched_switch, \.text/,
    },
    { what: 'a style that is not there', line: 'disasm @p.o --style intel', exit: 2, code: 'USAGE' },
  ])('$what', async ({ line, exit, code, hint }) => {
    await assembleProbe();
    writeFileSync(at('plain.s'), 'r0 = 2\nexit');
    writeFileSync(at('fault.s'), 'r0 = 2\nexti');
    writeFileSync(at('half.bin'), Uint8Array.of(0xb7, 0, 0));
    const args = line.split(' ').map((word) => (word.startsWith('@') ? at(word.slice(1)) : word));
    const { exitCode, stdout, stderr } = await runVespid(...args, '--json');
    expect({ exitCode, stderr }).toEqual({ exitCode: exit, stderr: '' });
    const { error } = JSON.parse(stdout) as { error: { code: string; hint?: string } };
    expect(error.code).toBe(code);
    if (hint !== undefined) expect(error.hint).toMatch(hint);
    expect(existsSync(at('x.o'))).toBe(false);
  });

  it('shows where the fault is', async () => {
    writeFileSync(at('fault.s'), 'r0 = 2\nexti');
    const { stderr } = await runVespid('asm', at('fault.s'), '--section', 'xdp', '--out', at('x.o'));
    expect(stderr).toBe(
      `${at('fault.s')}:2:1: ASSEMBLY_SYNTAX: expected an instruction, found exti\n` +
        '2 | exti\n  | ^^^^\nhint: did you mean exit?\n',
    );
  });
});
