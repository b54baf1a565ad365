import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { type ErrorCode, VespidError } from '../../engine/errors/index.js';
import { bytesEqual } from './bytes.js';
import { canonicalJson } from './canonical-json.js';
import { parseStrictJson } from './strict-json.js';

/** Checks a value against a JSON Schema; compiled at first use, because most commands need few schemas. */
export type SchemaCheck<T> = (value: unknown) => { readonly value: T } | { readonly error: ErrorObject };

/** Every schema so far, for the test that holds them to JSON Schema's own: here that would take longer than all else. */
export const DEFINED_SCHEMAS: object[] = [];

let ajv: Ajv2020 | undefined;

/** @param T the type that `schema` describes; the two stand side by side in one file */
export function defineSchema<T>(schema: object): SchemaCheck<T> {
  DEFINED_SCHEMAS.push(schema);
  let validate: ValidateFunction<T> | undefined;
  return (value) => {
    // The index is a tuple with an open end (one bundle, then attestations), which strictTuples would forbid.
    // verbose: an error carries the part of the schema that it comes from, which says what is known there.
    ajv ??= new Ajv2020({
      strict: true,
      strictTuples: false,
      verbose: true,
      meta: false,
      validateSchema: false,
      // Most schemas check one document in a process: polishing what is generated costs more than it saves.
      code: { optimize: false },
    });
    validate ??= ajv.compile<T>(schema);
    if (validate(value)) return { value };
    const error = validate.errors?.[0];
    if (error === undefined) throw new VespidError('INTERNAL', 'the schema check failed without an error');
    return { error };
  };
}

/** What a schema error says, without its place: "unknown member "x"". */
export function describeSchemaError(error: ErrorObject): string {
  // ajv types `params` as any-valued; each keyword's own parameter is documented, and is only printed here.
  const params: Record<string, unknown> = error.params;
  if (error.propertyName !== undefined)
    return `the name ${JSON.stringify(error.propertyName)} ${error.message ?? ''}`;
  switch (error.keyword) {
    case 'additionalProperties':
      return `unknown field ${JSON.stringify(params['additionalProperty'])}`;
    case 'required':
      return `missing field ${JSON.stringify(params['missingProperty'])}`;
    case 'const':
      return `expected ${JSON.stringify(params['allowedValue'])}`;
    case 'enum':
      return `expected one of ${JSON.stringify(params['allowedValues'])}`;
    default:
      return `value ${error.message ?? 'is not of the documented form'}`;
  }
}

/**
 * Reads one JSON document of a bundle: strict JSON, then the exact canonical bytes, then the closed schema.
 * Demanding the canonical form leaves no byte of a document free, also in those that no digest covers
 * (index.json, attestation manifests); a document may therefore be changed only by changing its meaning.
 *
 * @throws VespidError BUNDLE_JSON_*, and `invalidCode` when the schema is not met
 */
export function readSignedDocument<T>(
  bytes: Uint8Array,
  where: string,
  check: SchemaCheck<T>,
  invalidCode: ErrorCode = 'BUNDLE_DOCUMENT_INVALID',
): T {
  const parsed = parseStrictJson(bytes, where);
  requireExactBytes(bytes, canonicalJson(parsed), where);
  const checked = check(parsed);
  if ('value' in checked) return checked.value;
  const place = checked.error.instancePath === '' ? 'its top level' : checked.error.instancePath;
  throw new VespidError(invalidCode, `${where}: ${describeSchemaError(checked.error)} at ${place}`, {
    hint: 'sign again with this version of Vespid, or verify with the version that signed it',
  });
}

/** @throws VespidError BUNDLE_JSON_NOT_CANONICAL */
export function requireExactBytes(found: Uint8Array, canonical: Uint8Array, where: string): void {
  if (bytesEqual(found, canonical)) return;
  throw new VespidError(
    'BUNDLE_JSON_NOT_CANONICAL',
    `${where}: expected the canonical serialization (${canonical.length} bytes), found ${found.length} other bytes`,
    { hint: 'bundle files must not be reformatted or reordered; fetch or sign the bundle again' },
  );
}
