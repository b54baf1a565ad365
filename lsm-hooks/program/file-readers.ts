import { type FieldPath, R0, R2, R3, R9 } from '../../engine/bytecode/index.js';
import type { Frame } from './frame.js';
import { kernelField } from './kernel-types.js';
import { emitPathWalk } from './path-walk.js';
import type { FieldReaders } from './readers.js';
import type { StringPlace } from './scratch-layout.js';
import { emitCopyKernelString } from './strings.js';

/**
 * Readers of a `struct file`'s owner, mode, inode, name and path under a prefix (`file`, `exec`).
 *
 * @param toFile the chain from the hook's pointer (R8) to the file; empty when it is the file
 */
export function fileReaders(prefix: string, toFile: readonly FieldPath[]): FieldReaders {
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
  };
}

function gatherName(frame: Frame, place: StringPlace, toFile: readonly FieldPath[]): void {
  const toName = [kernelField('file', 'f_path', 'dentry'), kernelField('dentry', 'd_name', 'name')];
  frame.readHookField([...toFile, ...toName], 8);
  frame.assembler.move(R3, R0);
  emitCopyKernelString(frame, place);
}

function gatherPath(frame: Frame, place: StringPlace, toFile: readonly FieldPath[]): void {
  frame.readHookField([...toFile, kernelField('file', 'f_path', 'mnt')], 8);
  frame.assembler.move(R9, R0);
  frame.readHookField([...toFile, kernelField('file', 'f_path', 'dentry')], 8);
  frame.assembler.move(R2, R0).move(R3, R9);
  emitPathWalk(frame, place);
}
