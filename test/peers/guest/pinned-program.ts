import { Attributes, cString } from '../../../engine/kernel/attributes.js';
import { bpfSystemCall } from '../../../engine/kernel/libc.js';
import { BpfProgram } from '../../../engine/kernel/program.js';

/** enum bpf_cmd */
const BPF_OBJ_GET = 7;

/** The kernel's tag of the program that is pinned there. */
export function pinnedProgramTag(path: string): string {
  const attributes = new Attributes(16).pointer(0, cString(path));
  const result = bpfSystemCall(BPF_OBJ_GET, attributes.bytes);
  if ('errno' in result) throw new Error(`cannot open the pin ${path}: errno ${result.errno}`);
  using program = new BpfProgram(result.value);
  return program.info().tag;
}
