import { suggestName, type VespidError } from '../../engine/errors/index.js';
import type { FieldDefinition } from '../../lsm-hooks/index.js';
import type { Condition, IpRange, Test } from './condition.js';
import { ALWAYS, anyOf, NEVER, negate, unique, uniqueRanges } from './condition-builders.js';
import type { Literal, OrderOperator } from './expression.js';
import { formatIpAddress, isIpv4Mapped, maskBytes, parseIpAddress } from './ip-address.js';

/** Makes the error for a constant that its field cannot hold, at that constant. */
type Fault = (message: string, hint?: string) => VespidError;

/** CEL's int: 64 bits with a sign. */
const MAX_INT = 2n ** 63n - 1n;
const MIN_INT = -(2n ** 63n);

/** The field equals one of the constants. `faultAt(index)` makes the error for the constant at that index. */
export function equalsOneOf(
  field: FieldDefinition,
  literals: readonly Literal[],
  faultAt: (index: number) => Fault,
): Condition {
  switch (field.type.kind) {
    case 'string': {
      const { maxBytes } = field.type;
      const values = literals.map((literal, index) => checkText(field, maxBytes, literal, faultAt(index)));
      return nonEmpty({ kind: 'string-in', field: field.name, values: unique(values) }, values);
    }
    case 'int': {
      const values = literals
        .map((literal, index) => checkInt(field, literal, faultAt(index)))
        // Fields are unsigned: a negative constant is never met.
        .filter((value) => value >= 0n);
      return nonEmpty({ kind: 'int-in', field: field.name, values: unique(values) }, values);
    }
    case 'enum': {
      const names = field.type.values;
      const values = literals.map((literal, index) => checkEnumName(field, names, literal, faultAt(index)));
      return nonEmpty({ kind: 'int-in', field: field.name, values: unique(values) }, values);
    }
    case 'ip': {
      const ranges = literals.map((literal, index) => checkAddress(field, literal, faultAt(index)));
      return nonEmpty({ kind: 'ip-in', field: field.name, ranges: uniqueRanges(ranges) }, ranges);
    }
    case 'bool':
      return anyOf(literals.map((literal, index) => boolEquals(field, literal, faultAt(index))));
    case 'bytes':
      return NEVER;
  }
}

function nonEmpty(test: Test, values: readonly unknown[]): Condition {
  return values.length === 0 ? NEVER : test;
}

function boolEquals(field: FieldDefinition, literal: Literal, fault: Fault): Condition {
  if (literal.type !== 'bool') throw wrongType(field, 'true or false', fault);
  const test: Condition = { kind: 'bool', field: field.name };
  return literal.value ? test : negate(test);
}

/** The type checker lets no such constant through; this is for whatever it may come to accept. */
function wrongType(field: FieldDefinition, expected: string, fault: Fault): VespidError {
  return fault(`${field.name} is compared with ${expected}; the constant is of another type`);
}

/** Order against a constant; a negative one is below every value. */
export function orderTest(
  field: FieldDefinition,
  operator: OrderOperator,
  value: bigint,
  fault: Fault,
): Condition {
  checkInt(field, { type: 'int', value }, fault);
  if (value < 0n) return operator === '<' || operator === '<=' ? NEVER : ALWAYS;
  if (value === 0n && operator === '>=') return ALWAYS;
  if (value === 0n && operator === '<') return NEVER;
  return { kind: 'int-order', field: field.name, operator, value };
}

const STRING_TESTS: Readonly<Record<string, 'string-prefix' | 'string-suffix' | 'string-contains'>> = {
  startsWith: 'string-prefix',
  endsWith: 'string-suffix',
  contains: 'string-contains',
};

/** `field.startsWith(text)` and its like; the empty text is found in every text. */
export function stringTest(
  field: FieldDefinition,
  method: string,
  literal: Literal,
  fault: Fault,
): Condition {
  const kind = STRING_TESTS[method];
  if (kind === undefined || field.type.kind !== 'string')
    throw fault(`${method}() does not fit ${field.name}`);
  const value = checkText(field, field.type.maxBytes, literal, fault);
  return value === '' ? ALWAYS : { kind, field: field.name, value };
}

