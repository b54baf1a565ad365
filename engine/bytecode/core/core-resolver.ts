import type { Btf } from '../btf/btf-reader.js';
import { type Access, parseAccess } from './access.js';
import { type Candidate, Candidates } from './candidates.js';
import type { CoreRelocation } from './core-relocation.js';
import type { CoreTarget } from './core-target.js';
import { describeAccess } from './describe.js';
import { matchCandidate } from './match-candidate.js';
import { relocatedValue } from './relocated-value.js';
import { coreError } from './relocation-error.js';
import { type CoreResolution, plainValue } from './resolution.js';

/** A candidate that fits, and what it makes of the relocation. */
interface Fit {
  readonly candidate: Candidate;
  readonly access: Access;
  readonly resolution: CoreResolution;
}

/**
 * Resolves the CO-RE relocations of one object against one kernel as libbpf does (Documentation/bpf/llvm_reloc.rst,
 * section "CO-RE Relocations"): every kernel type of the same essential name and kind is a candidate, all that fit
 * must agree, and if none fits the answer is "absent" for the kinds that ask, and poison for those that need it.
 *
 * An object repeats few accesses many times: each is resolved once.
 */
export class CoreResolver {
  readonly #local: Btf;
  readonly #candidates: Candidates;
  readonly #resolved = new Map<string, CoreResolution>();

  /**
   * @param local the object's own types
   * @param target the kernel's; a function is called at the first relocation that needs a type of the kernel
   */
  constructor(local: Btf, target: CoreTarget | (() => CoreTarget)) {
    this.#local = local;
    this.#candidates = new Candidates(local, typeof target === 'function' ? target : () => target);
  }

  /** @throws VespidError CORE_MALFORMED, CORE_UNSUPPORTED, CORE_AMBIGUOUS, BTF_MALFORMED */
  resolve(relocation: CoreRelocation): CoreResolution {
    const key = `${relocation.kind} ${relocation.typeId} ${relocation.access}`;
    const known = this.#resolved.get(key);
    if (known !== undefined) return known;
    const resolution = this.#resolve(relocation);
    this.#resolved.set(key, resolution);
    return resolution;
  }

  /** The access as a programmer would write it: `task_struct.mm.arg_start`. */
  describe(relocation: CoreRelocation): string {
    return describeAccess(parseAccess(relocation, this.#local));
  }

  #resolve(relocation: CoreRelocation): CoreResolution {
    const { kind, typeId } = relocation;
    const local = parseAccess(relocation, this.#local);
    const localKind = this.#local.kindOf(typeId);
    if (kind === 'type-id-local') return plainValue(BigInt(typeId), BigInt(typeId), false);
    if (localKind === 'void' || this.#local.nameOf(typeId) === '') {
      const message = 'the type has no name to search the kernel for';
      throw coreError('CORE_MALFORMED', this.#local, relocation, message);
    }
    const fits = this.#candidates.of(typeId).flatMap((candidate): Fit[] => {
      const access = matchCandidate(kind, local, candidate);
      return access === undefined
        ? []
        : [{ candidate, access, resolution: relocatedValue(kind, local, access) }];
    });
    const [first] = fits;
    if (first === undefined) return relocatedValue(kind, local, undefined);
    if (fits.some((fit) => !agree(fit, first))) {
      const where = fits.map(({ candidate: { btf, typeId } }) => `type ${typeId} of ${btf.label}`).join(', ');
      const message = `${describeAccess(local)} differs between ${where}`;
      throw coreError('CORE_AMBIGUOUS', this.#local, relocation, message);
    }
    this.#candidates.narrow(
      typeId,
      fits.map(({ candidate }) => candidate),
    );
    return first.resolution;
  }
}

function agree(a: Fit, b: Fit): boolean {
  if (a.access.bitOffset !== b.access.bitOffset) return false;
  if (a.resolution.outcome === 'poison') return b.resolution.outcome === 'poison';
  return b.resolution.outcome === 'value' && a.resolution.targetValue === b.resolution.targetValue;
}
