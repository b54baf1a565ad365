import { helperName } from '../instruction/helper-function.js';
import type { Address, CallInstruction, Instruction, Operand, Width } from '../instruction/instruction.js';
import { PSEUDO, type Register } from '../isa.js';
import type { FormOptions, NamedReference } from './disassembly-style.js';
import { ATOMIC_OPERATORS, accessType, joined, OPERATORS } from './form-parts.js';

/**
 * The form of LLVM's BPF instruction printer (llvm-objdump 19, and 20 for acquire and release). Where that form
 * drops a field, there is more here, so that the text says everything: the sign of a local call (`call +0x5`), the
 * kind of a call by BTF id (`call kernel-function#77:3`), the number in `skb[r2 + 0x4]`, the upper half in
 * `ld_pseudo`.
 */
export function llvmForm(instruction: Instruction, options: FormOptions = {}): string {
  switch (instruction.kind) {
    case 'alu': {
      const { width, operation, destination, source } = instruction;
      return `${name(width, destination)} ${OPERATORS[operation]} ${operand(width, source)}`;
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
      return `r${destination} = addr_space_cast(r${source}, ${hex(toSpace)}, ${hex(fromSpace)})`;
    }
    case 'load': {
      const { bytes, isSigned, destination } = instruction;
      const width = isSigned ? 64 : memoryWidth(bytes, options);
      return `${name(width, destination)} = *(${accessType(bytes, isSigned)} *)${place(instruction)}`;
    }
    case 'store': {
      const value = operand(memoryWidth(instruction.bytes, options), instruction.source);
      return `*(${accessType(instruction.bytes)} *)${place(instruction)} = ${value}`;
    }
    case 'load-packet': {
      const { bytes, index, offset } = instruction;
      return `r0 = *(${accessType(bytes)} *)skb[${packetIndex(index, offset)}]`;
    }
    case 'atomic': {
      const { bytes, operation, fetch, source } = instruction;
      const memory = `(${accessType(bytes)} *)${place(instruction)}`;
      if (fetch) {
        const value = name(atomicWidth(bytes), source);
        return `${value} = atomic_fetch_${operation}(${memory}, ${value})`;
      }
      return `lock *${memory} ${ATOMIC_OPERATORS[operation]} ${name(memoryWidth(bytes, options), source)}`;
    }
    case 'exchange': {
      const value = name(atomicWidth(instruction.bytes), instruction.source);
      return `${value} = ${instruction.bytes === 8 ? 'xchg_64' : 'xchg32_32'}(${inner(instruction)}, ${value})`;
    }
    case 'compare-exchange': {
      const width = atomicWidth(instruction.bytes);
      const operation = instruction.bytes === 8 ? 'cmpxchg_64' : 'cmpxchg32_32';
      const old = name(width, 0);
      return `${old} = ${operation}(${inner(instruction)}, ${old}, ${name(width, instruction.source)})`;
    }
    case 'load-acquire': {
      const { bytes, destination } = instruction;
      const memory = `(${accessType(bytes)} *)${place(instruction)}`;
      return `${name(atomicWidth(bytes), destination)} = load_acquire(${memory})`;
    }
    case 'store-release': {
      const { bytes, source } = instruction;
      const memory = `(${accessType(bytes)} *)${place(instruction)}`;
      return `store_release(${memory}, ${name(atomicWidth(bytes), source)})`;
    }
    case 'load-immediate64': {
      const { destination, value } = instruction;
      const { reference } = options;
      return `r${destination} = ${reference === undefined ? hex(value) : symbol(reference)} ll`;
    }
    case 'load-address': {
      const { destination, address } = instruction;
      if (options.reference !== undefined) return `r${destination} = ${symbol(options.reference)} ll`;
      const { subtype, value } = pseudo(address);
      return `ld_pseudo r${destination}, ${hex(subtype)}, ${hex(value)}`;
    }
    case 'jump':
      return `${instruction.isLong ? 'gotol' : 'goto'} ${signedHex(instruction.offset)}`;
    case 'jump-if': {
      const { width, condition, left, right, offset } = instruction;
      return `if ${name(width, left)} ${condition} ${operand(width, right)} goto ${signedHex(offset)}`;
    }
    case 'may-goto':
      return `may_goto ${signedHex(instruction.offset)}`;
    case 'exit':
      return 'exit';
    case 'call-helper':
    case 'call-local':
    case 'call-kfunc':
      return `call ${callee(instruction, options)}`;
    case 'call-register':
      return `callx r${instruction.register}`;
  }
}

function callee(call: Exclude<CallInstruction, { kind: 'call-register' }>, options: FormOptions): string {
  if (options.reference !== undefined) return symbol(options.reference);
  switch (call.kind) {
    case 'call-local':
      return signedHex(call.offset);
    case 'call-kfunc':
      return `kernel-function#${call.typeId}${call.fdArrayIndex === 0 ? '' : `:${call.fdArrayIndex}`}`;
    case 'call-helper': {
      const known = options.helperNames === false ? undefined : helperName(call.helperId);
      if (known !== undefined) return `bpf_${known}#${call.helperId}`;
      // A negative number would read as a local call.
      return call.helperId < 0 ? `unknown#${call.helperId}` : hex(call.helperId);
    }
  }
}

function symbol({ name: of, byteOffset }: NamedReference): string {
  return byteOffset === 0 ? of : `${of}${signedHex(byteOffset)}`;
}

function pseudo(address: Address): { subtype: number; value: bigint } {
  switch (address.kind) {
    case 'map-fd':
      return { subtype: PSEUDO.mapFd, value: joined(address.mapFd, 0) };
    case 'map-value':
      return { subtype: PSEUDO.mapValue, value: joined(address.mapFd, address.byteOffset) };
    case 'variable':
      return { subtype: PSEUDO.variable, value: joined(address.typeId, address.btfFd) };
    case 'function':
      return { subtype: PSEUDO.function, value: joined(address.offset, 0) };
    case 'map-index':
      return { subtype: PSEUDO.mapIndex, value: joined(address.mapIndex, 0) };
    case 'map-index-value':
      return { subtype: PSEUDO.mapIndexValue, value: joined(address.mapIndex, address.byteOffset) };
  }
}

function name(width: Width, register: Register): string {
  return `${width === 64 ? 'r' : 'w'}${register}`;
}

function operand(width: Width, value: Operand): string {
  return value.kind === 'register' ? name(width, value.register) : hex(value.value);
}

function place(of: { readonly base: Register; readonly offset: number }): string {
  return `(${inner(of)})`;
}

function inner({ base, offset }: { readonly base: Register; readonly offset: number }): string {
  return `r${base} ${offset < 0 ? '-' : '+'} ${hex(Math.abs(offset))}`;
}

function packetIndex(index: Register | undefined, offset: number): string {
  if (index === undefined) return hex(offset);
  if (offset === 0) return `r${index}`;
  return `r${index} ${offset < 0 ? '-' : '+'} ${hex(Math.abs(offset))}`;
}

function memoryWidth(bytes: number, options: FormOptions): Width {
  return bytes < 8 && options.halfRegisters === true ? 32 : 64;
}

function atomicWidth(bytes: number): Width {
  return bytes < 8 ? 32 : 64;
}

function hex(value: number | bigint): string {
  return value < 0 ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;
}

function signedHex(value: number): string {
  return value < 0 ? hex(value) : `+${hex(value)}`;
}
