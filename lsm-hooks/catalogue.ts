import type { FieldDefinition, HookDefinition } from './definition.js';
import { FILE_OPEN } from './file-open.js';
import { NET_CONNECT } from './net-connect.js';
import { PROCESS_EXEC } from './process-exec.js';
import { PROGRAM_LOAD } from './program-load.js';

/** The hooks that a policy can name. */
export const POLICY_HOOKS: ReadonlyMap<string, HookDefinition> = new Map(
  [PROCESS_EXEC, FILE_OPEN, NET_CONNECT].map((hook) => [hook.name, hook]),
);

/** Every hook that can stand in an event record, by the id in the record. */
export const HOOKS_BY_ID: ReadonlyMap<number, HookDefinition> = new Map(
  [...POLICY_HOOKS.values(), PROGRAM_LOAD].map((hook) => [hook.id, hook]),
);

/** The field of that name, or undefined. */
export function findField(hook: HookDefinition, name: string): FieldDefinition | undefined {
  return hook.fields.find((field) => field.name === name);
}
