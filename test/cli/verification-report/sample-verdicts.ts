import { failedVerdict, type JudgedBundle } from '../../../engine/cli/verification-report/judged-bundle.js';
import { VespidError } from '../../../engine/errors/index.js';
import type { Decision, MissingGrant } from '../../../signing/index.js';

const DIGEST = `sha256:${'ab'.repeat(32)}`;

export const ACCEPTED: JudgedBundle = {
  source: 'out/starter.bundle',
  outcome: 'accepted',
  name: 'starter',
  digest: DIGEST,
  signers: ['ci', 'alice'],
};

export const REFUSED: JudgedBundle = failedVerdict(
  'out/edge bundle',
  new VespidError('BUNDLE_SIGNER_UNKNOWN', 'expected signatures of 1 trusted key, found 0', {
    hint: 'add the key only if you know whose it is',
    details: { cookie: 2n ** 60n },
  }),
);

const missing = (subject: string): MissingGrant => ({
  ...{ subject, grant: 'helpers', required: 'bpf_send_signal', allowed: [] },
});

const DECISION: Decision = {
  accepted: false,
  bundle: { name: 'starter', digest: DIGEST },
  signers: [
    ['program file.bpf.o#lsm/file_open/restrict', 'policy protect.yaml#protect'],
    ['program file.bpf.o#lsm/file_open/restrict'],
  ].map((subjects) => ({
    identity: { kind: 'key', keyId: 'ab'.repeat(32) },
    attestation: DIGEST,
    standing: 'accepted',
    missingGrants: subjects.map(missing),
    counted: false,
  })),
  requirements: [],
};

export const NOT_ENTITLED: JudgedBundle = failedVerdict(
  'out/starter.bundle',
  new VespidError('BUNDLE_THRESHOLD_NOT_MET', 'ci may not sign <bpf_send_signal> & "more"', {
    details: { decision: DECISION },
  }),
);

export const NOT_FOUND: JudgedBundle = failedVerdict(
  'out/none.bundle',
  new VespidError('INPUT_NOT_FOUND', 'out/none.bundle: no such file or directory'),
);

export const BAD_TRUST: JudgedBundle = failedVerdict(
  'out/starter.bundle',
  new VespidError('TRUST_POLICY_INVALID', 'expected a threshold of at least 1, found 0', {
    location: { file: 'deploy/trust.yaml', line: 3, column: 12 },
  }),
);

export const SAMPLES: readonly (readonly [name: string, bundles: readonly JudgedBundle[]])[] = [
  ['nothing at all', []],
  ['an accepted bundle', [ACCEPTED]],
  ['a refused bundle', [REFUSED]],
  ['a refusal that names programs', [NOT_ENTITLED]],
  ['a bundle that is not there', [NOT_FOUND]],
  ['a trust policy with a fault', [BAD_TRUST, { ...BAD_TRUST, source: 'out/other.bundle' }]],
  ['some of each', [ACCEPTED, REFUSED, NOT_ENTITLED, NOT_FOUND]],
];
