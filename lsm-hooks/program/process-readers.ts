import { R0, R2, R3 } from '../../engine/bytecode/index.js';
import type { Frame } from './frame.js';
import { kernelField } from './kernel-types.js';
import { emitPathWalk } from './path-walk.js';
import type { FieldReaders } from './readers.js';
import type { StringPlace } from './scratch-layout.js';
import { emitCopyKernelString, emitEmptyString } from './strings.js';

const task = (...path: string[]) => kernelField('task_struct', ...path);

/** The fields of the acting process: the current task, in the same way at every attach point. */
export const PROCESS_READERS: FieldReaders = {
  integers: {
    'process.pid': (frame) => frame.readTaskField([task('tgid')], 4),
    'process.tid': (frame) => frame.readTaskField([task('pid')], 4),
    'process.ppid': (frame) => frame.readTaskField([task('real_parent'), task('tgid')], 4),
    'process.uid': (frame) => frame.readTaskField([task('cred'), kernelField('cred', 'uid', 'val')], 4),
    'process.gid': (frame) => frame.readTaskField([task('cred'), kernelField('cred', 'gid', 'val')], 4),
    'process.cgroup_id': (frame) =>
      frame.readTaskField(
        [
          task('cgroups'),
          kernelField('css_set', 'dfl_cgrp'),
          kernelField('cgroup', 'kn'),
          kernelField('kernfs_node', 'id'),
        ],
        8,
      ),
  },
  strings: { 'process.comm': gatherComm, 'process.exe': gatherExecutable },
};

function gatherComm(frame: Frame, place: StringPlace): void {
  frame.assembler.callHelper('get_current_task').move(R3, R0).addFieldOffset(R3, task('comm'));
  emitCopyKernelString(frame, place);
}

/** task->mm->exe_file; a task without one, a kernel thread, has the empty path. */
function gatherExecutable(frame: Frame, place: StringPlace): void {
  const { assembler } = frame;
  const none = assembler.label('no executable');
  const done = assembler.label('done');
  assembler
    .callHelper('get_current_task_btf')
    .loadField(8, R0, R0, task('mm'))
    .jumpIfImmediate('==', R0, 0, none)
    .loadField(8, R0, R0, kernelField('mm_struct', 'exe_file'))
    .jumpIfImmediate('==', R0, 0, none)
    .loadField(8, R2, R0, kernelField('file', 'f_path', 'dentry'))
    .loadField(8, R3, R0, kernelField('file', 'f_path', 'mnt'));
  emitPathWalk(frame, place);
  assembler.jump(done).place(none);
  emitEmptyString(frame, place);
  assembler.place(done);
}
