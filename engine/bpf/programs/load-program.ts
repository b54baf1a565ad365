import { type ObjectFile, PROGRAM_TYPE } from '../../bytecode/index.js';
import { VespidError } from '../../errors/index.js';
import { BpfProgram, type OwnedFd, type ProgramLoad } from '../../kernel/index.js';
import type { ResolvedTarget } from './attach-target.js';
import type { PreparedProgram } from './prepare-program.js';

/**
 * What the kernel knows of a program when it decides whether to load it, besides its instructions. Who keeps a
 * gate before the verifier compares these.
 */
export interface ProgramLoadFacts {
  readonly programType: number;
  readonly expectedAttachType: number;
  /** BTF type id of the attach target, or 0. */
  readonly attachBtfId: number;
  /** Id of the BTF object which that type is of, or 0. */
  readonly attachBtfObjectId: number;
  /** Whether another program is extended or traced. */
  readonly hasTargetProgram: boolean;
  readonly license: string;
}

/** Called right before every BPF_PROG_LOAD, also the second one of a refused program, for its log. */
export type Admit = (facts: ProgramLoadFacts, instructions: Uint8Array) => void;

/** BPF_F_XDP_HAS_FRAGS of include/uapi/linux/bpf.h. */
const XDP_HAS_FRAGMENTS = 1 << 5;

/**
 * BPF_PROG_LOAD of a program whose instructions are final. Every program of every kind goes through here.
 *
 * @param btf the object's types in the kernel, if they were loaded
 * @throws VespidError PROGRAM_REFUSED, KERNEL_*
 */
export function loadProgram(
  object: ObjectFile,
  prepared: PreparedProgram,
  target: ResolvedTarget,
  btf: OwnedFd | undefined,
  admit: Admit | undefined,
): BpfProgram {
  const { linked, meaning } = prepared.selected;
  const { instructions } = prepared;
  const expectedAttachType = prepared.expectedAttachType ?? meaning.attachType;
  checkStructOpsProgram(object, prepared, target);
  const admission = (): Pick<ProgramLoad, 'beforeAttempt'> => {
    if (admit === undefined) return {};
    // Only here: the id of a BTF object takes several calls to find.
    const facts: ProgramLoadFacts = {
      programType: meaning.programType,
      expectedAttachType,
      attachBtfId: target.attachBtfId,
      attachBtfObjectId: target.attachBtfObjectId(),
      hasTargetProgram: target.attachProgram !== undefined,
      license: object.license,
    };
    return { beforeAttempt: () => admit(facts, instructions) };
  };
  return BpfProgram.load({
    name: linked.name,
    type: meaning.programType,
    expectedAttachType,
    attachBtfId: target.attachBtfId,
    ...(target.attachBtfFd === undefined ? {} : { attachBtfFd: target.attachBtfFd }),
    ...(target.attachProgram === undefined ? {} : { attachProgram: target.attachProgram }),
    license: object.license,
    kernelVersion: object.kernelVersion,
    instructions,
    sleepable: meaning.sleepable,
    flags: meaning.hasFragments ? XDP_HAS_FRAGMENTS : 0,
    btf,
    functionInfo: linked.functionInfo,
    lines: linked.lines,
    ...(prepared.fdArray === undefined ? {} : { fdArray: prepared.fdArray }),
    ...admission(),
  });
}

/** The kernel would only say EINVAL. */
function checkStructOpsProgram(
  object: ObjectFile,
  { selected }: PreparedProgram,
  target: ResolvedTarget,
): void {
  if (selected.meaning.programType !== PROGRAM_TYPE['struct-ops'] || target.attachBtfId !== 0) return;
  throw new VespidError(
    'ATTACH_TARGET_UNKNOWN',
    `${object.name}: program ${selected.function.name}: no struct_ops variable of the object uses it`,
    { hint: 'set it as a member of a variable in SEC(".struct_ops"), or leave it out' },
  );
}
