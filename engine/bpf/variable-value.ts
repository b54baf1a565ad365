import { type Btf, type BtfType, skipModifiers } from '../bytecode/index.js';
import { VespidError } from '../errors/index.js';

/**
 * The value of a global variable. Integers of up to 4 bytes and enums read as numbers, those of 8 bytes and
 * pointers as bigints, `bool` as a boolean, floats as numbers, `char[]` as the text before its NUL, and
 * everything else (structs, arrays) as its bytes.
 */
export type VariableValue = bigint | number | boolean | string | Uint8Array;

/** What is needed to read and write one variable: its type (0 if the object does not say) and size in bytes. */
export interface VariableType {
  readonly name: string;
  readonly btf: Btf | undefined;
  readonly typeId: number;
  readonly byteSize: number;
}

/**
 * The bytes of a value, little-endian. Takes bytes for any variable; a number, bigint or boolean for what holds a
 * number; a text for a `char[]` that has room for it and its NUL, or for an enum, whose constant it names.
 *
 * @throws VespidError VARIABLE_INVALID
 */
export function encodeVariable(variable: VariableType, value: VariableValue): Uint8Array {
  if (value instanceof Uint8Array) return encodeBytes(variable, value);
  const type = typeOf(variable);
  if (typeof value === 'string') return encodeText(variable, type, value);
  if (type.kind === 'float') return encodeFloat(variable, Number(value));
  if (!holdsNumber(type) || variable.byteSize > 8) throw invalid(variable, value, `is a ${type.kind}`);
  if (typeof value === 'number' && !Number.isSafeInteger(value))
    throw invalid(variable, value, 'is an integer');
  return encodeInteger(variable, BigInt(value));
}

/** The value of `bytes`, which are copied where they are the value. */
export function decodeVariable(variable: VariableType, bytes: Uint8Array): VariableValue {
  const type = typeOf(variable);
  if (type.kind === 'float' && type.byteSize <= 8) return decodeFloat(bytes);
  if (isCharArray(variable, type)) {
    const end = bytes.indexOf(0);
    return new TextDecoder().decode(end === -1 ? bytes : bytes.subarray(0, end));
  }
  if (!holdsNumber(type) || bytes.byteLength > 8 || type.kind === 'void') return bytes.slice();
  if (type.kind === 'int' && (type.encoding & INT_BOOL) !== 0) return bytes.some((byte) => byte !== 0);
  const unsigned = bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  const value = isSigned(type) ? BigInt.asIntN(bytes.byteLength * 8, unsigned) : unsigned;
  return bytes.byteLength === 8 ? value : Number(value);
}

/** BTF_INT_SIGNED and BTF_INT_BOOL, Documentation/bpf/btf.rst. */
const INT_SIGNED = 1;
const INT_BOOL = 4;

function typeOf({ btf, typeId }: VariableType): BtfType {
  if (btf === undefined || typeId === 0) return { kind: 'void' };
  const type = btf.type(typeId);
  return btf.type(skipModifiers(btf, type.kind === 'variable' ? type.typeId : typeId));
}

/** Without a type, up to eight bytes are a number by what the caller writes. */
function holdsNumber(type: BtfType): boolean {
  return ['int', 'enum', 'enum64', 'pointer', 'void'].includes(type.kind);
}

function isSigned(type: BtfType): boolean {
  if (type.kind === 'int') return (type.encoding & INT_SIGNED) !== 0;
  return (type.kind === 'enum' || type.kind === 'enum64') && type.isSigned;
}

function isCharArray({ btf }: VariableType, type: BtfType): boolean {
  if (type.kind !== 'array' || btf === undefined) return false;
  const element = btf.type(skipModifiers(btf, type.elementTypeId));
  return element.kind === 'int' && element.byteSize === 1 && element.name === 'char';
}

function encodeBytes(variable: VariableType, value: Uint8Array): Uint8Array {
  if (value.byteLength === variable.byteSize) return value;
  throw invalid(variable, `${value.byteLength} bytes`, `has ${variable.byteSize} bytes`);
}

function encodeText(variable: VariableType, type: BtfType, text: string): Uint8Array {
  if (type.kind === 'enum' || type.kind === 'enum64') {
    const constant = type.values.find(({ name }) => name === text);
    if (constant !== undefined) return encodeInteger(variable, constant.value);
    throw invalid(variable, text, `is one of ${type.values.map(({ name }) => name).join(', ')}`);
  }
  if (!isCharArray(variable, type)) throw invalid(variable, text, `is a ${type.kind}, not a char array`);
  const encoded = new TextEncoder().encode(text);
  if (encoded.byteLength >= variable.byteSize) {
    throw invalid(variable, text, `holds ${variable.byteSize} bytes, its final NUL among them`);
  }
  const bytes = new Uint8Array(variable.byteSize);
  bytes.set(encoded);
  return bytes;
}

function encodeInteger(variable: VariableType, value: bigint): Uint8Array {
  const bits = variable.byteSize * 8;
  // Both readings of the bits: who writes a mask into a signed variable means its bits.
  if (value !== BigInt.asIntN(bits, value) && value !== BigInt.asUintN(bits, value)) {
    throw invalid(variable, value, `has ${variable.byteSize} bytes`);
  }
  const unsigned = BigInt.asUintN(bits, value);
  return Uint8Array.from({ length: variable.byteSize }, (_, index) =>
    Number((unsigned >> BigInt(index * 8)) & 0xffn),
  );
}

function encodeFloat(variable: VariableType, value: number): Uint8Array {
  const bytes = new Uint8Array(variable.byteSize);
  const view = new DataView(bytes.buffer);
  if (variable.byteSize === 4) view.setFloat32(0, value, true);
  else if (variable.byteSize === 8) view.setFloat64(0, value, true);
  else throw invalid(variable, value, `is a float of ${variable.byteSize} bytes`);
  return bytes;
}

function decodeFloat(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return bytes.byteLength === 4 ? view.getFloat32(0, true) : view.getFloat64(0, true);
}

function invalid(variable: VariableType, value: unknown, what: string): VespidError {
  return new VespidError('VARIABLE_INVALID', `variable ${variable.name} cannot be ${value}: it ${what}`, {
    details: { variable: variable.name },
  });
}
