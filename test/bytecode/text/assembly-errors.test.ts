import { describe, expect, it } from 'vitest';
import { assemble, assembleInstructions } from '../../../engine/bytecode/index.js';
import { MAX_ASSEMBLY_LINE_CHARACTERS } from '../../../engine/bytecode/text/assembly-source.js';
import type { ErrorCode } from '../../../engine/errors/index.js';
import { thrownBy } from '../documented-errors.js';

const FAULTS: readonly {
  what: string;
  text: string;
  code: ErrorCode;
  /** Line, column and what the carets stand under. */
  at: readonly [line: number, column: number, marked: string];
  message: RegExp;
  hint?: RegExp;
}[] = [
  {
    what: 'an instruction that is none',
    text: 'r0 = 1\nexti',
    code: 'ASSEMBLY_SYNTAX',
    at: [2, 1, 'exti'],
    message: /expected an instruction, found exti/,
    hint: /did you mean exit\?/,
  },
  {
    what: 'a register that does not exist',
    text: 'r1 = r11',
    code: 'ASSEMBLY_SYNTAX',
    at: [1, 6, 'r11'],
    message: /a register, r0 to r10, found r11/,
  },
  {
    what: 'registers of two widths',
    text: 'r1 += w2',
    code: 'ASSEMBLY_SYNTAX',
    at: [1, 7, 'w2'],
    message: /r2 expected/,
  },
  {
    what: 'an immediate beyond 32 bits',
    text: '  r1 = 0x100000000',
    code: 'ASSEMBLY_RANGE',
    at: [1, 8, '0x100000000'],
    message: /32 bits/,
    hint: /4294967295/,
  },
  {
    what: 'an offset beyond 16 bits',
    text: 'r1 = *(u32 *)(r2 + 32768)',
    code: 'ASSEMBLY_RANGE',
    at: [1, 18, '+ 32768'],
    message: /16 bits/,
  },
  {
    what: 'a constant beyond 64 bits',
    text: 'r1 = 0x10000000000000000 ll',
    code: 'ASSEMBLY_RANGE',
    at: [1, 6, '0x10000000000000000'],
    message: /64 bits/,
  },
  {
    what: 'a label that is not there',
    text: 'if r1 == 0 goto otu\nout: exit',
    code: 'ASSEMBLY_SYMBOL_UNKNOWN',
    at: [1, 17, 'otu'],
    message: /no label otu in main/,
    hint: /did you mean out\?/,
  },
  {
    what: 'a label twice',
    text: 'a: exit\na: exit',
    code: 'ASSEMBLY_SYMBOL_DUPLICATE',
    at: [2, 1, 'a'],
    message: /a is placed twice/,
  },
  {
    what: 'a helper that is not there',
    text: 'call bpf_map_lokup_elem',
    code: 'ASSEMBLY_SYMBOL_UNKNOWN',
    at: [1, 6, 'bpf_map_lokup_elem'],
    message: /no function, label or helper/,
    hint: /did you mean bpf_map_lookup_elem\?/,
  },
  {
    what: 'a helper with the number of another',
    text: 'call bpf_loop#1',
    code: 'ASSEMBLY_SYMBOL_UNKNOWN',
    at: [1, 6, 'bpf_loop'],
    message: /helper 181, not 1/,
  },
  {
    what: 'a map that is not declared',
    text: '.map counts type=array key=4 value=8 entries=1\nr1 = count ll\nexit',
    code: 'ASSEMBLY_SYMBOL_UNKNOWN',
    at: [2, 6, 'count'],
    message: /no map or function count/,
    hint: /did you mean counts\?/,
  },
  {
    what: 'a map twice',
    text: '.map a type=array\n.map a type=array',
    code: 'ASSEMBLY_SYMBOL_DUPLICATE',
    at: [2, 6, 'a'],
    message: /declared twice/,
  },
  {
    what: 'a type of map that is not there',
    text: '.map a type=arry',
    code: 'ASSEMBLY_SYMBOL_UNKNOWN',
    at: [1, 13, 'arry'],
    message: /no such type of map/,
    hint: /did you mean array\?/,
  },
  {
    what: 'an opcode that is not that of the text',
    text: '(b7) r1 += 5',
    code: 'ASSEMBLY_SYNTAX',
    at: [1, 1, '(b7)'],
    message: /opcode \(07\)/,
  },
  {
    what: 'something behind the instruction',
    text: 'exit now',
    code: 'ASSEMBLY_SYNTAX',
    at: [1, 6, 'now'],
    message: /expected the end of the line, found now/,
  },
  {
    what: 'a character that no token has',
    text: 'r1 = 5 @ 6',
    code: 'ASSEMBLY_SYNTAX',
    at: [1, 8, '@'],
    message: /"@" means nothing here/,
  },
  {
    what: 'a sign-extending store',
    text: '*(s32 *)(r1 + 0) = r2',
    code: 'ASSEMBLY_SYNTAX',
    at: [1, 3, 's32'],
    message: /u32/,
  },
  {
    what: 'an exchange into another register',
    text: 'r1 = xchg_64(r2 + 0, r3)',
    code: 'ASSEMBLY_SYNTAX',
    at: [1, 22, 'r3'],
    message: /both sides/,
  },
  {
    what: 'a comparison that leaves its old value elsewhere than in r0',
    text: 'r1 = cmpxchg_64(r2 + 0, r0, r3)',
    code: 'ASSEMBLY_SYNTAX',
    at: [1, 25, 'r0'],
    message: /both sides/,
  },
  {
    what: 'a packet load into another register',
    text: 'r1 = *(u32 *)skb[4]',
    code: 'ASSEMBLY_SYNTAX',
    at: [1, 8, 'u32'],
    message: /packet load/,
  },
];

