import type { HookDefinition } from './definition.js';
import { PATH_MAX_BYTES, PROCESS_FIELDS } from './process-fields.js';

/** A program is executed. */
export const PROCESS_EXEC: HookDefinition = {
  name: 'process.exec',
  id: 2,
  doc: 'A process executes a program. A script is judged twice: as itself and as its interpreter.',
  fields: [
    ...PROCESS_FIELDS,
    { name: 'exec.uid', type: { kind: 'int' }, doc: "user id of the program file's owner", example: '0' },
    { name: 'exec.mode', type: { kind: 'int' }, doc: 'st_mode of the program file', example: '33261' },
    { name: 'exec.inode', type: { kind: 'int' }, doc: 'inode number of the program file', example: '131' },
    {
      name: 'exec.name',
      type: { kind: 'string', maxBytes: 256 },
      doc: "last component of the program's path",
      example: 'bash',
    },
    {
      name: 'exec.path',
      type: { kind: 'string', maxBytes: PATH_MAX_BYTES },
      doc: 'path of the program with links resolved, as the process sees it',
      example: '/usr/bin/bash',
    },
    {
      name: 'exec.filename',
      type: { kind: 'string', maxBytes: 256 },
      doc: 'the name that was passed to execve(2); for a script, the script',
      example: './run.sh',
    },
    {
      name: 'exec.args',
      type: { kind: 'string', maxBytes: 512 },
      doc: 'the arguments, argv[0] first, joined by single spaces; at most 20 of them',
      example: 'bash -c id',
      callerControlled: true,
    },
  ],
};
