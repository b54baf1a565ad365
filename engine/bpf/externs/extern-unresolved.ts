import { formatSourceLine, type LinkedProgram, sourceLineAt } from '../../bytecode/index.js';
import { VespidError } from '../../errors/index.js';

/** The error for something of the kernel that a program needs and that is not there. */
export function externUnresolved(
  linked: LinkedProgram,
  slotIndex: number,
  name: string,
  reason: string,
): VespidError {
  const line = sourceLineAt(linked.lines, slotIndex);
  const where = line === undefined ? '' : ` (${formatSourceLine(line)})`;
  return new VespidError(
    'EXTERN_UNRESOLVED',
    `${linked.objectName}: program ${linked.name} needs ${name} of the kernel${where}: ${reason}`,
    {
      details: { object: linked.objectName, program: linked.name, extern: name, slotIndex },
      hint: 'declare it __weak and test for it before it is used, leave the program out, or use a kernel that has it',
    },
  );
}
