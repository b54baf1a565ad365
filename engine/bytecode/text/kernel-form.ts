import { encodeInstruction } from '../instruction/encode-instructions.js';
import { helperName } from '../instruction/helper-function.js';
import type { Address, CallInstruction, Instruction, Operand, Width } from '../instruction/instruction.js';
import type { Register } from '../isa.js';
import type { FormOptions, NamedReference } from './disassembly-style.js';
import { ATOMIC_OPERATORS, accessType, joined, OPERATORS, signed } from './form-parts.js';

/**
 * The form of kernel/bpf/disasm.c, with the addresses of `ld_imm64` as bpftool's xlated_dumper.c names them. The
 * opcode in front is part of the form: `(b7) r1 = 5` and `(18) r1 = 0x5` are different instructions. Where the
 * kernel prints a placeholder, there is more here: kernel variables, indexes into fd_array, `callx`.
 */
export function kernelForm(instruction: Instruction, options: FormOptions = {}): string {
  const opcode = encodeInstruction(instruction, 'instruction')[0]?.opcode ?? 0;
  return `(${opcode.toString(16).padStart(2, '0')}) ${statement(instruction, options.reference)}`;
}

function statement(instruction: Instruction, reference: NamedReference | undefined): string {
  switch (instruction.kind) {
    case 'alu': {
      const { width, operation, destination, source } = instruction;
      const value = source.kind === 'register' ? name(width, source.register) : String(source.value);
      return `${name(width, destination)} ${OPERATORS[operation]} ${value}`;
    }
    case 'negate': {
      const register = name(instruction.width, instruction.destination);
      return `${register} = -${register}`;
    }
    case 'move-sign-extended': {
      const { width, bits, destination, source } = instruction;
      return `${name(width, destination)} = (s${bits})${name(width, source)}`;
    }
    case 'to-byte-order': {
      const { byteOrder, bits, destination } = instruction;
      return `r${destination} = ${byteOrder === 'big-endian' ? 'be' : 'le'}${bits} r${destination}`;
    }
    case 'byte-swap':
      return `r${instruction.destination} = bswap${instruction.bits} r${instruction.destination}`;
    case 'address-space-cast': {
      const { destination, source, toSpace, fromSpace } = instruction;
      return `r${destination} = addr_space_cast(r${source}, ${toSpace}, ${fromSpace})`;
    }
    case 'load':
      return `r${instruction.destination} = *${memory(instruction, instruction.isSigned)}`;
    case 'store': {
      const { source } = instruction;
      const value = source.kind === 'register' ? `r${source.register}` : String(source.value);
      return `*${memory(instruction)} = ${value}`;
    }
    case 'load-packet': {
      const { bytes, index, offset } = instruction;
      return `r0 = *(${accessType(bytes)} *)skb[${index === undefined ? '' : `r${index} + `}${offset}]`;
    }
    case 'atomic': {
      const { operation, fetch, source } = instruction;
      if (!fetch) return `lock *${memory(instruction)} ${ATOMIC_OPERATORS[operation]} r${source}`;
      return `r${source} = ${atomicPrefix(instruction.bytes)}_fetch_${operation}(${memory(instruction)}, r${source})`;
    }
    case 'exchange': {
      const { bytes, source } = instruction;
      return `r${source} = ${atomicPrefix(bytes)}_xchg(${memory(instruction)}, r${source})`;
    }
    case 'compare-exchange': {
      const { bytes, source } = instruction;
      return `r0 = ${atomicPrefix(bytes)}_cmpxchg(${memory(instruction)}, r0, r${source})`;
    }
    case 'load-acquire':
      return `r${instruction.destination} = load_acquire(${memory(instruction)})`;
    case 'store-release':
      return `store_release(${memory(instruction)}, r${instruction.source})`;
    case 'load-immediate64': {
      const { destination, value } = instruction;
      const shown =
        reference === undefined ? `0x${BigInt.asUintN(64, value).toString(16)}` : namedAddress(reference);
      return `r${destination} = ${shown}`;
    }
    case 'load-address': {
      const { destination, address } = instruction;
      return `r${destination} = ${reference === undefined ? numberedAddress(address) : namedAddress(reference)}`;
    }
    case 'jump':
      return `${instruction.isLong ? 'gotol' : 'goto'} pc${signed(instruction.offset)}`;
    case 'jump-if': {
      const { width, condition, left, right, offset } = instruction;
      return `if ${name(width, left)} ${condition} ${compared(width, right)} goto pc${signed(offset)}`;
    }
    case 'may-goto':
      return `may_goto pc${signed(instruction.offset)}`;
    case 'exit':
      return 'exit';
    case 'call-helper':
    case 'call-local':
    case 'call-kfunc':
      return `call ${reference === undefined ? callee(instruction) : reference.name}`;
    case 'call-register':
      return `callx r${instruction.register}`;
  }
}

function callee(call: Exclude<CallInstruction, { kind: 'call-register' }>): string {
  switch (call.kind) {
    case 'call-local':
      return `pc${signed(call.offset)}`;
    case 'call-kfunc':
      return `kernel-function#${call.typeId}${call.fdArrayIndex === 0 ? '' : `:${call.fdArrayIndex}`}`;
    case 'call-helper': {
      const known = helperName(call.helperId);
      return `${known === undefined ? 'unknown' : `bpf_${known}`}#${call.helperId}`;
    }
  }
}

/** bpftool says `id` also where a program that is not loaded yet has a file descriptor. */
function numberedAddress(address: Address): string {
  switch (address.kind) {
    case 'map-fd':
      return `map[id:${address.mapFd >>> 0}]`;
    case 'map-value':
      return `map[id:${address.mapFd >>> 0}][0]+${address.byteOffset >>> 0}`;
    case 'variable': {
      const module = address.btfFd === 0 ? '' : `[fd:${address.btfFd >>> 0}]`;
      return `var[id:${address.typeId >>> 0}]${module}`;
    }
    case 'function':
      return `subprog[${signed(address.offset)}]`;
    case 'map-index':
      return `map[idx:${address.mapIndex >>> 0}]`;
    case 'map-index-value':
      return `map[idx:${address.mapIndex >>> 0}]+${address.byteOffset >>> 0}`;
  }
}

function namedAddress({ kind, name: of, byteOffset }: NamedReference): string {
  switch (kind) {
    case 'map':
      return `map[name:${of}]`;
    case 'data':
      return `map[name:${of}][0]${signed(byteOffset)}`;
    case 'variable':
      return `var[${of}]${byteOffset === 0 ? '' : signed(byteOffset)}`;
    case 'function':
    case 'kfunc':
      return `subprog[${of}]`;
  }
}

function name(width: Width, register: Register): string {
  return `${width === 64 ? 'r' : 'w'}${register}`;
}

/** Jumps show their immediate unsigned, unlike arithmetic. */
function compared(width: Width, operand: Operand): string {
  if (operand.kind === 'register') return name(width, operand.register);
  return `0x${joined(operand.value, 0).toString(16)}`;
}

function memory(
  place: { readonly bytes: number; readonly base: Register; readonly offset: number },
  isSigned = false,
): string {
  return `(${accessType(place.bytes, isSigned)} *)(r${place.base} ${signed(place.offset)})`;
}

function atomicPrefix(bytes: 4 | 8): string {
  return bytes === 8 ? 'atomic64' : 'atomic';
}
