import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { EFFECTS, POLICY_HOOKS } from '../../lsm-hooks/index.js';
import { MAX_RULES_PER_POLICY } from '../../policies/language/limits.js';
import { POLICY_SCHEMA } from '../../policies/language/policy-schema.generated.js';
import { policyWhen } from './policy-text.js';

const shipped: unknown = JSON.parse(
  readFileSync(new URL('../../policies/schema/policy.schema.json', import.meta.url), 'utf8'),
);
const rules = POLICY_SCHEMA.properties.spec.properties.rules;

describe('the JSON Schema of a policy', () => {
  it('is the one that editors get', () => {
    expect(POLICY_SCHEMA).toEqual(shipped);
  });

  it('knows the hooks of the catalogue, each with a word about it', () => {
    expect(rules.items.properties.hook.enum).toEqual([...POLICY_HOOKS.keys()]);
    for (const hook of POLICY_HOOKS.keys()) expect(rules.items.properties.hook.description).toContain(hook);
  });

  it('knows the effects of the catalogue', () => {
    expect(rules.items.properties.effect.enum).toEqual(EFFECTS);
  });

  it('has the limit of rules that the code has', () => {
    expect(rules.maxItems).toBe(MAX_RULES_PER_POLICY);
  });

  it('describes every property, for editors', () => {
    const undescribed: string[] = [];
    const visit = (schema: unknown, path: string): void => {
      if (typeof schema !== 'object' || schema === null) return;
      const { properties, items } = schema as { properties?: Record<string, object>; items?: object };
      for (const [name, property] of Object.entries(properties ?? {})) {
        if (!('description' in property)) undescribed.push(`${path}.${name}`);
        visit(property, `${path}.${name}`);
      }
      visit(items, `${path}[]`);
    };
    visit(POLICY_SCHEMA, '');
    expect(undescribed).toEqual([]);
  });

  it('accepts by itself what the parser accepts', () => {
    const validate = new Ajv({ allowUnionTypes: true }).compile(POLICY_SCHEMA);
    expect(validate(parse(policyWhen('file.write')))).toBe(true);
    expect(validate(parse(policyWhen('file.write').replace('low', 'lowest')))).toBe(false);
  });
});
