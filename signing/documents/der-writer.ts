import { concatBytes } from './bytes.js';
import { DER_TAG, type DerTagName } from './der-reader.js';

/** Elements of DER (X.690 section 10), each with its tag and length. */

export function derSequence(...elements: readonly Uint8Array[]): Uint8Array {
  return element('sequence', concatBytes(...elements));
}

export function derOctetString(content: Uint8Array): Uint8Array {
  return element('octetString', content);
}

/** @param value a non-negative safe integer */
export function derInteger(value: number): Uint8Array {
  const bytes = bigEndian(value);
  // X.690 section 8.3.3: two's complement, so a set top bit needs a zero byte before it.
  return element('integer', (bytes[0] ?? 0) < 0x80 ? bytes : Uint8Array.of(0, ...bytes));
}

/** @param dotted `1.2.840.113549.1.5.13` */
export function derObjectIdentifier(dotted: string): Uint8Array {
  const [root = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const content = [root * 40 + second, ...rest].flatMap(base128);
  return element('objectIdentifier', Uint8Array.from(content));
}

/** X.690 section 8.19.2: seven bits a byte, the top bit on all but the last. */
function base128(arc: number): number[] {
  const digits = [arc % 0x80];
  for (let rest = Math.floor(arc / 0x80); rest > 0; rest = Math.floor(rest / 0x80)) {
    digits.unshift(0x80 | (rest % 0x80));
  }
  return digits;
}

function element(kind: DerTagName, content: Uint8Array): Uint8Array {
  const length = bigEndian(content.length);
  const header = content.length < 0x80 ? length : Uint8Array.of(0x80 | length.length, ...length);
  return concatBytes(Uint8Array.of(DER_TAG[kind]), header, content);
}

function bigEndian(value: number): Uint8Array {
  const bytes = [value % 0x100];
  for (let rest = Math.floor(value / 0x100); rest > 0; rest = Math.floor(rest / 0x100)) {
    bytes.unshift(rest % 0x100);
  }
  return Uint8Array.from(bytes);
}
