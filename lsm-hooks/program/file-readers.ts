import { type FieldPath, R0, R1, R2, R3, R9, R10 } from '../../engine/bytecode/index.js';
import type { Frame } from './frame.js';
import { kernelField } from './kernel-types.js';
import { emitPathWalk } from './path-walk.js';
import type { FieldReaders } from './readers.js';
import type { StringPlace } from './scratch-layout.js';
import { emitCopyKernelString, emitUnavailable } from './strings.js';

type FileReaders = Required<Omit<FieldReaders, 'memory'>>;

/**
 * Readers of a `struct file`'s owner, mode, inode, name and path under a prefix (`file`, `exec`).
 *
 * @param toFile the chain from the hook's pointer (R8) to the file; empty when it is the file
 */
export function fileReaders(prefix: string, toFile: readonly FieldPath[]): FileReaders {
  const inode = [...toFile, kernelField('file', 'f_inode')];
  return {
    integers: {
      [`${prefix}.uid`]: (frame) => frame.readHookField([...inode, kernelField('inode', 'i_uid', 'val')], 4),
      [`${prefix}.mode`]: (frame) => frame.readHookField([...inode, kernelField('inode', 'i_mode')], 2),
      [`${prefix}.inode`]: (frame) => frame.readHookField([...inode, kernelField('inode', 'i_ino')], 8),
    },
    strings: {
      [`${prefix}.name`]: (frame, place) => gatherName(frame, place, toFile),
      [`${prefix}.path`]: (frame, place) => gatherPath(frame, place, toFile),
    },
    pathEndsOtherwise: { [`${prefix}.path`]: (frame) => readPathEndsOtherwise(frame, toFile) },
  };
}

const DENTRY = kernelField('file', 'f_path', 'dentry');
const MOUNT = kernelField('file', 'f_path', 'mnt');
const MOUNT_ROOT = kernelField('vfsmount', 'mnt_root');

/**
 * The name of the file in its directory. A file without a parent that the file system does not name itself was
 * opened by handle (open_by_handle_at(2)) while the kernel did not know its path: it has no name either.
 */
function gatherName(frame: Frame, place: StringPlace, toFile: readonly FieldPath[]): void {
  const { assembler } = frame;
  const named = assembler.label('named');
  const done = assembler.label('done');
  frame.readHookField([...toFile, DENTRY], 8);
  assembler.move(R9, R0);
  frame.readHookField([...toFile, DENTRY, kernelField('dentry', 'd_parent')], 8);
  assembler.jumpIf('!=', R0, R9, named);
  frame.readHookField([...toFile, MOUNT, MOUNT_ROOT], 8);
  assembler.jumpIf('==', R0, R9, named);
  frame.readHookField(
    [...toFile, DENTRY, kernelField('dentry', 'd_op'), kernelField('dentry_operations', 'd_dname')],
    8,
  );
  assembler.jumpIfImmediate('!=', R0, 0, named);
  emitUnavailable(frame, place);
  assembler.jump(done).place(named);
  frame.readHookField([...toFile, DENTRY, kernelField('dentry', 'd_name', 'name')], 8);
  assembler.move(R3, R0);
  emitCopyKernelString(frame, place);
  assembler.place(done);
}

/** R0 = 1 for the root of a mount, whose path ends in the name of the mount point, and for a file without a parent. */
function readPathEndsOtherwise(frame: Frame, toFile: readonly FieldPath[]): void {
  const { assembler } = frame;
  const otherwise = assembler.label('ends otherwise');
  const end = assembler.label('end');
  frame.readHookField([...toFile, DENTRY], 8);
  assembler.store(8, R10, -16, R0);
  frame.readHookField([...toFile, MOUNT, MOUNT_ROOT], 8);
  assembler.load(8, R1, R10, -16).jumpIf('==', R0, R1, otherwise);
  frame.readHookField([...toFile, DENTRY, kernelField('dentry', 'd_parent')], 8);
  assembler
    .load(8, R1, R10, -16)
    .jumpIf('==', R0, R1, otherwise)
    .moveImmediate(R0, 0)
    .jump(end)
    .place(otherwise)
    .moveImmediate(R0, 1)
    .place(end);
}

function gatherPath(frame: Frame, place: StringPlace, toFile: readonly FieldPath[]): void {
  frame.readHookField([...toFile, MOUNT], 8);
  frame.assembler.move(R9, R0);
  frame.readHookField([...toFile, DENTRY], 8);
  frame.assembler.move(R2, R0).move(R3, R9);
  emitPathWalk(frame, place);
}
