import { compareText, sortedNames } from './claim-order.js';

/** What a signer states about one eBPF program; the loader recomputes every member from the object's bytes. */
export interface ProgramClaim {
  /** Name of the object in the bundle. */
  readonly object: string;
  /** ELF section of the program, `lsm/file_open`; with `?` in front if it is not loaded by default. */
  readonly section: string;
  /** ELF symbol of the program. */
  readonly name: string;
  /** enum bpf_prog_type as bpftool prints it: `lsm`, `cgroup_sock_addr`. */
  readonly type: string;
  /** enum bpf_attach_type as bpftool prints it, `lsm_mac`; `''` for programs that are loaded without one. */
  readonly attachType: string;
  /** What the section names behind the slash: a hook, a function, a tracepoint; `''` if nothing. */
  readonly attachTarget: string;
  /** Of the object; `''` if it has none. */
  readonly license: string;
  /** 8-byte instruction slots, subprograms included. */
  readonly instructionCount: number;
  /** Lower-case hexadecimal SHA-256 of the program's instructions with its subprograms, before relocation. */
  readonly sha256: string;
  /** Those that its instructions name; global variables (`.rodata`, `.data`, `.bss`) are not listed. */
  readonly maps: readonly MapClaim[];
  /** Names of helpers that it calls, `bpf_get_current_comm`; `helper#999` for a number without a known name. */
  readonly helpers: readonly string[];
  /** Kernel functions that it calls, without the `___form` that an object may add. */
  readonly kfuncs: readonly string[];
  /** Kernel variables that it reads, and functions whose address it takes. */
  readonly kernelSymbols: readonly string[];
  /** Whether it is loaded with BPF_F_SLEEPABLE. */
  readonly sleepable: boolean;
  /** How many of its instructions a loader changes to fit a kernel's types. */
  readonly coreRelocationCount: number;
  readonly effects: readonly ProgramEffect[];
}

/**
 * What the bytes of a program can do to a task beyond watching it. `deny`: its result can refuse or alter an
 * operation and is not provably the neutral constant. `kill`: it can signal tasks.
 */
export type ProgramEffect = 'deny' | 'kill';

/** A map that a program uses; sizes in bytes. */
export interface MapClaim {
  readonly name: string;
  /** enum bpf_map_type as bpftool prints it, `percpu_hash`; `map#99` for a number without a known name. */
  readonly type: string;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  /** BPF_F_* of BPF_MAP_CREATE. */
  readonly flags: number;
}

/** `object.bpf.o#lsm/file_open/restrict`: the name under which a program's digest is a subject. */
export function programSubjectName(claim: Pick<ProgramClaim, 'object' | 'section' | 'name'>): string {
  return `${claim.object}#${claim.section}/${claim.name}`;
}

/**
 * The same claims in one order, with members of {@link ProgramClaim} only: programs by subject name, maps by
 * name, all names ascending and once. Equal sets of claims give equal canonical JSON.
 */
export function normalizeProgramClaims(claims: readonly ProgramClaim[]): readonly ProgramClaim[] {
  return claims
    .map(normalizeClaim)
    .sort((left, right) => compareText(programSubjectName(left), programSubjectName(right)));
}

function normalizeClaim(claim: ProgramClaim): ProgramClaim {
  const { object, section, name, type, attachType, attachTarget, license } = claim;
  const { instructionCount, sha256, sleepable, coreRelocationCount } = claim;
  return {
    ...{ object, section, name, type, attachType, attachTarget, license, instructionCount, sha256 },
    maps: claim.maps.map(normalizeMap).sort((left, right) => compareText(left.name, right.name)),
    helpers: sortedNames(claim.helpers),
    kfuncs: sortedNames(claim.kfuncs),
    kernelSymbols: sortedNames(claim.kernelSymbols),
    ...{ sleepable, coreRelocationCount },
    effects: sortedNames(claim.effects),
  };
}

function normalizeMap({ name, type, keySize, valueSize, maxEntries, flags }: MapClaim): MapClaim {
  return { name, type, keySize, valueSize, maxEntries, flags };
}
