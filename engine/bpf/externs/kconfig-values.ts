import type { KconfigExtern } from '../../bytecode/index.js';
import { VespidError } from '../../errors/index.js';

/** `enum libbpf_tristate` of bpf_helpers.h. */
const TRISTATE: Readonly<Record<string, number>> = { n: 0, y: 1, m: 2 };

/**
 * Writes one value of the kernel's configuration into the object's `.kconfig` data.
 *
 * @param text as the configuration file has it: `y`, `0x10`, `"quoted"`
 * @throws VespidError EXTERN_MISMATCH when the value does not fit the type that the object gives it
 */
export function writeKconfigText(data: Uint8Array, extern: KconfigExtern, text: string): void {
  if (text === 'y' || text === 'n' || text === 'm') {
    writeTristate(data, extern, text);
    return;
  }
  if (text.startsWith('"')) {
    writeString(data, extern, text);
    return;
  }
  if (!/^-?(0x[\da-f]+|\d+)$/i.test(text)) throw mismatch(extern, text, 'is no number');
  if (extern.value !== 'integer' && extern.value !== 'char') throw mismatch(extern, text, 'is a number');
  const magnitude = BigInt(text.replace('-', ''));
  writeKconfigNumber(data, extern, text.startsWith('-') ? -magnitude : magnitude);
}

/**
 * Writes a number, for what the loader itself knows of a kernel (`LINUX_KERNEL_VERSION`).
 *
 * @throws VespidError EXTERN_MISMATCH
 */
export function writeKconfigNumber(data: Uint8Array, extern: KconfigExtern, value: bigint): void {
  const { byteOffset, byteSize } = extern;
  if (extern.value === 'string' || extern.value === 'tristate') throw mismatch(extern, value, 'is a number');
  if (extern.value === 'bool' && value !== 0n && value !== 1n) throw mismatch(extern, value, 'is no boolean');
  const bits = byteSize * 8;
  const held = extern.isSigned ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
  // A file has the bit pattern of a 64-bit value at most, so 8 bytes hold any.
  if (byteSize < 8 && held !== value) throw mismatch(extern, value, `does not fit into ${byteSize} bytes`);
  for (let index = 0; index < byteSize; index++) {
    data[byteOffset + index] = Number((held >> BigInt(index * 8)) & 0xffn);
  }
}

function writeTristate(data: Uint8Array, extern: KconfigExtern, text: 'y' | 'n' | 'm'): void {
  const { byteOffset } = extern;
  switch (extern.value) {
    case 'bool':
      if (text === 'm') throw mismatch(extern, text, 'is a module, neither true nor false');
      data[byteOffset] = text === 'y' ? 1 : 0;
      return;
    case 'tristate':
      data[byteOffset] = TRISTATE[text] ?? 0;
      return;
    case 'char':
      data[byteOffset] = text.charCodeAt(0);
      return;
    default:
      throw mismatch(extern, text, 'is a bool, a tristate or a char');
  }
}

/** Without its quotes; what is too long is cut, as libbpf does, and always ends with a NUL. */
function writeString(data: Uint8Array, extern: KconfigExtern, text: string): void {
  if (extern.value !== 'string') throw mismatch(extern, text, 'is a string');
  if (text.length < 2 || !text.endsWith('"')) throw mismatch(extern, text, 'has no closing quote');
  const { byteOffset, byteSize } = extern;
  const content = new TextEncoder().encode(text.slice(1, -1)).subarray(0, byteSize - 1);
  data.fill(0, byteOffset, byteOffset + byteSize);
  data.set(content, byteOffset);
}

function mismatch(extern: KconfigExtern, value: string | bigint, what: string): VespidError {
  return new VespidError(
    'EXTERN_MISMATCH',
    `${extern.name} is ${value} in the kernel's configuration: that ${what}, but the object declares a ${extern.value} of ${extern.byteSize} bytes`,
    { details: { extern: extern.name, value: String(value) } },
  );
}
