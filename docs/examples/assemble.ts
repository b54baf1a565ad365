import { assemble, BpfProgram, decodeInstructions, disassemble, PROGRAM_TYPE } from 'vespid/bpf';

const text = `
  r0 = 6
  r0 *= 7
  exit
`;
const [program] = assemble(text, { section: 'socket' }).programs;
if (program === undefined) throw new Error('no program');
const { instructions } = program.function;
console.log(disassemble(decodeInstructions(instructions)));

using loaded = BpfProgram.load({
  name: 'answer',
  type: PROGRAM_TYPE['socket-filter'],
  expectedAttachType: 0,
  attachBtfId: 0,
  license: 'GPL',
  instructions,
  sleepable: false,
  btf: undefined,
  functionInfo: [],
});
console.log(`returns ${loaded.testRun({ data: new Uint8Array(14) }).returnValue}`);
