import { rmSync } from 'node:fs';
import { basename } from 'node:path';
import { Command } from 'commander';
import { generateKeyPair } from '../../../signing/index.js';
import { VespidError } from '../../errors/index.js';
import { chooseNewPassphrase, type PassphraseOptions } from '../../signers/index.js';
import { helpNotes } from '../help-text.js';
import { createFile, replaceFile } from '../output-file.js';
import { printReport, type Report } from '../report.js';
import { jsonOption, passphraseOptions, verboseOption } from '../shared-options.js';
import { processSurroundings } from '../surroundings.js';
import { factLines } from '../text-table.js';

interface KeygenOptions extends PassphraseOptions {
  readonly out: string;
  readonly encrypt?: true;
  readonly force?: true;
}

const PRIVATE_KEY_MODE = 0o600;
const PUBLIC_KEY_MODE = 0o644;

export function keygenCommand(): Command {
  const command = new Command('keygen')
    .description('make an Ed25519 key pair: NAME.key to sign with, NAME.pub for trust policies')
    .requiredOption('--out <dir/name>', 'path of the files, without their endings')
    .option('--encrypt', 'put the private key under a passphrase; asked for at the terminal unless given')
    .option('--force', 'replace keys that exist; what they signed can then not be signed again')
    .addOption(jsonOption())
    .addOption(verboseOption());
  for (const option of passphraseOptions()) command.addOption(option);
  return command
    .addHelpText(
      'after',
      helpNotes({
        examples: [
          ['vespid keygen --out keys/ci', 'writes keys/ci.key and keys/ci.pub'],
          ['vespid keygen --out keys/release --encrypt', 'asks for a passphrase twice, without echo'],
          ['openssl pkey -in keys/ci.key -noout -text', 'OpenSSL reads both files'],
        ],
        json: '{ "ok": true, "keyId": sha256 of the SPKI DER, "privateKey": path, "publicKey": path, "encrypted": boolean }',
      }),
    )
    .action(printReport(keygen));
}

async function keygen({ out, force, encrypt, ...options }: KeygenOptions): Promise<Report> {
  if (out.endsWith('/') || ['.', '..', ''].includes(basename(out))) {
    throw new VespidError('USAGE', `--out: expected a directory and a name, found ${JSON.stringify(out)}`, {
      hint: 'give the name of the key, too: --out DIR/NAME',
    });
  }
  if (encrypt === undefined) refuseIdlePassphrase(options);
  const passphrase = encrypt === true ? await chooseNewPassphrase(options, processSurroundings) : undefined;
  const { privateKeyPem, publicKeyPem, keyId } = generateKeyPair(passphrase?.text);
  const [privateKey, publicKey] = [`${out}.key`, `${out}.pub`];
  if (force === true) {
    replaceFile(privateKey, privateKeyPem, PRIVATE_KEY_MODE);
    replaceFile(publicKey, publicKeyPem, PUBLIC_KEY_MODE);
  } else {
    createKeyFile(privateKey, privateKeyPem, PRIVATE_KEY_MODE);
    try {
      createKeyFile(publicKey, publicKeyPem, PUBLIC_KEY_MODE);
    } catch (error) {
      rmSync(privateKey);
      throw error;
    }
  }
  return {
    text: describe(keyId, privateKey, publicKey),
    json: { keyId, privateKey, publicKey, encrypted: encrypt === true },
    warnings: passphrase?.warnings ?? [],
  };
}

/** A passphrase on the command line means that an encrypted key is expected. */
function refuseIdlePassphrase({ passphraseFile, passphraseEnv }: PassphraseOptions): void {
  if (passphraseFile === undefined && passphraseEnv === undefined) return;
  throw new VespidError('USAGE', 'expected --encrypt beside a passphrase, found none', {
    hint: 'add --encrypt, or leave the passphrase away for a key that is not encrypted',
  });
}

function createKeyFile(path: string, pem: string, mode: number): void {
  try {
    createFile(path, pem, mode);
  } catch (cause) {
    if (!(cause instanceof VespidError) || cause.code !== 'OUTPUT_EXISTS') throw cause;
    throw new VespidError('OUTPUT_EXISTS', `${path} exists already`, {
      hint: 'choose another --out, or pass --force to lose the old key for ever',
      cause,
    });
  }
}

function describe(keyId: string, privateKey: string, publicKey: string): string {
  return [
    ...factLines([
      ['key id', keyId],
      ['private key', `${privateKey} (mode 0600: keep it where you sign, never on a node)`],
      ['public key', publicKey],
    ]),
    '',
    'Next:',
    ...factLines(
      [
        ['sign', `vespid sign POLICY.yaml --key ${privateKey} --out BUNDLE`],
        ['trust', `name ${publicKey} in a trust policy, here trust.yaml beside it:`],
      ],
      '  ',
    ),
    '',
    ...['apiVersion: vespid.dev/v1', 'kind: TrustPolicy', 'threshold: 1', 'keys:'],
    ...[`  - id: ${basename(publicKey, '.pub')}`, `    publicKey: ${basename(publicKey)}`],
    '',
    'Then: vespid verify BUNDLE --trust trust.yaml',
  ].join('\n');
}
