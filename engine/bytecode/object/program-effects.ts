import { helperName } from '../instruction/helper-function.js';
import type { ProgramFacts } from './program-facts.js';

/** What a program can do to a task beyond watching it. */
export type ProgramEffect = 'deny' | 'kill';

/** Can end a task by a signal. */
const SIGNALS = new Set(['send_signal', 'send_signal_thread', 'bpf_send_signal_task']);

/** What the bytes of a program can do to a task: every type is taken to decide by its result. */
export function programEffects(facts: ProgramFacts): readonly ProgramEffect[] {
  const called = [...facts.helperIds.map((id) => helperName(id) ?? ''), ...facts.kfuncs];
  return called.some((name) => SIGNALS.has(name)) ? ['deny', 'kill'] : ['deny'];
}
