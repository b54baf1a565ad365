/**
 * The part of SARIF 2.1.0 that Vespid writes, as a closed JSON Schema: names, types, required members and enumerations
 * are the standard's (sarif-schema-2.1.0.json), a member that is not listed here is an error, and where GitHub's code
 * scanning requires what the standard does not (help, a line, fingerprints), that is required, too. The whole schema
 * of 3,000 lines comes in no package that is kept up; `@types/sarif` holds the source to its types when it compiles.
 */
const closed = (required: readonly string[], properties: Record<string, object>) => ({
  type: 'object',
  additionalProperties: false,
  required,
  properties,
});
const listOf = (items: object) => ({ type: 'array', items });
const uniqueListOf = (items: object) => ({ type: 'array', items, uniqueItems: true });

const TEXT = { type: 'string', minLength: 1 };
const MESSAGE = closed(['text'], { text: TEXT });
const LEVEL = { enum: ['none', 'note', 'warning', 'error'] };

/** A relative reference or a file URI of RFC 3986 characters; never a bare absolute path, never out of the checkout. */
const URI_REFERENCE = {
  type: 'string',
  pattern: "^(file:///|(?!/)(?!\\.\\.))(%[0-9A-F]{2}|[A-Za-z0-9\\-._~!$&'()*+,;=:@/])*$",
};

const LOCATION = closed(['physicalLocation'], {
  physicalLocation: closed(['artifactLocation', 'region'], {
    artifactLocation: closed(['uri'], { uri: URI_REFERENCE, uriBaseId: { const: '%SRCROOT%' } }),
    region: closed(['startLine'], {
      startLine: { type: 'integer', minimum: 1 },
      startColumn: { type: 'integer', minimum: 1 },
    }),
  }),
  logicalLocations: uniqueListOf(
    closed(['fullyQualifiedName', 'kind'], {
      fullyQualifiedName: TEXT,
      kind: { enum: ['function', 'resource'] },
    }),
  ),
});

const RULE = closed(['id', 'name', 'shortDescription', 'fullDescription', 'help', 'defaultConfiguration'], {
  id: { type: 'string', pattern: '^[A-Z][A-Z0-9_]+$' },
  name: { type: 'string', pattern: '^[A-Z][A-Za-z0-9]*$', maxLength: 255 },
  shortDescription: closed(['text'], { text: { ...TEXT, maxLength: 1024 } }),
  fullDescription: closed(['text'], { text: { ...TEXT, maxLength: 1024 } }),
  help: closed(['text', 'markdown'], { text: TEXT, markdown: TEXT }),
  defaultConfiguration: closed(['level'], { level: LEVEL }),
  properties: closed(['tags', 'precision', 'security-severity'], {
    tags: { ...uniqueListOf(TEXT), maxItems: 20 },
    precision: { enum: ['very-high', 'high', 'medium', 'low'] },
    'security-severity': { type: 'string', pattern: '^(10\\.0|[0-9]\\.[0-9])$' },
  }),
});

const RESULT = closed(['ruleId', 'ruleIndex', 'level', 'message', 'locations', 'partialFingerprints'], {
  ruleId: TEXT,
  ruleIndex: { type: 'integer', minimum: 0 },
  kind: { const: 'fail' },
  level: LEVEL,
  message: MESSAGE,
  locations: { ...listOf(LOCATION), minItems: 1, maxItems: 1 },
  partialFingerprints: {
    type: 'object',
    required: ['primaryLocationLineHash'],
    additionalProperties: TEXT,
  },
  properties: { type: 'object' },
});

const NOTIFICATION = closed(['message', 'level'], {
  descriptor: closed(['id'], { id: TEXT }),
  level: LEVEL,
  message: MESSAGE,
  locations: uniqueListOf(LOCATION),
});

export const SARIF_STRUCTURE = closed(['$schema', 'version', 'runs'], {
  $schema: { type: 'string', pattern: '^https://.*sarif-schema-2\\.1\\.0\\.json$' },
  version: { const: '2.1.0' },
  runs: {
    ...listOf(
      closed(['tool', 'results', 'invocations'], {
        tool: closed(['driver'], {
          driver: closed(['name', 'version', 'rules'], {
            name: TEXT,
            version: TEXT,
            rules: uniqueListOf(RULE),
          }),
        }),
        automationDetails: closed(['id'], { id: TEXT }),
        invocations: listOf(
          closed(['executionSuccessful'], {
            executionSuccessful: { type: 'boolean' },
            toolExecutionNotifications: listOf(NOTIFICATION),
          }),
        ),
        columnKind: { enum: ['utf16CodeUnits', 'unicodeCodePoints'] },
        results: listOf(RESULT),
      }),
    ),
    minItems: 1,
    maxItems: 1,
  },
});
