import type { MapClaim, ProgramClaim } from '../attestation/program-claim.js';
import { canonicalJson } from '../documents/canonical-json.js';

/** Labels of an image by which bpfman finds programs and maps (docs.bpfman.io, "eBPF Bytecode Image Specifications"). */
export interface BpfmanLabels {
  /** JSON of program types by program name. */
  readonly 'io.ebpf.programs': string;
  /** JSON of map types by map name. */
  readonly 'io.ebpf.maps': string;
}

/**
 * The labels for these programs. bpfman's images hold one object, so its labels have one name space; where objects
 * of a bundle share a name, the label says the type of the first of them in the order of claims.
 */
export function bpfmanLabels(programs: readonly ProgramClaim[]): BpfmanLabels {
  const maps = programs.flatMap((program) => program.maps);
  return {
    'io.ebpf.programs': jsonOf(programs.map((program) => [program.name, bpfmanProgramType(program)])),
    'io.ebpf.maps': jsonOf(maps.map((map) => [map.name, bpfmanMapType(map)])),
  };
}

function jsonOf(entries: readonly (readonly [name: string, type: string])[]): string {
  // A later entry of a Map replaces an earlier one. Object.fromEntries also takes names like __proto__ as names.
  return new TextDecoder().decode(canonicalJson(Object.fromEntries(new Map(entries.toReversed()))));
}

/** bpfman tells apart by how a program is attached what the kernel loads as one type. */
function bpfmanProgramType({ type, attachType, section }: ProgramClaim): string {
  switch (type) {
    case 'sched_cls':
      return attachType.startsWith('tcx_') ? 'tcx' : 'tc';
    case 'kprobe':
      return /^\??(?<kind>u?k?(ret)?probe)/.exec(section)?.groups?.['kind'] ?? type;
    case 'tracing':
      return attachType.startsWith('trace_f') ? attachType.slice('trace_'.length) : type;
    default:
      return type;
  }
}

/** aya's spelling, `per_cpu_hash`, where the kernel's is `percpu_hash`. */
function bpfmanMapType({ type }: MapClaim): string {
  return type.replace('percpu', 'per_cpu');
}
