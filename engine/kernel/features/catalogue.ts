import { VespidError } from '../../errors/index.js';
import { ATTACH_TYPE_PROBES } from './attach-types.js';
import { BTF_PROBES } from './btf-kinds.js';
import { COMMAND_PROBES } from './commands.js';
import { type Feature, type FeatureProbe, tryFeature } from './feature.js';
import { HELPER_PROBES } from './helpers.js';
import { INSTRUCTION_PROBES } from './instructions.js';
import { LINK_PROBES } from './links.js';
import { MAP_TYPE_PROBES } from './map-types.js';
import { PROGRAM_TYPE_PROBES } from './program-types.js';

/** Everything that can be asked of a kernel, by name. */
export const FEATURE_PROBES: ReadonlyMap<string, FeatureProbe> = new Map(
  [
    ...PROGRAM_TYPE_PROBES,
    ...ATTACH_TYPE_PROBES,
    ...MAP_TYPE_PROBES,
    ...HELPER_PROBES,
    ...BTF_PROBES,
    ...INSTRUCTION_PROBES,
    ...LINK_PROBES,
    ...COMMAND_PROBES,
  ].map((probe) => [probe.name, probe]),
);

const found = new Map<string, Feature>();

/**
 * Whether this kernel has a feature of {@link FEATURE_PROBES}; tried once per process, leaves nothing behind.
 *
 * @throws VespidError USAGE for a name that is none
 */
export function probeFeature(name: string): Feature {
  const known = found.get(name);
  if (known !== undefined) return known;
  const probe = FEATURE_PROBES.get(name);
  if (probe === undefined) {
    throw new VespidError('USAGE', `there is no feature ${name}`, {
      hint: 'names are like map/arena, link/tcx',
    });
  }
  const feature = tryFeature(probe.since, probe.attempt);
  found.set(name, feature);
  return feature;
}
