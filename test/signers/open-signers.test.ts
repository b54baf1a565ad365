import { describe, expect, test } from 'vitest';
import { type KeySpec, openKey, openSigner } from '../../engine/signers/index.js';
import { decodeSigstoreBundle } from '../../signing/attestation/sigstore-bundle.js';
import { generateKeyPair } from '../../signing/index.js';
import { utf8 } from '../signing/sample-bundle.js';
import { expectRejection, SampleSurroundings } from './sample-surroundings.js';

const PASSPHRASE = 'long enough';
const plain = generateKeyPair();
const encrypted = generateKeyPair(PASSPHRASE);
const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('a key file', () => {
  test('opens, encrypted or not', async () => {
    using surroundings = new SampleSurroundings();
    surroundings.answers.push(PASSPHRASE);
    const path = surroundings.write('plain.key', plain.privateKeyPem);
    const secret = surroundings.write('secret.key', encrypted.privateKeyPem);
    const [one, two] = [
      await openKey({ kind: 'file', path }, surroundings),
      await openKey({ kind: 'file', path: secret }, surroundings),
    ];
    expect(one.signer.publicKey.keyId).toBe(plain.keyId);
    expect(two.signer.publicKey.keyId).toBe(encrypted.keyId);
    expect(surroundings.questions).toEqual([`Passphrase of ${secret}: `]);
    expect([...one.warnings, ...two.warnings]).toEqual([]);
  });

  test('warns when others can read it', async () => {
    using surroundings = new SampleSurroundings();
    const path = surroundings.write('plain.key', plain.privateKeyPem, 0o640);
    const { warnings } = await openKey({ kind: 'file', path }, surroundings);
    expect(warnings).toEqual([expect.stringMatching(/plain\.key .*mode 0640.*chmod 600/)]);
  });

  test('under a passphrase is refused where nobody can be asked', async () => {
    using surroundings = new SampleSurroundings();
    const path = surroundings.write('secret.key', encrypted.privateKeyPem);
    const refusal = await expectRejection('KEY_ENCRYPTED', openKey({ kind: 'file', path }, surroundings));
    expect(refusal.hint).toContain('--passphrase-file');
  });
});

describe('a key in the environment', () => {
  test.each([
    { name: 'PEM', value: plain.privateKeyPem, keyId: plain.keyId },
    { name: 'base64 of PEM', value: base64(plain.privateKeyPem), keyId: plain.keyId },
    {
      name: 'base64 in lines',
      value: base64(plain.privateKeyPem).replace(/.{20}/g, '$&\n'),
      keyId: plain.keyId,
    },
    { name: 'encrypted PEM', value: encrypted.privateKeyPem, keyId: encrypted.keyId },
    { name: 'base64 of encrypted PEM', value: base64(encrypted.privateKeyPem), keyId: encrypted.keyId },
  ])('opens from $name', async ({ value, keyId }) => {
    using surroundings = new SampleSurroundings();
    Object.assign(surroundings.environment, { SIGNING_KEY: value, VESPID_PASSPHRASE: PASSPHRASE });
    const { signer } = await openKey({ kind: 'environment', variable: 'SIGNING_KEY' }, surroundings);
    expect(signer.publicKey.keyId).toBe(keyId);
  });

  test.each([
    { name: 'unset', value: undefined, code: 'SIGNER_VARIABLE_MISSING' },
    { name: 'empty', value: '  ', code: 'SIGNER_VARIABLE_MISSING' },
    { name: 'something else', value: 'hunter2-hunter2', code: 'KEY_MALFORMED' },
    { name: 'a cut PEM', value: plain.privateKeyPem.slice(0, 70), code: 'KEY_MALFORMED' },
    { name: 'base64 of another thing', value: base64('hunter2-hunter2'), code: 'KEY_MALFORMED' },
    {
      name: 'a damaged key',
      value: plain.privateKeyPem.replace('MC4CAQAw', 'MC4CAQAx'),
      code: 'KEY_MALFORMED',
    },
    { name: 'a public key', value: plain.publicKeyPem, code: 'KEY_NOT_PRIVATE' },
  ] as const)('is refused when $name, without quoting it', async ({ value, code }) => {
    using surroundings = new SampleSurroundings();
    Object.assign(surroundings.environment, { SIGNING_KEY: value });
    const spec: KeySpec = { kind: 'environment', variable: 'SIGNING_KEY' };
    const refusal = await expectRejection(code, openKey(spec, surroundings));
    const shown = JSON.stringify(refusal) + refusal.message + String(refusal.cause);
    expect(shown).toContain('SIGNING_KEY');
    expect(shown).not.toContain('hunter2');
    for (const line of (value ?? '').split('\n')) {
      if (line.length > 20 && !line.startsWith('-----')) expect(shown).not.toContain(line);
    }
  });
});

test('openSigner makes attestations with a key that a command keeps', async () => {
  using surroundings = new SampleSurroundings();
  const key = surroundings.write('plain.key', plain.privateKeyPem);
  const script = surroundings.write(
    'sign.mjs',
    `import { sign } from 'node:crypto'; import { readFileSync } from 'node:fs';
     process.stdout.write(sign(null, readFileSync(0), readFileSync(process.argv[2])));`,
  );
  const { signer } = await openSigner(
    {
      kind: 'command',
      command: `'${process.execPath}' '${script}' '${key}'`,
      publicKeyPath: surroundings.write('plain.pub', plain.publicKeyPem),
    },
    surroundings,
  );
  const { material } = decodeSigstoreBundle(await signer.attest('text/plain', utf8('x')), 'attestation');
  expect(material).toMatchObject({ kind: 'key', keyId: plain.keyId });
  expect(signer.label).toBe(`key ${plain.keyId}`);
});
