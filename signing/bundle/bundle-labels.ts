import { VespidError } from '../../engine/errors/index.js';
import type { ProgramClaim } from '../attestation/program-claim.js';
import { type BpfmanLabels, bpfmanLabels } from './bpfman-labels.js';

/**
 * Refuses labels that tell other tools of other programs and maps than those that the signers state.
 *
 * @throws VespidError BUNDLE_LABELS_MISMATCH
 */
export function requireLabels(found: BpfmanLabels, programs: readonly ProgramClaim[]): void {
  const expected = bpfmanLabels(programs);
  for (const label of ['io.ebpf.programs', 'io.ebpf.maps'] as const) {
    if (found[label] === expected[label]) continue;
    throw new VespidError(
      'BUNDLE_LABELS_MISMATCH',
      `config: expected the label ${label} to be ${expected[label]}, found ${found[label]}`,
      { hint: 'sign the policies and objects again with `vespid sign`' },
    );
  }
}
