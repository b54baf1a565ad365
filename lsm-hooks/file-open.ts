import type { HookDefinition } from './definition.js';
import { PATH_MAX_BYTES, PROCESS_FIELDS } from './process-fields.js';

/** A file is opened. */
export const FILE_OPEN: HookDefinition = {
  name: 'file.open',
  id: 1,
  doc: 'A process opens a file.',
  fields: [
    ...PROCESS_FIELDS,
    {
      name: 'file.flags',
      type: { kind: 'int' },
      doc: 'open(2) flags without O_CREAT, O_EXCL, O_NOCTTY and O_TRUNC, which the kernel drops on opening',
      example: '32768',
    },
    { name: 'file.write', type: { kind: 'bool' }, doc: 'opened for writing', example: 'false' },
    { name: 'file.uid', type: { kind: 'int' }, doc: 'user id of the owner', example: '0' },
    { name: 'file.mode', type: { kind: 'int' }, doc: 'st_mode: type and permission bits', example: '33184' },
    { name: 'file.inode', type: { kind: 'int' }, doc: 'inode number', example: '262401' },
    {
      name: 'file.name',
      type: { kind: 'string', maxBytes: 256 },
      doc: 'last component of the path',
      example: 'shadow',
    },
    {
      name: 'file.path',
      type: { kind: 'string', maxBytes: PATH_MAX_BYTES },
      doc: 'path with links resolved, as the process sees it',
      example: '/etc/shadow',
    },
  ],
};
