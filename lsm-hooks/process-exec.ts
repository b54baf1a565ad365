import { R0, R3, R6, R8 } from '../engine/bytecode/index.js';
import type { AttachableHook, AttachPoint } from './attach-candidate.js';
import type { HookDefinition } from './definition.js';
import { fileFields } from './file-fields.js';
import { PROCESS_FIELDS } from './process-fields.js';
import { gatherArgumentsAfterExec, gatherArgumentsOfCall } from './program/exec-arguments.js';
import { fileReaders } from './program/file-readers.js';
import { kernelField } from './program/kernel-types.js';
import { PROCESS_READERS } from './program/process-readers.js';
import type { FieldReaders } from './program/readers.js';
import { LSM_RETURNS, NO_LSM, TRACEPOINT_RETURNS } from './program/returns.js';
import { emitCopyKernelString, type StringGatherer } from './program/strings.js';

/** A program is executed. */
export const PROCESS_EXEC: HookDefinition = {
  name: 'process.exec',
  id: 2,
  doc: 'A process executes a program. A script is judged twice: as itself and as its interpreter.',
  fields: [
    ...PROCESS_FIELDS,
    ...fileFields('exec', 'program file', '/usr/bin/bash'),
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

const binprm = (...path: string[]) => kernelField('linux_binprm', ...path);
const ofFile = fileReaders('exec', [binprm('file')]);

const gatherFilename: StringGatherer = (frame, place) => {
  frame.readHookField([binprm('filename')], 8);
  frame.assembler.move(R3, R0);
  emitCopyKernelString(frame, place);
};

function readers(gatherArguments: StringGatherer, processStrings: FieldReaders['strings']): FieldReaders {
  return {
    integers: { ...PROCESS_READERS.integers, ...ofFile.integers },
    strings: {
      ...processStrings,
      ...ofFile.strings,
      'exec.filename': gatherFilename,
      'exec.args': gatherArguments,
    },
    pathEndsOtherwise: ofFile.pathEndsOtherwise,
  };
}

/** `int bprm_check_security(struct linux_binprm *bprm)`: the process is still the old program. */
const LSM: AttachPoint = {
  section: 'lsm/bprm_check_security',
  functionName: 'process_exec_lsm',
  access: 'direct',
  readers: readers(gatherArgumentsOfCall, PROCESS_READERS.strings),
  returns: LSM_RETURNS,
  scopedByAttachment: false,
  setup: ({ assembler }) => void assembler.load(8, R8, R6, 0),
};

/**
 * `sched_process_exec(struct task_struct *p, pid_t old_pid, struct linux_binprm *bprm)`: the process is the new
 * program and has not run yet. What it was before, its exe and comm, is gone, so those fields cannot be read.
 */
const TRACEPOINT: AttachPoint = {
  section: 'tp_btf/sched_process_exec',
  functionName: 'process_exec_done',
  access: 'direct',
  readers: readers(gatherArgumentsAfterExec, {}),
  returns: TRACEPOINT_RETURNS,
  scopedByAttachment: false,
  setup: ({ assembler }) => void assembler.load(8, R8, R6, 16),
};

export const PROCESS_EXEC_HOOK: AttachableHook = {
  definition: PROCESS_EXEC,
  candidates: [
    {
      id: 'lsm',
      requires: 'bpf-lsm',
      effects: ['audit', 'deny', 'kill'],
      weaker: {},
      guarantee: 'deny gives the caller EPERM and the program is not started',
      points: [LSM],
    },
    {
      id: 'tracepoint',
      requires: 'tracepoint-btf',
      effects: ['audit', 'kill'],
      weaker: { deny: { effect: 'kill', reason: NO_LSM } },
      guarantee: 'kill ends the process before the first instruction of the new program',
      points: [TRACEPOINT],
    },
  ],
};
