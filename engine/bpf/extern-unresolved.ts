import type { LinkedProgram } from '../bytecode/index.js';
import { VespidError } from '../errors/index.js';
import { sourceLineOf } from './source-line.js';

/** The error for something of the kernel that a program needs and that is not there. */
export function externUnresolved(
  linked: LinkedProgram,
  slotIndex: number,
  name: string,
  reason: string,
): VespidError {
  const line = sourceLineOf(linked, slotIndex);
  const where = line === undefined ? '' : ` (${line.fileName}:${line.line}: ${line.source.trim()})`;
  return new VespidError(
    'EXTERN_UNRESOLVED',
    `${linked.objectName}: program ${linked.name} needs ${name} of the kernel${where}: ${reason}`,
    {
      details: { object: linked.objectName, program: linked.name, extern: name, slotIndex },
      hint: 'declare it __weak and test for it before it is used, leave the program out, or use a kernel that has it',
    },
  );
}
