import type { VespidEvent } from '../../events/index.js';
import type { Step, StepOutcome } from './intrusion.js';

/** What became of one step: the intruder's view and the event of it. */
export interface StepReport {
  readonly step: string;
  readonly policy: string;
  readonly result: 'denied' | 'killed' | 'seen' | 'missed';
  /** Whether the intruder got what he wanted. */
  readonly intruderSucceeded: boolean;
  readonly observed: string;
  readonly why: string;
}

/** Holds a step's outcome against the events that came of it. */
export function reportStep(step: Step, outcome: StepOutcome, events: readonly VespidEvent[]): StepReport {
  const event = events.find(({ matches }) => matches.some((match) => match.policy === step.policy));
  return {
    step: step.title,
    policy: step.policy,
    result: resultOf(event, outcome),
    intruderSucceeded: outcome.succeeded,
    observed: outcome.observed,
    why: whyOf(event),
  };
}

function resultOf(event: VespidEvent | undefined, outcome: StepOutcome): StepReport['result'] {
  if (event === undefined) return 'missed';
  if (event.verdict === 'audited') return 'seen';
  return outcome.succeeded ? 'missed' : event.verdict;
}

function whyOf(event: VespidEvent | undefined): string {
  if (event === undefined) return 'no event came';
  if (event.degraded !== undefined)
    return `${event.degraded.requested} was asked for; ${event.degraded.reason}`;
  switch (event.verdict) {
    case 'audited':
      return 'the policy asks for audit only';
    case 'denied':
      return 'the kernel refused the call with EPERM';
    case 'killed':
      return 'the policy asks for kill';
  }
}

/** Lines for people: what was blocked, what was only seen, and why. */
export function reportLines(reports: readonly StepReport[]): string[] {
  const width = Math.max(...reports.map(({ step }) => step.length));
  const label = { denied: 'BLOCKED', killed: 'KILLED ', seen: 'SEEN   ', missed: 'MISSED ' } as const;
  return reports.flatMap(({ result, step, observed, why }) => [
    `  ${label[result]}  ${step.padEnd(width)}  process: ${observed}`,
    `           ${why}`,
  ]);
}
