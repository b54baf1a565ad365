import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ErrorCode } from '../../../engine/errors/index.js';
import { verifyKeyless } from '../../../signing/attestation/keyless-verify.js';
import { decodeSigstoreBundle } from '../../../signing/index.js';
import { packageRoot } from '../../bench/package-root.js';
import { attestationOf, sigstorePath } from '../../signing/forged-bundle.js';
import { SAMPLE_BUNDLE } from '../../signing/sample-bundle.js';
import type { FuzzTarget } from '../fuzz-target.js';
import { mutateJson } from '../mutation/mutate-json.js';

/** Made by `test/fuzz/write-keyless-fixture.ts`: an attestation of a Sigstore instance of ours, and its trusted root. */
const { bundle: KEYLESS, trustedRoot: TRUSTED_ROOT } = readFixture();

const CODES: readonly ErrorCode[] = [
  'BUNDLE_JSON_MALFORMED',
  'BUNDLE_JSON_NOT_CANONICAL',
  'BUNDLE_JSON_DUPLICATE_KEY',
  'BUNDLE_JSON_LIMIT',
  'BUNDLE_DOCUMENT_INVALID',
  'BUNDLE_KEY_ID_MISMATCH',
  'BUNDLE_SIGNATURE_INVALID',
  'BUNDLE_CERTIFICATE_INVALID',
  'BUNDLE_LOG_ENTRY_INVALID',
  'BUNDLE_TIMESTAMP_INVALID',
];

/** DSSE envelopes in Sigstore bundles, by key and by certificate. A certificate that verifies must sign its payload. */
export const sigstoreBundle: FuzzTarget = {
  name: 'sigstore-bundle',
  codes: CODES,
  seeds: () => [SAMPLE_BUNDLE.get(sigstorePath(SAMPLE_BUNDLE)) ?? new Uint8Array(), KEYLESS, KEYLESS],
  mutate: mutateJson,
  run: async (input) => {
    const attestation = decodeSigstoreBundle(input, 'fuzzed');
    if (attestation.material.kind === 'key') return;
    await verifyKeyless(attestation, TRUSTED_ROOT, 'fuzzed');
    const signed = decodeSigstoreBundle(KEYLESS, 'fixture').payload;
    if (Buffer.compare(attestation.payload, signed) !== 0) throw new Error('another payload verified');
  },
};

/** The statement of the sample bundle. */
export function samplePayload(): Uint8Array {
  return attestationOf(SAMPLE_BUNDLE).payload;
}

function readFixture(): { readonly bundle: Uint8Array; readonly trustedRoot: Record<string, unknown> } {
  const read = (name: string) => readFileSync(join(packageRoot(), 'test/fixtures/fuzz', name));
  return {
    bundle: Uint8Array.from(read('keyless-bundle.json')),
    trustedRoot: JSON.parse(read('keyless-trusted-root.json').toString()),
  };
}
