import { VespidError } from '../../engine/errors/index.js';

/** One PEM block of RFC 7468: the label of its boundaries and the DER inside. */
export interface PemBlock {
  readonly label: string;
  readonly der: Uint8Array;
}

/** Key files are below 200 bytes; an RSA key of 16,384 bits, which deserves a clear refusal, is below this. */
const MAX_PEM_CHARACTERS = 64 * 1024;
const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----\r?\n([A-Za-z0-9+/=\r\n]*?)-----END \1-----/g;

/**
 * Reads the PEM blocks of a key file. Text between blocks is allowed, as RFC 7468 section 2 does.
 *
 * @param name names the file in messages
 * @throws VespidError KEY_MALFORMED when there is no block
 */
export function readPemBlocks(text: string, name: string): readonly PemBlock[] {
  const readable = text.length <= MAX_PEM_CHARACTERS ? text : '';
  const blocks = [...readable.matchAll(BLOCK)].map(([, label = '', body = '']) => ({
    label,
    der: Uint8Array.from(Buffer.from(body, 'base64')),
  }));
  if (blocks.length === 0) throw keyMalformed(name, 'a PEM file', 'no PEM block');
  return blocks;
}

/** Writes one PEM block as OpenSSL does: 64 characters a line, a newline at the end (RFC 7468 section 3). */
export function writePem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

export function keyMalformed(name: string, expected: string, found: string, cause?: unknown): VespidError {
  return new VespidError('KEY_MALFORMED', `${name}: expected ${expected}, found ${found}`, {
    hint: 'give an Ed25519 key in PEM, as `vespid keygen` or `openssl genpkey -algorithm ed25519` writes it',
    cause,
  });
}

/** Labels of formats that only hold keys of other algorithms. */
const FOREIGN_LABELS = new Set([
  'RSA PRIVATE KEY',
  'RSA PUBLIC KEY',
  'EC PRIVATE KEY',
  'EC PARAMETERS',
  'DSA PRIVATE KEY',
]);

/**
 * The DER of the single block labelled `wanted`.
 *
 * @throws VespidError KEY_MALFORMED, KEY_ENCRYPTED, KEY_ALGORITHM_UNSUPPORTED, KEY_NOT_PRIVATE, KEY_NOT_PUBLIC
 */
export function requirePemBlock(
  text: string,
  name: string,
  wanted: 'PRIVATE KEY' | 'PUBLIC KEY',
): Uint8Array {
  const blocks = readPemBlocks(text, name);
  const block = blocks[0];
  if (block !== undefined && FOREIGN_LABELS.has(block.label))
    throw keyAlgorithmUnsupported(name, block.label);
  if (block === undefined || blocks.length > 1) {
    throw keyMalformed(name, 'one PEM block', `${blocks.length} blocks`);
  }
  if (block.label === wanted) return block.der;
  throw wrongLabel(name, wanted, block.label);
}

function wrongLabel(name: string, wanted: 'PRIVATE KEY' | 'PUBLIC KEY', label: string): VespidError {
  if (label === 'ENCRYPTED PRIVATE KEY' && wanted === 'PRIVATE KEY') {
    return new VespidError(
      'KEY_ENCRYPTED',
      `${name}: expected an unencrypted key, found one under a passphrase`,
      {
        hint: 'decrypt it first: openssl pkey -in KEY -out KEY.plain',
      },
    );
  }
  if (label === 'PUBLIC KEY') {
    return new VespidError('KEY_NOT_PRIVATE', `${name}: expected a private key, found a public key`, {
      hint: 'give the .key file to sign with; the .pub file is for the trust policy',
    });
  }
  if (label.endsWith('PRIVATE KEY') && wanted === 'PUBLIC KEY') {
    return new VespidError('KEY_NOT_PUBLIC', `${name}: expected a public key, found a private key`, {
      hint: 'put the .pub file on nodes and keep the .key file where you sign; treat this private key as leaked if it was copied',
    });
  }
  return keyMalformed(name, `a PEM block "${wanted}"`, JSON.stringify(label));
}

export function keyAlgorithmUnsupported(name: string, algorithm: string): VespidError {
  return new VespidError(
    'KEY_ALGORITHM_UNSUPPORTED',
    `${name}: expected an Ed25519 key, found ${algorithm}`,
    {
      hint: 'generate an Ed25519 key with `vespid keygen`',
    },
  );
}
