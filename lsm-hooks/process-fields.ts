import type { FieldDefinition } from './definition.js';

/** The longest path that is read, PATH_MAX of linux/limits.h. */
export const PATH_MAX_BYTES = 4096;

/** The acting process, the same on every hook. Ids are those of the initial namespaces. */
export const PROCESS_FIELDS: readonly FieldDefinition[] = [
  {
    name: 'process.pid',
    type: { kind: 'int' },
    doc: 'process id (the kernel calls it tgid)',
    example: '4242',
  },
  { name: 'process.tid', type: { kind: 'int' }, doc: 'thread id (the kernel calls it pid)', example: '4242' },
  { name: 'process.ppid', type: { kind: 'int' }, doc: 'process id of the parent', example: '1' },
  { name: 'process.uid', type: { kind: 'int' }, doc: 'real user id', example: '1000' },
  { name: 'process.gid', type: { kind: 'int' }, doc: 'real group id', example: '1000' },
  {
    name: 'process.cgroup_id',
    type: { kind: 'int' },
    doc: 'cgroup v2 id: the inode number of its directory',
    example: '2131',
  },
  {
    name: 'process.comm',
    type: { kind: 'string', maxBytes: 16 },
    doc: 'thread name, at most 15 bytes; a process can set its own',
    example: 'cat',
  },
  {
    name: 'process.exe',
    type: { kind: 'string', maxBytes: PATH_MAX_BYTES },
    doc: 'path of the executable that the process runs, in its mount namespace; not what code runs in it',
    example: '/usr/bin/cat',
  },
];
