import { essentialName } from '../btf/essential-name.js';
import { InstructionSlots } from '../instruction-slots.js';
import { MAP_TYPE } from '../isa.js';
import type { ObjectFile } from '../object/object-file.js';
import type { ObjectMap } from '../object/object-map.js';
import type { ObjectFunction } from '../object/object-references.js';
import { parseSectionName } from '../object/section-name.js';
import { type CallEffect, helperEffect, kfuncEffect, TAIL_CALL } from './harmless-calls.js';
import { type ProgramPower, programPower } from './program-power.js';
import { type FlowAssumptions, type FlowFacts, followRegisters } from './register-flow.js';

/** What a program can do to a task or to what that does, beyond watching it. */
export type ProgramEffect = 'deny' | 'kill';

/** What a function does that no register says. */
interface FunctionFacts {
  readonly calls: ReadonlySet<CallEffect>;
  readonly makesTailCalls: boolean;
  /** Functions of the object that it calls or whose address it takes, each once. */
  readonly callees: ReadonlySet<ObjectFunction>;
}

/** For the result alone, which does not depend on what leads to the context. */
const IN_THE_PROGRAM: FlowAssumptions = {
  isProgram: true,
  leadsBeyond: false,
  contextInArguments: false,
  contextInMemory: false,
};

/** Values of these are sockets: putting one in redirects what it sends and receives. */
const SOCKET_MAPS: ReadonlySet<number> = new Set([MAP_TYPE.sockmap, MAP_TYPE.sockhash]);

/**
 * What the programs of one object can do, from their bytes alone:
 *
 * - `kill`: calls what sends signals;
 * - `deny`: its result can refuse or alter an operation and is not provably the neutral constant at every exit; or it
 *   may write to its context or packet; or it calls anything that is not known to be harmless.
 *
 * A program without an effect has none, whoever wrote it, as far as the kernel's verifier keeps programs to their
 * rules: what is not understood counts as an effect. The reverse does not hold: a program may have an effect here and
 * never use it. Not looked at: what others make of a map's contents, how long a program runs, and what it gives away
 * of what it reads.
 *
 * Linear in the size of the object: functions are looked at once, however many programs share them.
 */
export class EffectsOfObject {
  readonly #object: ObjectFile;
  readonly #maps: ReadonlyMap<string, ObjectMap>;
  readonly #facts = new Map<ObjectFunction, FunctionFacts>();
  /** By function and assumptions: functions that are one code by several names share it. */
  readonly #flows = new Map<Uint8Array, Map<string, FlowFacts>>();

  constructor(object: ObjectFile) {
    this.#object = object;
    this.#maps = new Map(object.maps.map((map) => [map.name, map]));
  }

  /** @throws VespidError OBJECT_SECTION_UNKNOWN */
  of(program: ObjectFunction): readonly ProgramEffect[] {
    const power = programPower(parseSectionName(program.section));
    const functions = [...this.#reachable(program)];
    const facts = functions.map((f) => this.#factsOf(f));
    const does = (effect: CallEffect) => facts.some(({ calls }) => calls.has(effect));
    const makesTailCalls = facts.some((one) => one.makesTailCalls);
    const denies =
      does('acts') || this.#decides(program, power, makesTailCalls) || this.#writes(functions, power);
    return [...(denies ? (['deny'] as const) : []), ...(does('kill') ? (['kill'] as const) : [])];
  }

  /** Whether the result may be another than a neutral one. A tail call ends with the result of whatever is called. */
  #decides(program: ObjectFunction, { neutralResults }: ProgramPower, makesTailCalls: boolean): boolean {
    if (neutralResults === 'ignored') return false;
    if (neutralResults === 'always' || makesTailCalls) return true;
    const { results } = this.#flow(program, IN_THE_PROGRAM);
    return results === undefined || ![...results].every((result) => isOneOf(result, neutralResults));
  }

  /** Whether a write may reach the context. What one function hands on, any other may find. */
  #writes(functions: readonly ObjectFunction[], { writable }: ProgramPower): boolean {
    if (writable === 'nothing') return false;
    const leadsBeyond = writable === 'context-and-beyond';
    let contextInArguments = false;
    let contextInMemory = false;
    for (;;) {
      const flows = functions.map((f, index) =>
        this.#flow(f, { isProgram: index === 0, leadsBeyond, contextInArguments, contextInMemory }),
      );
      if (flows.some((flow) => flow.writesContext)) return true;
      const passes: boolean = contextInArguments || flows.some((flow) => flow.passesContext);
      const stores: boolean = contextInMemory || flows.some((flow) => flow.storesContext);
      if (passes === contextInArguments && stores === contextInMemory) return false;
      contextInArguments = passes;
      contextInMemory = stores;
    }
  }