describe('a fault in the text', () => {
  it.each(FAULTS)('$what', ({ text, code, at: [line, column, marked], message, hint }) => {
    const error = thrownBy(() => assemble(text, { file: 'probe.s' }));
    expect(error).toMatchObject({ code, location: { file: 'probe.s', line, column } });
    expect(error?.message).toMatch(message);
    if (hint !== undefined) expect(error?.hint).toMatch(hint);
    const [, carets = ''] = error?.location?.excerpt?.split('\n') ?? [];
    expect(carets.match(/\^+/)?.[0]).toHaveLength(marked.length);
  });
});

describe('limits', () => {
  it('a jump to a label too far away says what reaches it', () => {
    const far = (jump: string) => `${jump} out\n${'r0 = 0\n'.repeat(0x8000)}out: exit`;
    const error = thrownBy(() => assembleInstructions(far('goto')));
    expect(error).toMatchObject({ code: 'ASSEMBLY_RANGE', location: { line: 1 } });
    expect(error?.hint).toMatch(/gotol/);
    expect(assembleInstructions(far('gotol'))[0]).toMatchObject({ isLong: true, offset: 0x8000 });
  });

  // Two seconds of parsing, on an idle machine: there is no shorter text of a million slots.
  it('more slots than any kernel takes', { timeout: 60_000 }, () => {
    const error = thrownBy(() => assembleInstructions('r0 = 0 ll\n'.repeat(500_001)));
    expect(error).toMatchObject({ code: 'ASSEMBLY_LIMIT', location: { line: 500_001 } });
  });

  it('a line longer than anybody writes', () => {
    const error = thrownBy(() => assembleInstructions(`exit ;${' '.repeat(MAX_ASSEMBLY_LINE_CHARACTERS)}`));
    expect(error?.code).toBe('ASSEMBLY_LIMIT');
  });

  it('a text longer than any program', () => {
    expect(thrownBy(() => assembleInstructions('\n'.repeat(64_000_001)))?.code).toBe('ASSEMBLY_LIMIT');
  });
});

it('functions and maps need an object', () => {
  const error = thrownBy(() => assembleInstructions('.map a type=array\nexit'));
  expect(error?.code).toBe('ASSEMBLY_SYMBOL_UNKNOWN');
});
