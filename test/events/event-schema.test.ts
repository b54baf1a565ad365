import { describe, expect, it } from 'vitest';
import schema from '../../engine/events/event.schema.json' with { type: 'json' };
import { EVENT_SCHEMA, SEVERITIES, VERDICTS } from '../../engine/events/index.js';
import { EFFECTS, HOOKS_BY_ID } from '../../lsm-hooks/index.js';
import { schemaErrors } from './event-schema.js';
import { eventOf, SAMPLE_RECORDS } from './sample-events.js';

const HOOKS = [...HOOKS_BY_ID.values()];
const properties: Readonly<Record<string, unknown>> = schema.properties;

function fieldsOfSchema(group: string): string[] {
  const entry = properties[group];
  if (typeof entry !== 'object' || entry === null || !('properties' in entry)) return [];
  return Object.keys(entry.properties ?? {}).map((key) => `${group}.${key}`);
}

describe('event.schema.json', () => {
  it('knows the hooks, severities, effects, verdicts and the schema name of the code', () => {
    expect(schema.properties.hook.enum.toSorted()).toEqual(HOOKS.map(({ name }) => name).toSorted());
    expect(schema.$defs.severity.enum).toEqual(SEVERITIES);
    expect(schema.$defs.effect.enum).toEqual(EFFECTS);
    expect(schema.properties.verdict.enum).toEqual(Object.values(VERDICTS));
    expect(schema.properties.schema.const).toBe(EVENT_SCHEMA);
  });

  it('has exactly the fields of the hook catalogue', () => {
    const inCatalogue = new Set(HOOKS.flatMap(({ fields }) => fields.map(({ name }) => name)));
    const groups = new Set([...inCatalogue].map((name) => name.split('.')[0] ?? ''));
    const inSchema = [...groups].flatMap(fieldsOfSchema);
    expect(inSchema.toSorted()).toEqual([...inCatalogue].toSorted());
  });

  const event = eventOf(SAMPLE_RECORDS['file.open']);
  it.each([
    ['a key that it does not know', { ...event, extra: 1 }],
    ['a field of another hook', { ...event, net: { port: 1, family: 'ipv4', protocol: 'tcp' } }],
    ['an unknown field', { ...event, file: { ...event.file, colour: 'red' } }],
    ['no fields of its hook', { ...event, file: undefined, hook: 'net.connect' }],
    ['a time without nanoseconds', { ...event, time: '2026-01-01T00:00:00Z' }],
    ['a negative id', { ...event, process: { ...event.process, pid: -1 } }],
    ['no match', { ...event, matches: [] }],
  ])('refuses %s', (_, value) => {
    expect(schemaErrors(JSON.parse(JSON.stringify(value)))).not.toEqual([]);
  });
});
