import {
  type AttachCandidate,
  type AttachPoint,
  CONFIG,
  CONFIG_OFFSET,
  EFFECTS,
  type Effect,
  emitClaim,
  emitCount,
  emitRecord,
  emitRelease,
  enterProgram,
  Frame,
  RECORD_FLAG_INCOMPLETE,
  RECORD_OFFSET,
  type ScratchLayout,
  type Subprograms,
} from '../../lsm-hooks/index.js';
import type { Condition } from '../../policies/language/index.js';
import { type AssembledFunction, Assembler, type Label, R0, R1, R2, R7, R9 } from '../bytecode/index.js';
import { type ConditionContext, emitCondition } from './condition-code.js';

/** One rule as the program sees it; its index is its bit in the record. */
export interface ProgramRule {
  readonly effect: Effect;
  readonly condition: Condition;
}

const SIGKILL = 9;

/**
 * The program of one attach point: filter, scope, working memory, every rule in turn, and for a match the signal,
 * the record and the verdict. All rules are evaluated, so that the event names every one that matched.
 */
export function assembleRuleProgram(
  candidate: AttachCandidate,
  point: AttachPoint,
  rules: readonly ProgramRule[],
  layout: ScratchLayout,
  subprograms: Subprograms,
  sharedStrings: ReadonlySet<string>,
): AssembledFunction {
  const assembler = new Assembler(point.functionName);
  const frame = new Frame(assembler, layout, subprograms, point.functionName, point.access);
  const delivered = rules.map((rule) => deliveredEffect(candidate, rule.effect));
  const ignore = assembler.label('ignore');
  const exhausted = assembler.label('no working memory');
  const release = assembler.label('release');

  enterProgram(frame);
  point.filter?.(frame, ignore);
  if (!point.scopedByAttachment) emitScope(frame, ignore);
  emitClaim(frame, exhausted);
  point.setup(frame, release);
  const context: ConditionContext = { frame, readers: point.readers, sharedStrings };
  for (const [index, rule] of rules.entries()) {
    emitRule(context, rule.condition, index, delivered[index] ?? 'audit');
  }

  const matchedAt = layout.recordOffset + RECORD_OFFSET.matchedRules;
  assembler.load(8, R1, R7, matchedAt).jumpIfImmediate('==', R1, 0, release);
  emitCount(frame, 'matched');
  if (delivered.includes('kill')) emitKill(frame, point);
  emitRecord(frame, point.readers, sharedStrings);
  emitVerdict(frame, point, delivered);

  assembler.place(release);
  emitRelease(frame);
  assembler.place(ignore).moveImmediate(R0, point.returns.allow).exit();
  assembler.place(exhausted);
  emitCount(frame, 'unjudged');
  const refuses = delivered.some((effect) => effect !== 'audit');
  assembler.moveImmediate(R0, refuses ? point.returns.retry : point.returns.allow).exit();
  return assembler.finish();
}

/** The effect itself where the attach candidate can deliver it, or the weaker one that it names. */
export function deliveredEffect(candidate: AttachCandidate, effect: Effect): Effect {
  if (candidate.effects.includes(effect)) return effect;
  return candidate.weaker[effect]?.effect ?? 'audit';
}

/** Jumps away unless the current task is in the configured cgroup, or below, or none is configured. */
function emitScope(frame: Frame, ignore: Label): void {
  const { assembler } = frame;
  const inScope = assembler.label('in scope');
  assembler
    .loadConstant(R1, CONFIG.name, CONFIG_OFFSET.scopeCgroupId)
    .load(8, R7, R1, 0)
    .jumpIfImmediate('==', R7, 0, inScope)
    .loadConstant(R1, CONFIG.name, CONFIG_OFFSET.scopeLevel)
    .load(4, R1, R1, 0)
    .callHelper('get_current_ancestor_cgroup_id')
    .jumpIf('!=', R0, R7, ignore)
    .place(inScope);
}

/** When the condition holds, or cannot be decided, notes the rule and raises the verdict to its effect. */
function emitRule(context: ConditionContext, condition: Condition, index: number, effect: Effect): void {
  const { assembler, layout } = context.frame;
  const matched = assembler.label(`rule ${index} matched`);
  const incomplete = assembler.label(`rule ${index} undecided`);
  const next = assembler.label(`after rule ${index}`);
  const strongEnough = assembler.label(`verdict of rule ${index}`);
  const at = layout.recordOffset;
  const strength = EFFECTS.indexOf(effect);
  emitCondition(context, condition, { ifTrue: matched, ifFalse: next, ifUnknown: incomplete });
  assembler
    .place(incomplete)
    .storeImmediate(1, R7, at + RECORD_OFFSET.flags, RECORD_FLAG_INCOMPLETE)
    .place(matched)
    .loadImmediate64(R2, 1n << BigInt(index))
    .load(8, R1, R7, at + RECORD_OFFSET.matchedRules)
    .alu('or', R1, R2)
    .store(8, R7, at + RECORD_OFFSET.matchedRules, R1)
    .load(1, R1, R7, at + RECORD_OFFSET.verdict)
    .jumpIfImmediate('>=', R1, strength, strongEnough)
    .storeImmediate(1, R7, at + RECORD_OFFSET.verdict, strength)
    .place(strongEnough)
    .place(next);
}

/**
 * Sends SIGKILL first, so that the record says what happened. Where the signal fails (init cannot be killed) the
 * action is refused if this attach point can refuse, else it was only seen.
 */
function emitKill(frame: Frame, point: AttachPoint): void {
  const otherwise: Effect = point.returns.deny === point.returns.allow ? 'audit' : 'deny';
  const { assembler, layout } = frame;
  const at = layout.recordOffset + RECORD_OFFSET.verdict;
  const done = assembler.label('signalled');
  assembler
    .load(1, R1, R7, at)
    .jumpIfImmediate('!=', R1, EFFECTS.indexOf('kill'), done)
    .moveImmediate(R1, SIGKILL)
    .callHelper('send_signal')
    .jumpIfImmediate('==', R0, 0, done)
    .storeImmediate(1, R7, at, EFFECTS.indexOf(otherwise))
    .place(done);
}

/** Returns the refusal when the verdict is deny, or kill where the action can also be refused. */
function emitVerdict(frame: Frame, point: AttachPoint, delivered: readonly Effect[]): void {
  const { assembler, layout } = frame;
  if (delivered.every((effect) => effect === 'audit')) return;
  const allow = assembler.label('allow');
  assembler
    .load(1, R9, R7, layout.recordOffset + RECORD_OFFSET.verdict)
    .jumpIfImmediate('==', R9, EFFECTS.indexOf('audit'), allow);
  emitRelease(frame);
  assembler.moveImmediate(R0, point.returns.deny).exit().place(allow);
}
