/** What a signer states about one eBPF program; the loader recomputes every member from the object's bytes. */
export interface ProgramClaim {
  /** Name of the object in the bundle. */
  readonly object: string;
  /** ELF section of the program, `lsm/file_open`. */
  readonly section: string;
  /** ELF symbol of the program. */
  readonly name: string;
  readonly type: string;
  readonly attachType: string;
  readonly attachTarget: string;
  readonly license: string;
  /** 8-byte instruction slots. */
  readonly instructionCount: number;
  /** Lower-case hexadecimal SHA-256 of the program's instructions. */
  readonly sha256: string;
  readonly maps: readonly MapClaim[];
  /** Helper function ids of enum bpf_func_id. */
  readonly helpers: readonly number[];
  readonly kfuncs: readonly string[];
}

/** A map that a program uses; sizes in bytes. */
export interface MapClaim {
  readonly name: string;
  readonly type: string;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
}

/** Programs in one bundle. A node runs tens; the bound keeps a statement readable and its check quick. */
const MAX_PROGRAMS = 1024;
/** BPF_COMPLEXITY_LIMIT_INSNS of include/linux/bpf.h: the kernel loads no larger program. */
const MAX_INSTRUCTIONS = 1_000_000;
/** Above __BPF_FUNC_MAX_ID of any kernel (211 on 6.12). */
const MAX_HELPER_ID = 4095;
/** Largest value of a map's 32-bit sizes in union bpf_attr. */
const MAX_U32 = 0xffff_ffff;

const text = { type: 'string', maxLength: 256, pattern: '^[\\x20-\\x7e]*$' };
const identifier = { type: 'string', pattern: '^[A-Za-z_.$][A-Za-z0-9_.$]{0,255}$' };
const u32 = { type: 'integer', minimum: 0, maximum: MAX_U32 };

const MAP_CLAIM_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'type', 'keySize', 'valueSize', 'maxEntries'],
  properties: { name: identifier, type: text, keySize: u32, valueSize: u32, maxEntries: u32 },
};

const PROGRAM_CLAIM_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: [
    ...['object', 'section', 'name', 'type', 'attachType', 'attachTarget', 'license'],
    ...['instructionCount', 'sha256', 'maps', 'helpers', 'kfuncs'],
  ],
  properties: {
    object: text,
    section: { ...text, minLength: 1 },
    name: identifier,
    type: { ...text, minLength: 1 },
    attachType: text,
    attachTarget: text,
    license: text,
    instructionCount: { type: 'integer', minimum: 1, maximum: MAX_INSTRUCTIONS },
    sha256: { type: 'string', pattern: '^[0-9a-f]{64}$' },
    maps: { type: 'array', maxItems: 256, items: MAP_CLAIM_SCHEMA },
    helpers: {
      type: 'array',
      maxItems: 512,
      uniqueItems: true,
      items: { type: 'integer', minimum: 0, maximum: MAX_HELPER_ID },
    },
    kfuncs: { type: 'array', maxItems: 512, uniqueItems: true, items: identifier },
  },
};

/** JSON Schema of the claims of one bundle. */
export const PROGRAM_CLAIMS_SCHEMA = { type: 'array', maxItems: MAX_PROGRAMS, items: PROGRAM_CLAIM_SCHEMA };

/** `object.bpf.o#lsm/file_open/restrict`: the name under which a program's digest is a subject. */
export function programSubjectName(claim: Pick<ProgramClaim, 'object' | 'section' | 'name'>): string {
  return `${claim.object}#${claim.section}/${claim.name}`;
}

/**
 * The same claims in one order, with members of {@link ProgramClaim} only: programs by subject name, maps by
 * name, helpers and kfuncs ascending and once. Equal sets of claims give equal canonical JSON.
 */
export function normalizeProgramClaims(claims: readonly ProgramClaim[]): readonly ProgramClaim[] {
  return claims
    .map(normalizeClaim)
    .sort((left, right) => compareText(programSubjectName(left), programSubjectName(right)));
}

function normalizeClaim(claim: ProgramClaim): ProgramClaim {
  const { object, section, name, type, attachType, attachTarget, license, instructionCount, sha256 } = claim;
  return {
    ...{ object, section, name, type, attachType, attachTarget, license, instructionCount, sha256 },
    maps: claim.maps.map(normalizeMap).sort((left, right) => compareText(left.name, right.name)),
    helpers: [...new Set(claim.helpers)].sort((left, right) => left - right),
    kfuncs: [...new Set(claim.kfuncs)].sort(compareText),
  };
}

function normalizeMap({ name, type, keySize, valueSize, maxEntries }: MapClaim): MapClaim {
  return { name, type, keySize, valueSize, maxEntries };
}

/** Orders by UTF-16 code units, the same on every machine and in every locale. */
export function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
