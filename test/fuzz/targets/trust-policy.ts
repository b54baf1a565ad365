import { ERROR_CODES, type ErrorCode } from '../../../engine/errors/index.js';
import { parseTrustPolicy } from '../../../signing/index.js';
import { CI_KEY, RELEASE_KEY } from '../../signing/sample-bundle.js';
import { pemOf } from '../../signing/trust/sample-signed-policy.js';
import type { FuzzTarget } from '../fuzz-target.js';
import { mutateText } from '../mutation/mutate-text.js';

/** What a trust policy may be refused with (`parseTrustPolicy`). */
export const TRUST_POLICY_CODES: readonly ErrorCode[] = (Object.keys(ERROR_CODES) as ErrorCode[]).filter(
  (code) => code.startsWith('TRUST_POLICY_') || code.startsWith('KEY_'),
);

const POLICY = `apiVersion: vespid.dev/v1
kind: TrustPolicy
version: 7
expires: 2027-06-01T00:00:00Z
threshold: 2
keys:
  - id: ci # signs in CI
    publicKey: ci.pub
    validFrom: 2026-01-01T00:00:00Z
    validUntil: 2027-01-01T00:00:00Z
    may:
      bundles: ["edge-*", starter]
      programTypes: [lsm, "cgroup_*"]
      attachTypes: ["*"]
      attachTargets: ["file_*", "sched/**"]
      helpers: { allow: ["bpf_get_*"], deny: [bpf_probe_write_user] }
      kfuncs: { allow: [] }
      effects: [audit, deny]
  - id: release
    publicKey: |
${indent(pemOf(RELEASE_KEY))}
groups: { release: [release], both: [ci, release] }
require:
  - { group: release, threshold: 1 }
  - { group: both, threshold: 2 }
revoked:
  keys: [{ keyId: "${'ab'.repeat(32)}", reason: "lost, 2026-03" }]
  digests: [{ digest: "sha256:${'cd'.repeat(32)}", reason: vulnerable }]
minimumVersions: { starter: 1.4.0 }
`;

const SMALLEST = `apiVersion: vespid.dev/v1
kind: TrustPolicy
threshold: 1
keys: [{ id: ci, publicKey: ci.pub }]
`;

/** Trust policies as their authors write them. */
export const trustPolicy: FuzzTarget = {
  name: 'trust-policy',
  codes: TRUST_POLICY_CODES,
  seeds: () => [POLICY, SMALLEST].map((text) => new TextEncoder().encode(text)),
  mutate: (random, seed, seeds) => {
    const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return new TextEncoder().encode(mutateText(random, decode(seed), seeds.map(decode)));
  },
  run: (input) => {
    parseTrustPolicy(new TextDecoder().decode(input), 'trust.yaml', () => pemOf(CI_KEY));
  },
};

function indent(text: string): string {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => `      ${line}`)
    .join('\n');
}