/** `cidr(block).containsIP(field)`: as in Kubernetes, a block of one family holds no address of the other. */
export function addressInRange(field: FieldDefinition, literal: Literal, fault: Fault): Condition {
  if (literal.type !== 'string') throw wrongType(field, 'the text of an address block', fault);
  const [, addressText = '', prefixText] = /^(.*?)(?:\/(\d{1,3}))?$/s.exec(literal.value) ?? [];
  const address = parseIpAddress(addressText);
  const example = 'write it as 10.0.0.0/8 or fd00::/8';
  if (address === undefined) throw fault(`"${literal.value}" is not an address block`, example);
  refuseMapped(address, literal.value, fault);
  const bitCount = address.bytes.length * 8;
  if (prefixText === undefined) {
    throw fault(`"${literal.value}" has no prefix length`, `write ${formatIpAddress(address)}/${bitCount}`);
  }
  const prefixLength = Number(prefixText);
  if (prefixLength > bitCount) {
    throw fault(
      `the prefix length of "${literal.value}" is beyond the ${bitCount} bits of an address`,
      example,
    );
  }
  const network = { family: address.family, bytes: maskBytes(address.bytes, prefixLength) };
  const canonical = `${formatIpAddress(network)}/${prefixLength}`;
  if (canonical !== literal.value) {
    const hasHostBits = network.bytes.some((byte, index) => byte !== address.bytes[index]);
    const reason = hasHostBits ? `has bits set beyond its prefix` : `is not in canonical form`;
    throw fault(`the address block "${literal.value}" ${reason}`, `write ${canonical}`);
  }
  return { kind: 'ip-in', field: field.name, ranges: [{ ...network, prefixLength }] };
}

/** What a program sees of such a connection is its IPv4 address, so the mapped form would never match. */
function refuseMapped(address: ReturnType<typeof parseIpAddress> & {}, text: string, fault: Fault): void {
  if (!isIpv4Mapped(address)) return;
  const inner = address.bytes.slice(12).join('.');
  throw fault(`"${text}" is an IPv4 address mapped into IPv6`, `write the IPv4 form, ${inner}`);
}

function checkAddress(field: FieldDefinition, literal: Literal, fault: Fault): IpRange {
  if (literal.type !== 'string') throw wrongType(field, 'the text of an address', fault);
  const address = parseIpAddress(literal.value);
  if (address === undefined) {
    const isBlock = parseIpAddress(literal.value.replace(/\/\d+$/, '')) !== undefined;
    throw fault(
      `${field.name} is an IP address; "${literal.value}" is ${isBlock ? 'an address block' : 'not one'}`,
      isBlock
        ? `write cidr("${literal.value}").containsIP(${field.name})`
        : 'write it as 10.0.0.7 or 2001:db8::7',
    );
  }
  refuseMapped(address, literal.value, fault);
  const canonical = formatIpAddress(address);
  if (canonical !== literal.value) {
    throw fault(
      `"${literal.value}" is not the canonical form of the address (RFC 5952)`,
      `write ${canonical}`,
    );
  }
  return { ...address, prefixLength: address.bytes.length * 8 };
}

function checkEnumName(
  field: FieldDefinition,
  names: Readonly<Record<string, number>>,
  literal: Literal,
  fault: Fault,
): bigint {
  if (literal.type !== 'string') throw wrongType(field, 'one of its names', fault);
  const number = Object.hasOwn(names, literal.value) ? names[literal.value] : undefined;
  if (number === undefined) {
    const hint = suggestName(literal.value, Object.keys(names));
    throw fault(`${field.name} is never "${literal.value}"`, hint);
  }
  return BigInt(number);
}

function checkInt(field: FieldDefinition, literal: Literal, fault: Fault): bigint {
  if (literal.type !== 'int') throw wrongType(field, 'a whole number', fault);
  if (literal.value > MAX_INT || literal.value < MIN_INT) {
    throw fault(`${literal.value} does not fit into an int`, `an int lies between ${MIN_INT} and ${MAX_INT}`);
  }
  return literal.value;
}

/** A text that the field can hold, at least in part. */
function checkText(field: FieldDefinition, maxBytes: number, literal: Literal, fault: Fault): string {
  if (literal.type !== 'string') throw wrongType(field, 'a text', fault);
  const { value } = literal;
  if (value.includes('\0')) {
    throw fault(`the text holds a NUL byte; the kernel ends a text there, so ${field.name} never matches`);
  }
  if (/\p{Surrogate}/u.test(value)) {
    throw fault(
      `the text holds half a surrogate pair, which UTF-8 cannot spell, so ${field.name} never matches`,
    );
  }
  const byteLength = Buffer.byteLength(value);
  if (byteLength > maxBytes) {
    throw fault(
      `the text has ${byteLength} bytes, but ${field.name} holds at most ${maxBytes}, so it never matches`,
    );
  }
  return value;
}
