import { type Label, R0, R1, R2, R3, R6, R8, R9 } from '../engine/bytecode/index.js';
import type { AttachableHook, AttachPoint } from './attach-candidate.js';
import type { HookDefinition } from './definition.js';
import { fileFields } from './file-fields.js';
import { PROCESS_FIELDS } from './process-fields.js';
import { fileReaders } from './program/file-readers.js';
import { type Frame, probeRead } from './program/frame.js';
import { kernelField } from './program/kernel-types.js';
import { PROCESS_READERS } from './program/process-readers.js';
import type { FieldReaders } from './program/readers.js';
import { LSM_RETURNS, NO_LSM, TRACEPOINT_RETURNS } from './program/returns.js';

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
    {
      name: 'file.write',
      type: { kind: 'bool' },
      doc: 'opened for writing, or emptied on opening (O_TRUNC; not seen by the tracepoint)',
      example: 'false',
    },
    ...fileFields('file', 'file', '/etc/shadow'),
  ],
};

/** Added to the flags of opens by exec, FMODE_EXEC of include/linux/fs.h. */
const FMODE_EXEC = 0x20;
/** Bits of f_flags that a program may see: not O_CREAT, O_EXCL, O_NOCTTY, O_TRUNC (asm-generic/fcntl.h), nor the
 * kernel's own bits. */
const VISIBLE_FLAGS = 0x007f_ffff & ~0o1700 & ~FMODE_EXEC;
const O_ACCMODE = 3;
/** Still in f_flags when the LSM hook runs: open(path, O_RDONLY | O_TRUNC) empties the file. */
const O_TRUNC = 0o1000;

const ofFile = fileReaders('file', []);

function readers(writeFlags: number): FieldReaders {
  return {
    integers: {
      ...PROCESS_READERS.integers,
      ...ofFile.integers,
      'file.flags': (frame) => readFlags(frame, VISIBLE_FLAGS),
      'file.write': (frame) => {
        const readOnly = frame.assembler.label('read only');
        readFlags(frame, writeFlags);
        frame.assembler.jumpIfImmediate('==', R0, 0, readOnly).moveImmediate(R0, 1).place(readOnly);
      },
    },
    strings: { ...PROCESS_READERS.strings, ...ofFile.strings },
    pathEndsOtherwise: ofFile.pathEndsOtherwise,
  };
}

function readFlags(frame: Frame, mask: number): void {
  frame.readHookField([kernelField('file', 'f_flags')], 4);
  frame.assembler.aluImmediate('and', R0, mask);
}

/** `int file_open(struct file *file)`, include/linux/lsm_hook_defs.h. */
const LSM: AttachPoint = {
  section: 'lsm/file_open',
  functionName: 'file_open_lsm',
  access: 'direct',
  readers: readers(O_ACCMODE | O_TRUNC),
  returns: LSM_RETURNS,
  scopedByAttachment: false,
  setup: ({ assembler }) => void assembler.load(8, R8, R6, 0),
};

/** x86-64 and i386 system calls that return a new file: open, creat, openat, open_by_handle_at, openat2. */
const OPEN_CALLS = { x64: [2, 85, 257, 304, 437], ia32: [5, 8, 295, 342, 437] };
/** Marks x32 calls, __X32_SYSCALL_BIT of asm/unistd.h; these five have their native numbers there. */
const X32_CALL = 0x4000_0000;
/** Set while a task is in an i386 system call, arch/x86/include/asm/thread_info.h. */
const TS_COMPAT = 2;

/** `sys_exit(struct pt_regs *regs, long ret)`: the file is in the table already, but user space has not run. */
const TRACEPOINT: AttachPoint = {
  section: 'tp_btf/sys_exit',
  functionName: 'file_open_exit',
  access: 'probe',
  readers: readers(O_ACCMODE),
  returns: TRACEPOINT_RETURNS,
  scopedByAttachment: false,
  filter: filterOpenCalls,
  setup: findFileOfDescriptor,
};

function filterOpenCalls({ assembler }: Frame, ignore: Label): void {
  const opened = assembler.label('opened');
  const native = assembler.label('native call');
  assembler
    .load(8, R9, R6, 8)
    .jumpIfImmediate('s<', R9, 0, ignore)
    .load(8, R1, R6, 0)
    .loadField(8, R8, R1, kernelField('pt_regs', 'orig_ax'))
    .callHelper('get_current_task_btf')
    .loadField(4, R1, R0, kernelField('task_struct', 'thread_info', 'status'))
    .aluImmediate('and', R1, TS_COMPAT)
    .jumpIfImmediate('==', R1, 0, native);
  for (const call of OPEN_CALLS.ia32) assembler.jumpIfImmediate('==', R8, call, opened);
  assembler.jump(ignore).place(native).aluImmediate('and', R8, ~X32_CALL);
  for (const call of OPEN_CALLS.x64) assembler.jumpIfImmediate('==', R8, call, opened);
  assembler.jump(ignore).place(opened);
}

/** R8 = current->files->fdt->fd[R9]. Another thread may close it meanwhile: then what is read is not the file. */
function findFileOfDescriptor({ assembler }: Frame, ignore: Label): void {
  assembler
    .callHelper('get_current_task_btf')
    .loadField(8, R0, R0, kernelField('task_struct', 'files'))
    .loadField(8, R0, R0, kernelField('files_struct', 'fdt'))
    .loadField(4, R2, R0, kernelField('fdtable', 'max_fds'))
    .jumpIf('>=', R9, R2, ignore)
    .loadField(8, R3, R0, kernelField('fdtable', 'fd'))
    .aluImmediate('lsh', R9, 3)
    .alu('add', R3, R9);
  probeRead(assembler, 8);
  assembler.jumpIfImmediate('==', R0, 0, ignore).move(R8, R0);
}

export const FILE_OPEN_HOOK: AttachableHook = {
  definition: FILE_OPEN,
  candidates: [
    {
      id: 'lsm',
      requires: 'bpf-lsm',
      effects: ['audit', 'deny', 'kill'],
      weaker: {},
      guarantee: 'deny gives the caller EPERM and nothing is opened',
      points: [LSM],
    },
    {
      id: 'tracepoint',
      requires: 'tracepoint-btf',
      effects: ['audit', 'kill'],
      weaker: { deny: { effect: 'kill', reason: NO_LSM } },
      guarantee:
        'kill ends the process after the open, before it runs on; a process that shares its descriptors can still read the file, and io_uring is not seen',
      points: [TRACEPOINT],
    },
  ],
};
