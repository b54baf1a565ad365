import { VespidError } from '../../engine/errors/index.js';
import { keyAlgorithmUnsupported, keyMalformed } from './key-fault.js';

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

/** Labels of formats that only hold keys of other algorithms. */
const FOREIGN_LABELS = new Set([
  'RSA PRIVATE KEY',
  'RSA PUBLIC KEY',
  'EC PRIVATE KEY',
  'EC PARAMETERS',
  'DSA PRIVATE KEY',
]);

/** What a private key file may hold; an encrypted one is told apart by its label (RFC 7468 sections 10 and 11). */
export const PRIVATE_KEY_LABELS = ['PRIVATE KEY', 'ENCRYPTED PRIVATE KEY'] as const;
export const PUBLIC_KEY_LABELS = ['PUBLIC KEY'] as const;

/**
 * The single block of a key file, labelled as one of `wanted`.
 *
 * @throws VespidError KEY_MALFORMED, KEY_ALGORITHM_UNSUPPORTED, KEY_NOT_PRIVATE, KEY_NOT_PUBLIC
 */
export function requirePemBlock(text: string, name: string, wanted: readonly string[]): PemBlock {
  const blocks = readPemBlocks(text, name);
  const block = blocks[0];
  if (block !== undefined && FOREIGN_LABELS.has(block.label))
    throw keyAlgorithmUnsupported(name, block.label);
  if (block === undefined || blocks.length > 1) {
    throw keyMalformed(name, 'one PEM block', `${blocks.length} blocks`);
  }
  if (wanted.includes(block.label)) return block;
  throw wrongLabel(name, wanted, block.label);
}

function wrongLabel(name: string, wanted: readonly string[], label: string): VespidError {
  if (label === 'PUBLIC KEY') {
    return new VespidError('KEY_NOT_PRIVATE', `${name}: expected a private key, found a public key`, {
      hint: 'give the .key file to sign with; the .pub file is for the trust policy',
    });
  }
  if (label.endsWith('PRIVATE KEY') && wanted.includes('PUBLIC KEY')) {
    return new VespidError('KEY_NOT_PUBLIC', `${name}: expected a public key, found a private key`, {
      hint: 'put the .pub file on nodes and keep the .key file where you sign; treat this private key as leaked if it was copied',
    });
  }
  return keyMalformed(
    name,
    `a PEM block ${wanted.map((one) => `"${one}"`).join(' or ')}`,
    JSON.stringify(label),
  );
}
