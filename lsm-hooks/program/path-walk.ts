import {
  type Assembler,
  type FieldPath,
  type Label,
  R0,
  R1,
  R2,
  R3,
  R4,
  R6,
  R7,
  R8,
  R9,
  R10,
} from '../../engine/bytecode/index.js';
import { PATH_MAX_BYTES } from '../process-fields.js';
import { STRING_STATUS } from '../record-layout.js';
import { type Frame, probeRead } from './frame.js';
import { kernelField } from './kernel-types.js';
import { SCRATCH, STRING_STATE, type StringPlace } from './scratch-layout.js';

/**
 * The path of a dentry on a mount: from the last component up to the top of the mount tree that the mount is in,
 * crossing mounts, written backwards from the end of the buffer. The task's own root does not end the walk, so
 * that chroot(2) changes no path. The same bytecode serves every attach point; `bpf_d_path` would do for sleepable
 * LSM programs only.
 *
 * A path that is longer than the buffer is marked truncated. One that cannot be known is marked unavailable: too
 * many steps (mounts stacked on purpose), a walk that ends at a file without a parent which is no root of a mount
 * (opened by handle, or moved out of the mount).
 */
const MAX_STEPS = PATH_MAX_BYTES;
/** How the walk ended, in `walk.finished`. */
const ENDED = { unknown: 0, whole: 1, full: 2 } as const;
const NAME_MAX_BYTES = 255;

/** Calls the walk for `place` with the dentry in R2 and the vfsmount in R3. */
export function emitPathWalk(frame: Frame, place: StringPlace): void {
  const suffix = place.field.name.replaceAll('.', '_');
  const step = frame.subprograms.require(`walk_${suffix}_step`, (assembler) =>
    assembleStep(assembler, place),
  );
  const walk = frame.subprograms.require(`walk_${suffix}`, (assembler) =>
    assembleWalk(assembler, place, step),
  );
  frame.assembler.move(R1, R7).callFunction(walk);
}

/** walk(working memory, dentry, vfsmount) */
function assembleWalk(assembler: Assembler, place: StringPlace, step: string): void {
  const { walk } = SCRATCH;
  const { stateOffset } = place;
  assembler.move(R7, R1).store(8, R7, walk.dentry, R2).store(8, R7, walk.mount, R3);
  assembler.addFieldOffset(R3, kernelField('vfsmount', 'mnt_root'));
  probeRead(assembler, 8);
  assembler.store(8, R7, walk.mountRoot, R0);
  assembler
    .storeImmediate(4, R7, walk.position, PATH_MAX_BYTES)
    .storeImmediate(4, R7, walk.finished, ENDED.unknown)
    .store(8, R10, -8, R7)
    .moveImmediate(R1, MAX_STEPS)
    .loadFunction(R2, step)
    .move(R3, R10)
    .aluImmediate('add', R3, -8)
    .moveImmediate(R4, 0)
    .callHelper('loop');

  const known = assembler.label('status known');
  const notEmpty = assembler.label('not empty');
  assembler
    .load(4, R1, R7, walk.finished)
    .storeImmediate(4, R7, stateOffset + STRING_STATE.status, 0)
    .jumpIfImmediate('==', R1, ENDED.whole, known)
    .storeImmediate(4, R7, stateOffset + STRING_STATE.status, STRING_STATUS.truncated)
    .jumpIfImmediate('==', R1, ENDED.full, known)
    .storeImmediate(4, R7, stateOffset + STRING_STATE.status, STRING_STATUS.unavailable)
    .place(known)
    .load(4, R1, R7, walk.position)
    .jumpIfImmediate('<', R1, PATH_MAX_BYTES, notEmpty)
    .storeImmediate(1, R7, place.bufferOffset + PATH_MAX_BYTES - 1, '/'.charCodeAt(0))
    .moveImmediate(R1, PATH_MAX_BYTES - 1)
    .place(notEmpty)
    .store(4, R7, stateOffset + STRING_STATE.start, R1)
    .moveImmediate(R2, PATH_MAX_BYTES)
    .alu('sub', R2, R1)
    .store(4, R7, stateOffset + STRING_STATE.length, R2)
    .moveImmediate(R0, 0)
    .exit();
}

/** step(index, &working memory): 1 ends the loop. */
function assembleStep(assembler: Assembler, place: StringPlace): void {
  const { walk } = SCRATCH;
  const climb = assembler.label('climb');
  const whole = assembler.label('whole');
  const stop = assembler.label('stop');
  assembler
    .load(8, R7, R2, 0)
    .load(8, R6, R7, walk.dentry)
    .load(8, R8, R7, walk.mount)
    .load(8, R1, R7, walk.mountRoot)
    .jumpIf('!=', R6, R1, climb);
  emitCrossMount(assembler, whole, stop);
  assembler.place(climb);
  emitClimb(assembler, place, whole, stop);
  assembler.place(whole).storeImmediate(4, R7, walk.finished, ENDED.whole);
  assembler.place(stop).moveImmediate(R0, 1).exit();
}

