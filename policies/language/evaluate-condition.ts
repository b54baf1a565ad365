import { VespidError } from '../../engine/errors/index.js';
import { HOOKS_BY_ID } from '../../lsm-hooks/index.js';
import type { Condition, IpRange } from './condition.js';
import { type IpAddress, maskBytes, parseIpAddress } from './ip-address.js';

/**
 * Says whether a condition holds for an event: the meaning that compiled programs are held to.
 *
 * @param fields by dotted name (`process.exe`): text for string and ip fields (canonical form), boolean for
 * bool fields, number or bigint for int fields, name or number for enum fields.
 * @throws VespidError POLICY_FIELD_VALUE if a field that is read is missing or of another type
 */
export function evaluateCondition(condition: Condition, fields: Readonly<Record<string, unknown>>): boolean {
  switch (condition.kind) {
    case 'constant':
      return condition.value;
    case 'and':
      return condition.terms.every((term) => evaluateCondition(term, fields));
    case 'or':
      return condition.terms.some((term) => evaluateCondition(term, fields));
    case 'not':
      return !evaluateCondition(condition.term, fields);
    case 'bool':
      return readBool(fields, condition.field);
    case 'int-in':
      return condition.values.includes(readInt(fields, condition.field));
    case 'int-order':
      return inOrder(readInt(fields, condition.field), condition.operator, condition.value);
    case 'string-in':
      return condition.values.includes(readText(fields, condition.field));
    case 'string-prefix':
      return readText(fields, condition.field).startsWith(condition.value);
    case 'string-suffix':
      return readText(fields, condition.field).endsWith(condition.value);
    case 'string-contains':
      return readText(fields, condition.field).includes(condition.value);
    case 'ip-in': {
      const address = readAddress(fields, condition.field);
      return condition.ranges.some((range) => holds(range, address));
    }
  }
}

function inOrder(left: bigint, operator: '<' | '<=' | '>' | '>=', right: bigint): boolean {
  switch (operator) {
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    case '>=':
      return left >= right;
  }
}

function holds(range: IpRange, address: IpAddress): boolean {
  if (range.family !== address.family) return false;
  return maskBytes(address.bytes, range.prefixLength).every((byte, index) => byte === range.bytes[index]);
}

function wrongValue(field: string, value: unknown, expected: string): VespidError {
  const came = value === undefined ? 'nothing' : `a value of type ${typeof value}`;
  return new VespidError('POLICY_FIELD_VALUE', `${field}: ${expected} expected, ${came} given`, {
    hint: 'give the event every field that the condition reads',
  });
}

function readText(fields: Readonly<Record<string, unknown>>, field: string): string {
  const value = fields[field];
  if (typeof value !== 'string') throw wrongValue(field, value, 'text');
  return value;
}

function readBool(fields: Readonly<Record<string, unknown>>, field: string): boolean {
  const value = fields[field];
  if (typeof value !== 'boolean') throw wrongValue(field, value, 'true or false');
  return value;
}

function readInt(fields: Readonly<Record<string, unknown>>, field: string): bigint {
  const value = fields[field];
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  if (typeof value === 'string') {
    const number = enumNumber(field, value);
    if (number !== undefined) return BigInt(number);
  }
  throw wrongValue(field, value, 'a whole number or a name of the enumeration');
}

function enumNumber(field: string, name: string): number | undefined {
  for (const hook of HOOKS_BY_ID.values()) {
    const type = hook.fields.find((candidate) => candidate.name === field)?.type;
    if (type?.kind === 'enum' && Object.hasOwn(type.values, name)) return type.values[name];
  }
  return undefined;
}

function readAddress(fields: Readonly<Record<string, unknown>>, field: string): IpAddress {
  const address = parseIpAddress(readText(fields, field));
  if (address === undefined) throw wrongValue(field, fields[field], 'an IP address');
  return address;
}
