import { closestName, VespidError } from '../../errors/index.js';
import { ATTACH_TYPE, type AttachTypeName, PROGRAM_TYPE, type ProgramTypeName } from './program-type.js';
import { SECTION_CONVENTIONS, type SectionConvention } from './section-conventions.js';

/** What the section name of a program says about loading and attaching it. */
export interface SectionMeaning {
  readonly programTypeName: ProgramTypeName;
  /** enum bpf_prog_type */
  readonly programType: number;
  /** enum bpf_attach_type: BPF_PROG_LOAD's expected_attach_type, 0 where the kernel ignores it. */
  readonly attachType: number;
  /** Null where the kernel ignores it: 0 is also a name, `cgroup-inet-ingress`. */
  readonly attachTypeName: AttachTypeName | null;
  /** What follows the first slash: a hook, a function, `category/name` of a tracepoint; null if nothing. */
  readonly attachTarget: string | null;
  /**
   * The kernel type whose BTF id is BPF_PROG_LOAD's attach_btf_id; null for programs that need none, and where
   * the target is another program's function or is not said.
   */
  readonly attachBtf: { readonly kind: 'function' | 'typedef'; readonly name: string } | null;
  /**
   * What must be known to load the program: a function or tracepoint of the kernel (or, for fentry and fexit,
   * of another program), a function of another program (freplace), or nothing.
   */
  readonly needsTarget: 'kernel' | 'program' | 'none';
  /** BPF_F_SLEEPABLE */
  readonly sleepable: boolean;
  /** BPF_F_XDP_HAS_FRAGS */
  readonly hasFragments: boolean;
  /** False for `?section`: loaded only where the user asks for it. */
  readonly isLoadedByDefault: boolean;
}

const BY_NAME: ReadonlyMap<string, SectionConvention> = new Map(
  SECTION_CONVENTIONS.map((convention) => [convention.name, convention]),
);

/**
 * What libbpf's `SEC("…")` conventions say about a section name: the whole of it, or what is before the first
 * slash if a target may follow. No two conventions match one name, so that their order does not count.
 * @throws VespidError OBJECT_SECTION_UNKNOWN
 */
export function parseSectionName(section: string): SectionMeaning {
  const isLoadedByDefault = !section.startsWith('?');
  const name = isLoadedByDefault ? section : section.slice(1);
  const exact = BY_NAME.get(name);
  if (exact !== undefined) return meaningOf(exact, null, isLoadedByDefault);
  const slash = name.indexOf('/');
  const convention = slash === -1 ? undefined : BY_NAME.get(name.slice(0, slash));
  if (convention?.mayHaveTarget === true) {
    return meaningOf(convention, name.slice(slash + 1) || null, isLoadedByDefault);
  }
  const near = closestName(name, BY_NAME.keys());
  throw new VespidError('OBJECT_SECTION_UNKNOWN', `section name ${section} says no known program type`, {
    hint:
      near === undefined
        ? 'use a name of libbpf, for example lsm/file_open, tp_btf/sched_switch or cgroup/connect4'
        : `did you mean ${near}?`,
    details: { section },
  });
}

function meaningOf(
  { programType, attachType, btf, sleepable, hasFragments }: SectionConvention,
  attachTarget: string | null,
  isLoadedByDefault: boolean,
): SectionMeaning {
  const isOfKernel = btf !== undefined && btf.kind !== 'program';
  return {
    programTypeName: programType,
    programType: PROGRAM_TYPE[programType],
    attachType: attachType === undefined ? 0 : ATTACH_TYPE[attachType],
    attachTypeName: attachType ?? null,
    attachTarget,
    attachBtf:
      isOfKernel && attachTarget !== null ? { kind: btf.kind, name: btf.prefix + attachTarget } : null,
    needsTarget: btf === undefined ? 'none' : btf.kind === 'program' ? 'program' : 'kernel',
    sleepable,
    hasFragments,
    isLoadedByDefault,
  };
}
