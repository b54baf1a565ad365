import { provenanceStatement, readProvenanceStatement } from '../../../signing/attestation/provenance.js';
import { readStatement } from '../../../signing/attestation/statement.js';
import { buildProvenance } from '../../../signing/index.js';
import { GITLAB_JOB } from '../../signing/attestation/ci-jobs.js';
import type { FuzzTarget } from '../fuzz-target.js';
import { mutateJson } from '../mutation/mutate-json.js';
import { samplePayload } from './sigstore-bundle.js';

const BUNDLE = { name: 'starter', digest: `sha256:${'a'.repeat(64)}` };

/** What a trusted signer could be made to sign: statements about bundles, and about where they were built. */
export const statement: FuzzTarget = {
  name: 'statement',
  codes: [
    'BUNDLE_JSON_MALFORMED',
    'BUNDLE_JSON_NOT_CANONICAL',
    'BUNDLE_JSON_DUPLICATE_KEY',
    'BUNDLE_JSON_LIMIT',
    'BUNDLE_DOCUMENT_INVALID',
    'BUNDLE_STATEMENT_INVALID',
    'BUNDLE_SUBJECT_MISMATCH',
  ],
  seeds: () => [samplePayload(), provenancePayload()],
  mutate: mutateJson,
  run: (input) => {
    if (new TextDecoder().decode(input).includes('slsa.dev')) readProvenanceStatement(input, BUNDLE);
    else readStatement(input);
  },
};

function provenancePayload(): Uint8Array {
  const provenance = buildProvenance(GITLAB_JOB);
  if (provenance === undefined) throw new Error('no provenance of a GitLab job');
  return provenanceStatement(BUNDLE, provenance);
}
