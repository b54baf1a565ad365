import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { type ErrorCode, suggestName, type VespidError } from '../../engine/errors/index.js';
import { type DocumentPath, formatPath, type PolicyDocument } from './policy-document.js';
import { POLICY_SCHEMA } from './policy-schema.generated.js';

/** A document that the schema accepts. */
export interface PolicyForm {
  readonly metadata: {
    readonly name: string;
    readonly description?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly severity: 'info' | 'low' | 'medium' | 'high' | 'critical';
    readonly attack?: readonly string[];
    readonly rules: readonly {
      readonly hook: string;
      readonly when?: string | boolean;
      readonly effect: 'audit' | 'deny' | 'kill';
    }[];
  };
}

let validator: ValidateFunction<PolicyForm> | undefined;

/** Compiled when first needed: it takes some milliseconds that a run without policies does not owe. */
function validate(): ValidateFunction<PolicyForm> {
  validator ??= new Ajv({
    allErrors: true,
    verbose: true,
    allowUnionTypes: true,
    // Polishing what is generated takes longer than checking hundreds of policies.
    code: { optimize: false },
  }).compile<PolicyForm>(POLICY_SCHEMA);
  return validator;
}

/**
 * Holds a document to the policy schema.
 *
 * @throws VespidError POLICY_UNKNOWN_KEY, POLICY_UNKNOWN_HOOK, POLICY_SCHEMA, POLICY_LIMIT
 */
export function checkSchema(document: PolicyDocument): PolicyForm {
  const check = validate();
  const { value } = document;
  if (check(value)) return value;
  throw describe(mostTelling(check.errors ?? []), document);
}

/** In a document of another kind all else is noise; a misspelt key is both unknown and missing. */
function mostTelling(errors: readonly ErrorObject[]): ErrorObject | undefined {
  const firstOf = (keyword: string) => errors.find((error) => error.keyword === keyword);
  return firstOf('const') ?? firstOf('additionalProperties') ?? firstOf('propertyNames') ?? errors[0];
}

/** RFC 6901: the way that a JSON Pointer names, with array indexes as numbers. */
function pathOf(document: PolicyDocument, pointer: string): DocumentPath {
  const path: (string | number)[] = [];
  let value = document.value;
  for (const step of pointer.split('/').slice(1)) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(Array.isArray(value) ? Number(key) : key);
    // A step of the pointer is a key or an index of the value that it was made from.
    value = (value as Record<string, unknown>)[key];
  }
  return path;
}

function describe(error: ErrorObject | undefined, document: PolicyDocument): VespidError {
  if (error === undefined) {
    return document.error(
      'POLICY_SCHEMA',
      document.locateValue([]),
      'the policy is not of the documented form',
    );
  }
  const path = pathOf(document, error.instancePath);
  switch (error.keyword) {
    case 'additionalProperties':
      return unknownKey(document, path, error);
    case 'required':
      return missingKey(document, path, error);
    case 'propertyNames':
      return badKey(document, path, error);
    default:
      return wrongValue(document, path, error);
  }
}

function unknownKey(document: PolicyDocument, path: DocumentPath, error: ErrorObject): VespidError {
  const key = String(error.params['additionalProperty']);
  const known = Object.keys((error.parentSchema?.['properties'] ?? {}) as Record<string, unknown>);
  return document.error(
    'POLICY_UNKNOWN_KEY',
    document.locateKey([...path, key]),
    `${formatPath(path)} has no key "${key}"`,
    suggestName(key, known),
  );
}

function missingKey(document: PolicyDocument, path: DocumentPath, error: ErrorObject): VespidError {
  const key = String(error.params['missingProperty']);
  // An array item has no key of its own; a mapping is best marked at the key that it stands under.
  const location = typeof path.at(-1) === 'string' ? document.locateKey(path) : document.locateValue(path);
  const properties = (error.parentSchema?.['properties'] ?? {}) as Record<string, { description?: string }>;
  const doc = properties[key]?.description;
  return document.error(
    'POLICY_SCHEMA',
    location,
    `${formatPath([...path, key])} is missing`,
    doc === undefined ? undefined : `${key}: ${doc}`,
  );
}

function badKey(document: PolicyDocument, path: DocumentPath, error: ErrorObject): VespidError {
  const key = String(error.params['propertyName']);
  return document.error(
    'POLICY_SCHEMA',
    document.locateKey([...path, key]),
    `"${key}" cannot be a key of ${formatPath(path)}`,
    'a key has at most 128 letters, digits, "-", "_", "." and "/", with a letter or digit at both ends',
  );
}

function wrongValue(document: PolicyDocument, path: DocumentPath, error: ErrorObject): VespidError {
  const isHook = path[0] === 'spec' && path.at(-1) === 'hook' && typeof error.data === 'string';
  const doc: unknown = error.parentSchema?.['description'];
  const expectation = expected(error);
  const names = error.keyword === 'enum' ? (error.params['allowedValues'] as readonly string[]) : undefined;
  let code: ErrorCode = 'POLICY_SCHEMA';
  if (isHook) code = 'POLICY_UNKNOWN_HOOK';
  else if (error.keyword.startsWith('max')) code = 'POLICY_LIMIT';
  let hint = typeof doc === 'string' ? doc : undefined;
  if (names !== undefined && typeof error.data === 'string') hint = suggestName(error.data, names);
  return document.error(
    code,
    document.locateValue(path),
    `${formatPath(path)}: ${expectation}, ${describeValue(error.data)} came`,
    hint,
  );
}

/** What a keyword of the schema asks for, in words. */
function expected(error: ErrorObject): string {
  const limit = String(error.params['limit']);
  switch (error.keyword) {
    case 'type': {
      const types = [error.params['type'] as string | readonly string[]].flat();
      return `${types.map((type) => TYPE_WORDS[type] ?? type).join(' or ')} expected`;
    }
    case 'const':
      return `${String(error.params['allowedValue'])} expected`;
    case 'enum':
      return `one of ${(error.params['allowedValues'] as readonly string[]).join(', ')} expected`;
    case 'minItems':
      return `at least ${limit} expected`;
    case 'maxItems':
    case 'maxProperties':
      return `at most ${limit} expected`;
    case 'maxLength':
      return `at most ${limit} characters expected`;
    case 'uniqueItems':
      return 'each value once expected';
    default:
      return 'a value of the documented form expected';
  }
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: 'a text',
  boolean: 'a truth value',
  object: 'a mapping',
  array: 'a list',
};

function describeValue(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object') return `a mapping of ${Object.keys(value).length}`;
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
