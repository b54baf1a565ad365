import { VespidError } from '../../errors/index.js';
import type { InstructionSlots } from '../instruction-slots.js';
import { PSEUDO, PSEUDO_CALL, PSEUDO_KFUNC_CALL } from '../isa.js';
import type { ObjectFunction, ObjectReference } from './object-references.js';

/** What the instructions of a linked program refer to, each list in the order of the instructions. */
export interface LinkedReferences {
  readonly mapReferences: readonly { readonly slotIndex: number; readonly map: string }[];
  readonly dataReferences: readonly {
    readonly slotIndex: number;
    readonly section: string;
    readonly byteOffset: number;
  }[];
  /** Calls of kernel functions: the loader puts in their BTF ids. */
  readonly kfuncReferences: readonly { readonly slotIndex: number; readonly name: string }[];
  /** Addresses of kernel variables and functions: {@link ObjectFile.externs} says which of the two it is. */
  readonly externReferences: readonly { readonly slotIndex: number; readonly name: string }[];
  /** Bytes of the section of configuration values. */
  readonly kconfigReferences: readonly { readonly slotIndex: number; readonly byteOffset: number }[];
  /** Bytes of the object's arena. */
  readonly arenaReferences: readonly { readonly slotIndex: number; readonly byteOffset: number }[];
}

/** A function with its place in a linked program. */
export interface PlacedFunction {
  readonly function: ObjectFunction;
  readonly slotIndex: number;
}

type Lists = { readonly [K in keyof LinkedReferences]: LinkedReferences[K][number][] };

/**
 * Points calls and callback addresses at their functions, and lists all other references.
 * @param slots of the linked program
 * @param label for messages
 * @throws VespidError OBJECT_MALFORMED for a reference that leads nowhere
 */
export function linkReferences(
  slots: InstructionSlots,
  placed: readonly PlacedFunction[],
  label: string,
): LinkedReferences {
  const starts = new Map(placed.map((p) => [p.function, p.slotIndex]));
  const lists: Lists = {
    mapReferences: [],
    dataReferences: [],
    kfuncReferences: [],
    externReferences: [],
    kconfigReferences: [],
    arenaReferences: [],
  };
  for (const { function: caller, slotIndex: base } of placed) {
    for (const reference of caller.references) {
      const slotIndex = base + reference.slotIndex;
      switch (reference.kind) {
        case 'call':
        case 'function-address':
          pointAt(slots, slotIndex, reference.kind, starts.get(reference.target) ?? 0);
          break;
        case 'invalid': {
          const where = `${label}: ${caller.name}, instruction ${reference.slotIndex}`;
          throw new VespidError('OBJECT_MALFORMED', `${where}: ${reference.reason}`);
        }
        default:
          list(lists, slots, slotIndex, reference);
      }
    }
  }
  return lists;
}

type ListedReference = Exclude<ObjectReference, { kind: 'call' | 'function-address' | 'invalid' }>;

function list(lists: Lists, slots: InstructionSlots, slotIndex: number, reference: ListedReference): void {
  switch (reference.kind) {
    case 'map':
      lists.mapReferences.push({ slotIndex, map: reference.map });
      break;
    case 'data': {
      const { section, byteOffset } = reference;
      lists.dataReferences.push({ slotIndex, section, byteOffset });
      break;
    }
    case 'kfunc':
      lists.kfuncReferences.push({ slotIndex, name: reference.name });
      // The compiler's own mark would make it a call of the instruction itself.
      slots.setSourceRegister(slotIndex, PSEUDO_KFUNC_CALL);
      slots.setImmediate(slotIndex, 0);
      break;
    case 'extern':
      lists.externReferences.push({ slotIndex, name: reference.name });
      break;
    case 'kconfig':
      lists.kconfigReferences.push({ slotIndex, byteOffset: reference.byteOffset });
      break;
    case 'arena':
      lists.arenaReferences.push({ slotIndex, byteOffset: reference.byteOffset });
      break;
  }
}

/** Both forms count slots from the instruction after (RFC 9669, sections 4.3.1 and 5.4). */
function pointAt(
  slots: InstructionSlots,
  slotIndex: number,
  kind: 'call' | 'function-address',
  targetSlotIndex: number,
): void {
  const distance = targetSlotIndex - slotIndex - 1;
  slots.setSourceRegister(slotIndex, kind === 'call' ? PSEUDO_CALL : PSEUDO.function);
  slots.setImmediate(slotIndex, distance);
  if (kind === 'function-address') slots.setImmediate(slotIndex + 1, 0);
}
