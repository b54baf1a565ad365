import type { FieldDefinition } from './definition.js';
import { PATH_MAX_BYTES } from './process-fields.js';

/** More than NAME_MAX of linux/limits.h and the NUL, so that a full buffer means a longer name (FUSE has them). */
const NAME_BYTES = 264;

/**
 * What every hook about a file says of it; `program/file-readers.ts` reads them.
 *
 * @param prefix first part of the names, `file`
 * @param what the file in words, `program file`
 * @param example a path
 */
export function fileFields(prefix: string, what: string, example: string): FieldDefinition[] {
  return [
    {
      name: `${prefix}.uid`,
      type: { kind: 'int' },
      doc: `user id of the owner of the ${what}`,
      example: '0',
    },
    {
      name: `${prefix}.mode`,
      type: { kind: 'int' },
      doc: `st_mode of the ${what}: type and permission bits`,
      example: '33261',
    },
    { name: `${prefix}.inode`, type: { kind: 'int' }, doc: `inode number of the ${what}`, example: '262401' },
    {
      name: `${prefix}.name`,
      type: { kind: 'string', maxBytes: NAME_BYTES },
      doc: `name of the ${what} in its directory: the last component of its path, unless it is mounted by itself`,
      example: example.slice(example.lastIndexOf('/') + 1),
    },
    {
      name: `${prefix}.path`,
      type: { kind: 'string', maxBytes: PATH_MAX_BYTES },
      doc: `path of the ${what} with links resolved, in the mount namespace of the process`,
      example,
    },
  ];
}
