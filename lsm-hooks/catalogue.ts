import type { AttachableHook } from './attach-candidate.js';
import type { FieldDefinition, HookDefinition } from './definition.js';
import { FILE_OPEN_HOOK } from './file-open.js';
import { NET_CONNECT_HOOK } from './net-connect.js';
import { PROCESS_EXEC_HOOK } from './process-exec.js';
import { PROGRAM_LOAD } from './program-load.js';

/** The hooks that a policy can name, with the ways to attach them. */
export const ATTACHABLE_HOOKS: ReadonlyMap<string, AttachableHook> = new Map(
  [PROCESS_EXEC_HOOK, FILE_OPEN_HOOK, NET_CONNECT_HOOK].map((hook) => [hook.definition.name, hook]),
);

/** The hooks that a policy can name. */
export const POLICY_HOOKS: ReadonlyMap<string, HookDefinition> = new Map(
  [...ATTACHABLE_HOOKS].map(([name, hook]) => [name, hook.definition]),
);

/** Every hook that can stand in an event record, by the id in the record. */
export const HOOKS_BY_ID: ReadonlyMap<number, HookDefinition> = new Map(
  [...POLICY_HOOKS.values(), PROGRAM_LOAD].map((hook) => [hook.id, hook]),
);

/** The field of that name, or undefined. */
export function findField(hook: HookDefinition, name: string): FieldDefinition | undefined {
  return hook.fields.find((field) => field.name === name);
}