  #flow(f: ObjectFunction, assumptions: FlowAssumptions): FlowFacts {
    const byAssumptions = this.#flows.get(f.instructions) ?? new Map<string, FlowFacts>();
    this.#flows.set(f.instructions, byAssumptions);
    const key = JSON.stringify(Object.values(assumptions));
    const flow = byAssumptions.get(key) ?? followRegisters(f, assumptions);
    byAssumptions.set(key, flow);
    return flow;
  }

  /** The program first, then every function that it reaches, each once. */
  #reachable(program: ObjectFunction): ReadonlySet<ObjectFunction> {
    const reached = new Set<ObjectFunction>([program]);
    // A Set also gives what is added while it is gone through.
    for (const f of reached) for (const callee of this.#factsOf(f).callees) reached.add(callee);
    return reached;
  }

  #factsOf(f: ObjectFunction): FunctionFacts {
    const known = this.#facts.get(f);
    if (known !== undefined) return known;
    const calls = new Set<CallEffect>();
    for (const reference of f.references) {
      if (reference.kind === 'kfunc') calls.add(kfuncEffect(essentialName(reference.name)));
      if (reference.kind === 'map' && this.#reachesSockets(reference.map)) calls.add('acts');
    }
    const helperIds = calledHelpers(f, `${this.#object.name}: ${f.name}`);
    for (const id of helperIds) calls.add(helperEffect(id));
    const facts = { calls, makesTailCalls: helperIds.has(TAIL_CALL), callees: calleesOf(f) };
    this.#facts.set(f, facts);
    return facts;
  }

  #reachesSockets(mapName: string): boolean {
    const map = this.#maps.get(mapName);
    return map !== undefined && (SOCKET_MAPS.has(map.type) || SOCKET_MAPS.has(map.innerMap?.type ?? 0));
  }
}

function calleesOf(f: ObjectFunction): ReadonlySet<ObjectFunction> {
  const callees = f.references.flatMap((reference) =>
    reference.kind === 'call' || reference.kind === 'function-address' ? [reference.target] : [],
  );
  return new Set([...callees, ...(f.exceptionCallback === undefined ? [] : [f.exceptionCallback])]);
}

/** A call whose source register is 0 and that no relocation makes one of a function (RFC 9669, section 4.3.1). */
function calledHelpers(f: ObjectFunction, label: string): ReadonlySet<number> {
  const slots = new InstructionSlots(f.instructions, label);
  const relocated = new Set(f.references.map(({ slotIndex }) => slotIndex));
  const helperIds = new Set<number>();
  for (const slotIndex of slots.starts()) {
    if (slots.isCall(slotIndex) && slots.sourceRegister(slotIndex) === 0 && !relocated.has(slotIndex)) {
      helperIds.add(slots.immediate(slotIndex));
    }
  }
  return helperIds;
}

/**
 * A negative neutral result may stand in 32 bits or in 64. Beyond that all 64 count: the trampolines of LSM and
 * fmod_ret programs compare the whole register (invoke_bpf_mod_ret of arch/x86/net/bpf_jit_comp.c).
 */
function isOneOf(result: bigint, neutralResults: readonly bigint[]): boolean {
  return neutralResults.some((neutral) => result === neutral || result === BigInt.asUintN(32, neutral));
}
