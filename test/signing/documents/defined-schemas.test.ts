import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { DEFINED_SCHEMAS } from '../../../signing/documents/signed-document.js';
import '../../../signing/index.js';

describe('the schemas of signed documents', () => {
  test('are found here', () => {
    expect(DEFINED_SCHEMAS.length).toBeGreaterThan(5);
  });

  test.each(DEFINED_SCHEMAS.map((schema, index) => ({ index, schema })))(
    '$index is a schema by JSON Schema 2020-12 itself',
    ({ schema }) => {
      const ajv = new Ajv2020({ strict: true, strictTuples: false });
      expect(ajv.validateSchema(schema), ajv.errorsText()).toBe(true);
    },
  );
});
