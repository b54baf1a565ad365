import { ERROR_CODES, type ErrorCode } from '../../../engine/errors/index.js';
import { parsePrivateKey, parsePublicKey } from '../../../signing/index.js';
import { writePem } from '../../../signing/keys/pem.js';
import { CI_KEY } from '../../signing/sample-bundle.js';
import { pemOf } from '../../signing/trust/sample-signed-policy.js';
import type { FuzzTarget } from '../fuzz-target.js';
import { mutateBytes } from '../mutation/mutate-bytes.js';
import { mutateText } from '../mutation/mutate-text.js';

const PASSPHRASE = 'correct horse';

const PLAIN = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB
-----END PRIVATE KEY-----
`;

/** With the low cost that Node gives it: what is tried thousands of times has to be cheap. */
const ENCRYPTED = `-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhXJhhoChPeowICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEMnPas+lbeFCfSC9ftjHPLoEQC7p
ctybhH5akOkrjTuSPNyiJ8A0bQ3CULnuPSHDiWQf+HTbND7dpmu1GpNIiffXrDJi
9kJHdRwYAoGL3gZIzY0=
-----END ENCRYPTED PRIVATE KEY-----
`;

/** Keys as files, plain and under a passphrase: what is damaged is refused, and never costs more than its limit. */
export const privateKey: FuzzTarget = {
  name: 'private-key',
  codes: (Object.keys(ERROR_CODES) as ErrorCode[]).filter((code) => code.startsWith('KEY_')),
  seeds: () => [pemOf(CI_KEY), PLAIN, ENCRYPTED].map((text) => new TextEncoder().encode(text)),
  mutate: (random, seed, seeds) => {
    const text = new TextDecoder().decode(seed);
    const [, label, body] = /-----BEGIN ([A-Z ]+)-----\n([^-]+)/.exec(text) ?? [];
    if (label === undefined || body === undefined || random.once(4)) {
      const others = seeds.map((other) => new TextDecoder().decode(other));
      return new TextEncoder().encode(mutateText(random, text, others));
    }
    const der = Uint8Array.from(Buffer.from(body, 'base64'));
    return new TextEncoder().encode(writePem(label, mutateBytes(random, der, [der])));
  },
  run: (input) => {
    const text = new TextDecoder().decode(input);
    if (text.includes('PUBLIC')) parsePublicKey(text, 'fuzzed');
    else parsePrivateKey(text, 'fuzzed', PASSPHRASE);
  },
};
