import { ATTACH_TYPE, type BtfKind, PROGRAM_TYPE, type SectionMeaning } from '../../bytecode/index.js';
import { closestName, VespidError } from '../../errors/index.js';
import {
  type BpfProgram,
  findVmlinuxBtfId,
  type KernelType,
  type KernelTypes,
  readBtfById,
} from '../../kernel/index.js';
import type { SelectedProgram } from '../selection.js';

/** Where a program goes that its section does not say, or instead of what its section says. */
export interface AttachTarget {
  /** A function, hook or tracepoint, as it would follow the slash of the section's name: `vfs_read`. */
  readonly name?: string;
  /** A program whose function is meant: for `freplace`, and for `fentry` and `fexit` on a program. */
  readonly program?: BpfProgram;
}

/** BPF_PROG_LOAD's attach_* fields. */
export interface ResolvedTarget {
  readonly attachBtfId: number;
  /** Of a module; undefined for the kernel itself. */
  readonly attachBtfFd: number | undefined;
  /** The kernel's id of the BTF object that the type is of, 0 for a program's; asked for a gate only. */
  readonly attachBtfObjectId: () => number;
  readonly attachProgram: BpfProgram | undefined;
}

export const NO_TARGET: ResolvedTarget = {
  attachBtfId: 0,
  attachBtfFd: undefined,
  attachBtfObjectId: () => 0,
  attachProgram: undefined,
};

/**
 * Finds what a program attaches to by its section or by the caller's wish.
 *
 * @throws VespidError ATTACH_TARGET_UNKNOWN, KERNEL_*
 */
export function resolveTarget(
  selected: SelectedProgram,
  wish: AttachTarget | undefined,
  types: () => KernelTypes,
): ResolvedTarget {
  const { meaning } = selected;
  const form = targetForm(meaning);
  if (form === undefined) return NO_TARGET;
  const name = wish?.name ?? meaning.attachTarget;
  if (name === null)
    throw unknown(selected, 'its section names no target', 'give one in the `targets` of loadObject');
  if (wish?.program !== undefined) return targetOfProgram(selected, name, wish.program);
  if (meaning.programType === PROGRAM_TYPE.ext) {
    throw unknown(
      selected,
      `it replaces ${name} of another program`,
      'give that program in the `targets` of loadObject',
    );
  }
  return targetOfKernel(selected, name, form, types());
}

function targetOfProgram(selected: SelectedProgram, name: string, program: BpfProgram): ResolvedTarget {
  const { btfId } = program.info();
  const btf = btfId === 0 ? undefined : readBtfById(btfId);
  const [typeId] = btf?.idsByName(name, 'function') ?? [];
  if (typeId !== undefined) return { ...NO_TARGET, attachBtfId: typeId, attachProgram: program };
  const reason =
    btf === undefined ? 'the program to attach to has no BTF' : `that program has no function ${name}`;
  throw unknown(selected, reason, 'name one of its functions, built with -g');
}

function targetOfKernel(
  selected: SelectedProgram,
  name: string,
  { prefix, kind }: TargetForm,
  types: KernelTypes,
): ResolvedTarget {
  const found = findTarget(types, kind, prefix, name);
  if (found !== undefined) return kernelTarget(found);
  const plainName = name.slice(name.indexOf(':') + 1);
  const near = closestName(plainName, comparableNames(plainName, types, prefix, kind));
  throw unknown(
    selected,
    `this kernel has no ${whatIs(prefix)} ${name}`,
    near === undefined
      ? 'see `bpftool btf dump file /sys/kernel/btf/vmlinux` for what there is'
      : `did you mean ${near}?`,
  );
}

/** The kernel's BTF names a target by this prefix and the target's name, in a type of this kind. */
interface TargetForm {
  readonly prefix: '' | 'bpf_lsm_' | 'btf_trace_' | 'bpf_iter_';
  readonly kind: 'function' | 'typedef';
}

/** Undefined for programs that are loaded without a target. */
function targetForm({ programType, attachType }: SectionMeaning): TargetForm | undefined {
  switch (programType) {
    case PROGRAM_TYPE.lsm:
      return { prefix: 'bpf_lsm_', kind: 'function' };
    case PROGRAM_TYPE.ext:
      return { prefix: '', kind: 'function' };
    case PROGRAM_TYPE.tracing:
      if (attachType === ATTACH_TYPE['trace-raw-tp']) return { prefix: 'btf_trace_', kind: 'typedef' };
      if (attachType === ATTACH_TYPE['trace-iter']) return { prefix: 'bpf_iter_', kind: 'function' };
      return { prefix: '', kind: 'function' };
    default:
      return undefined;
  }
}

/** Those of nearly the same length: a kernel has some 60,000 functions, and comparing costs by the letter. */
function comparableNames(name: string, types: KernelTypes, prefix: string, kind: BtfKind): string[] {
  const slack = Math.max(2, Math.floor(name.length / 3));
  const names: string[] = [];
  const { vmlinux } = types;
  for (const typeId of vmlinux.idsOfKind(kind)) {
    const each = vmlinux.nameOf(typeId);
    const isComparable = Math.abs(each.length - prefix.length - name.length) <= slack;
    if (isComparable && each.startsWith(prefix)) names.push(each.slice(prefix.length));
  }
  return names;
}

/** A type of the kernel or of a module, as BPF_PROG_LOAD takes it. */
export function kernelTarget({ typeId, moduleBtfFd, moduleBtfId }: Omit<KernelType, 'btf'>): ResolvedTarget {
  return {
    attachBtfId: typeId,
    attachBtfFd: moduleBtfFd,
    attachBtfObjectId: () => moduleBtfId ?? findVmlinuxBtfId(),
    attachProgram: undefined,
  };
}

/** `module:name` looks in that module alone. */
function findTarget(types: KernelTypes, kind: BtfKind, prefix: string, name: string): KernelType | undefined {
  const colon = name.indexOf(':');
  if (colon === -1) return types.find(kind, `${prefix}${name}`);
  const moduleName = name.slice(0, colon);
  const plainName = `${prefix}${name.slice(colon + 1)}`;
  if (moduleName === 'vmlinux') return types.find(kind, plainName);
  return types.findInModule(moduleName, kind, plainName);
}

function whatIs(prefix: string): string {
  switch (prefix) {
    case 'bpf_lsm_':
      return 'LSM hook';
    case 'btf_trace_':
      return 'tracepoint';
    case 'bpf_iter_':
      return 'iterator';
    default:
      return 'function';
  }
}

function unknown({ function: program, linked }: SelectedProgram, what: string, hint: string): VespidError {
  return new VespidError(
    'ATTACH_TARGET_UNKNOWN',
    `${linked.objectName}: program ${program.name} (${program.section}): ${what}`,
    { hint, details: { object: linked.objectName, program: program.name, section: program.section } },
  );
}
