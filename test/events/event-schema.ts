import { Ajv2020 } from 'ajv/dist/2020.js';
import schema from '../../engine/events/event.schema.json' with { type: 'json' };

const validate = new Ajv2020({ strict: true, allErrors: true }).compile(schema);

/** What the JSON Schema has against the value: empty if it is a valid event. */
export function schemaErrors(event: unknown): string[] {
  if (validate(event)) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

/** As {@link schemaErrors} for an event as it travels. */
export function schemaErrorsOfLine(line: string): string[] {
  const event: unknown = JSON.parse(line);
  return schemaErrors(event);
}
