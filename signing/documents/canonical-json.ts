import { VespidError } from '../../engine/errors/index.js';

/** The values that a signed document may hold: JSON with integers only. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** A surrogate without its partner: it has no UTF-8 form, so two decoders would see two different strings. */
const LONE_SURROGATE = /\p{Surrogate}/u;

const encoder = new TextEncoder();

/**
 * The one serialization of a value, as UTF-8 bytes: RFC 8785 (JSON Canonicalization Scheme) restricted to safe
 * integers. Members are ordered by UTF-16 code units (section 3.2.3), there is no white space, and strings are
 * escaped as ECMAScript's `JSON.stringify` does (section 3.2.2.2).
 *
 * @throws VespidError INTERNAL for a value that has no canonical form: `undefined`, a fraction, a lone surrogate
 */
export function canonicalJson(value: unknown): Uint8Array {
  return encoder.encode(serialize(value));
}

function serialize(value: unknown): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return serializeString(value);
  if (typeof value === 'number') return serializeInteger(value);
  if (Array.isArray(value)) return `[${value.map(serialize).join(',')}]`;
  if (typeof value === 'object') return serializeObject(value);
  throw notCanonical(`a ${typeof value}`);
}

function serializeString(value: string): string {
  if (LONE_SURROGATE.test(value)) throw notCanonical('a string with a lone surrogate');
  return JSON.stringify(value);
}

function serializeInteger(value: number): string {
  if (!Number.isSafeInteger(value)) throw notCanonical(`the number ${value}`);
  return String(value);
}

function serializeObject(value: object): string {
  // The cast says no more than that a member may be anything. Without a comparator, sort is by UTF-16 code units.
  const members = value as Readonly<Record<string, unknown>>;
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${serializeString(key)}:${serialize(members[key])}`).join(',')}}`;
}

function notCanonical(what: string): VespidError {
  return new VespidError('INTERNAL', `${what} has no canonical JSON form`, {
    hint: 'signed documents hold objects, arrays, strings, booleans, null and safe integers only',
  });
}