/** At the root of a mount: go on at the place where it is mounted. A mount that is its own parent is the top. */
function emitCrossMount(assembler: Assembler, whole: Label, stop: Label): void {
  const { walk } = SCRATCH;
  const mountOfVfsmount: FieldPath = kernelField('mount', 'mnt');
  assembler.move(R9, R8).subtractFieldOffset(R9, mountOfVfsmount);
  assembler.move(R3, R9).addFieldOffset(R3, kernelField('mount', 'mnt_parent'));
  probeRead(assembler, 8);
  assembler
    .jumpIf('==', R0, R9, whole)
    .jumpIfImmediate('==', R0, 0, stop)
    .move(R8, R0)
    .addFieldOffset(R8, mountOfVfsmount);
  assembler.move(R3, R9).addFieldOffset(R3, kernelField('mount', 'mnt_mountpoint'));
  probeRead(assembler, 8);
  assembler.store(8, R7, walk.dentry, R0).store(8, R7, walk.mount, R8);
  assembler.move(R3, R8).addFieldOffset(R3, kernelField('vfsmount', 'mnt_root'));
  probeRead(assembler, 8);
  assembler.store(8, R7, walk.mountRoot, R0).moveImmediate(R0, 0).exit();
}

/** Writes "/name" before what is there already and goes on at the parent. */
function emitClimb(assembler: Assembler, place: StringPlace, whole: Label, stop: Label): void {
  const { walk } = SCRATCH;
  const hasParent = assembler.label('has a parent');
  const full = assembler.label('full');
  assembler.move(R3, R6).addFieldOffset(R3, kernelField('dentry', 'd_parent'));
  probeRead(assembler, 8);
  assembler.jumpIfImmediate('==', R0, 0, stop).store(8, R7, walk.dentry, R0).jumpIf('!=', R0, R6, hasParent);
  emitOrphan(assembler, whole, stop);
  assembler.place(hasParent);
  assembler.move(R3, R6).addFieldOffset(R3, kernelField('dentry', 'd_name', 'len'));
  probeRead(assembler, 4);
  // Some file systems (FUSE, vfat) have names of more than NAME_MAX bytes.
  assembler.move(R9, R0).jumpIfImmediate('>', R9, NAME_MAX_BYTES, full);
  assembler.move(R3, R6).addFieldOffset(R3, kernelField('dentry', 'd_name', 'name'));
  probeRead(assembler, 8);
  assembler
    .move(R3, R0)
    .load(4, R8, R7, walk.position)
    .move(R1, R9)
    .aluImmediate('add', R1, 1)
    .jumpIf('<', R8, R1, full)
    .alu('sub', R8, R1)
    .store(4, R7, walk.position, R8)
    .aluImmediate('and', R8, PATH_MAX_BYTES - 1)
    .move(R1, R7)
    .alu('add', R1, R8)
    .storeImmediate(1, R1, place.bufferOffset, '/'.charCodeAt(0))
    .aluImmediate('add', R1, place.bufferOffset + 1)
    // R9 is in bounds already; some verifiers (6.12) forget its lower bound after the comparison above.
    .move(R2, R9)
    .aluImmediate('and', R2, NAME_MAX_BYTES)
    .callHelper('probe_read_kernel')
    // A pseudo file ends here: its dentry is its own parent.
    .load(8, R1, R7, walk.dentry)
    .jumpIf('==', R1, R6, whole)
    .moveImmediate(R0, 0)
    .exit()
    .place(full)
    .storeImmediate(4, R7, walk.finished, ENDED.full)
    .jump(stop);
}

/**
 * The dentry in R6 is its own parent and not the root of its mount. As d_path() of fs/d_path.c has it, one with an
 * operation `d_dname` is a pseudo file (memfd, pipe, namespace): its name is all of its path. Where that starts
 * with a slash it says nothing (nsfs, pidfs), and the path is "/".
 */
function emitOrphan(assembler: Assembler, whole: Label, stop: Label): void {
  assembler.move(R3, R6).addFieldOffset(R3, kernelField('dentry', 'd_op'));
  probeRead(assembler, 8);
  assembler
    .jumpIfImmediate('==', R0, 0, stop)
    .move(R3, R0)
    .addFieldOffset(R3, kernelField('dentry_operations', 'd_dname'));
  probeRead(assembler, 8);
  assembler.jumpIfImmediate('==', R0, 0, stop);
  assembler.move(R3, R6).addFieldOffset(R3, kernelField('dentry', 'd_name', 'name'));
  probeRead(assembler, 8);
  assembler.move(R3, R0);
  probeRead(assembler, 1);
  assembler.jumpIfImmediate('==', R0, '/'.charCodeAt(0), whole).jumpIfImmediate('==', R0, 0, whole);
}
