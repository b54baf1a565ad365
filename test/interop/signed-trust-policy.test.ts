import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../../signing/documents/canonical-json.js';
import { generateKeyPair, signTrustPolicy, verifySignedTrustPolicy } from '../../signing/index.js';
import { parsePrivateKey } from '../../signing/keys/key-pair.js';
import { CI_KEY } from '../signing/sample-bundle.js';
import { pemOf } from '../signing/trust/sample-signed-policy.js';
import { OpensslFolder } from './openssl.js';

const TYPE = 'application/vnd.vespid.trust-policy.v1+json';

/** DSSE's pre-authentication encoding of the file `payload`, as its specification gives it, in a shell. */
const ENCODE = `printf 'DSSEv1 %d %s %d ' ${TYPE.length} ${TYPE} "$(wc -c < payload)" > message && cat payload >> message`;

function shell(folder: OpensslFolder, script: string): string {
  const { status, stdout, stderr } = spawnSync('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: folder.directory,
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
  return stdout;
}

function payloadWith(rootKey: string): Uint8Array {
  return canonicalJson({
    apiVersion: 'vespid.dev/v1',
    kind: 'TrustPolicy',
    version: 1,
    expires: '2999-01-01T00:00:00Z',
    threshold: 1,
    keys: [{ id: 'ci', publicKey: pemOf(CI_KEY) }],
    rootKeys: { threshold: 1, keys: [rootKey] },
  });
}

describe('a signed trust policy, with openssl and jq', () => {
  test('that openssl signed in a shell script is verified', () => {
    using folder = new OpensslFolder();
    folder.run('genpkey', '-algorithm', 'ed25519', '-out', 'root.key');
    folder.run('pkey', '-in', 'root.key', '-pubout', '-out', 'root.pub');
    folder.write('payload', payloadWith(folder.run('pkey', '-in', 'root.key', '-pubout')));
    const envelope = shell(
      folder,
      `${ENCODE}
      openssl pkeyutl -sign -inkey root.key -rawin -in message -out signature
      id=$(openssl pkey -pubin -in root.pub -outform DER | sha256sum | cut -d' ' -f1)
      jq --null-input --join-output --compact-output --sort-keys --arg type ${TYPE} --arg id "$id" \\
        --arg payload "$(base64 -w0 payload)" --arg sig "$(base64 -w0 signature)" \\
        '{ payload: $payload, payloadType: $type, signatures: [{ keyid: $id, sig: $sig }] }'`,
    );
    const verified = verifySignedTrustPolicy(Buffer.from(envelope), 'openssl.json', {
      kind: 'first',
      pins: [],
    });
    expect(verified.policy.version).toBe(1);
    expect(verified.rootSigners).toHaveLength(1);
  });

  test('that we signed is verified by openssl', async () => {
    using folder = new OpensslFolder();
    const { privateKeyPem, publicKeyPem } = generateKeyPair();
    folder.write('root.pub', publicKeyPem);
    const key = parsePrivateKey(privateKeyPem, 'root.key');
    writeFileSync(folder.path('signed.json'), await signTrustPolicy(payloadWith(publicKeyPem), [key]));
    const said = shell(
      folder,
      `jq -r .payload signed.json | base64 -d > payload
      jq -r '.signatures[0].sig' signed.json | base64 -d > signature
      ${ENCODE}
      openssl pkeyutl -verify -pubin -inkey root.pub -rawin -in message -sigfile signature`,
    );
    expect(said).toContain('Signature Verified Successfully');
  });
});
