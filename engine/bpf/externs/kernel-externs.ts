import { type Btf, compatibleTypes, essentialName, type ObjectFile } from '../../bytecode/index.js';
import { VespidError } from '../../errors/index.js';
import { type KernelType, type KernelTypes, kernelSymbolAddress } from '../../kernel/index.js';

/** What stands for a kernel function or variable that an object names, on the running kernel. */
export type ResolvedExtern =
  | {
      readonly kind: 'function';
      readonly typeId: number;
      /** File descriptor of the module's BTF, 0 for the kernel itself. */
      readonly moduleBtfFd: number;
      /** Place of that descriptor in BPF_PROG_LOAD's fd_array, 0 for the kernel itself. */
      readonly fdArrayIndex: number;
    }
  | { readonly kind: 'variable'; readonly typeId: number; readonly moduleBtfFd: number }
  | { readonly kind: 'symbol'; readonly address: bigint }
  | { readonly kind: 'missing'; readonly reason: string };

/** An extern by its place among those of the object, which libbpf writes into calls that it could not resolve. */
export interface NumberedExtern {
  readonly index: number;
  readonly isWeak: boolean;
  readonly resolved: ResolvedExtern;
}

export interface KernelExterns {
  readonly byName: ReadonlyMap<string, NumberedExtern>;
  /** BPF_PROG_LOAD's fd_array: descriptors of module BTF, from index 1; undefined when no module is needed. */
  readonly fdArray: Int32Array | undefined;
}

/** `insn->off` of a call is 16 bits with a sign, and holds the index into fd_array. */
const MAX_MODULES = 0x7fff;

/**
 * Looks up every kernel function and variable that an object names, in the kernel and then in its modules. What is
 * missing is told, not thrown: it matters only to a program that uses it. All are looked up in the object's order,
 * so that the indexes that get into instructions are those that libbpf gives.
 *
 * @throws VespidError KERNEL_* when the kernel's types or symbols cannot be read
 */
export function resolveKernelExterns(object: ObjectFile, types: KernelTypes): KernelExterns {
  const modules = new ModuleIndexes();
  const byName = new Map<string, NumberedExtern>();
  for (const [index, extern] of object.externs.entries()) {
    if (extern.kind === 'kconfig') continue;
    const resolved =
      extern.kind === 'kfunc'
        ? resolveFunction(extern.name, extern.typeId, object, types, modules)
        : resolveVariable(extern.name, extern.typeId, object, types);
    byName.set(extern.name, { index, isWeak: extern.isWeak, resolved });
  }
  return { byName, fdArray: modules.fdArray() };
}

function resolveFunction(
  name: string,
  typeId: number,
  object: ObjectFile,
  types: KernelTypes,
  modules: ModuleIndexes,
): ResolvedExtern {
  const { btf } = object;
  // Objects declare one function in several forms as `name___form`, for kernels that changed it.
  const found = types.find('function', essentialName(name));
  if (found === undefined) return missing('no such function in the BTF of the kernel or of a loaded module');
  const declared = btf?.type(typeId);
  const actual = found.btf.type(found.typeId);
  if (btf !== undefined && declared?.kind === 'function' && actual.kind === 'function') {
    if (!compatibleTypes(btf, declared.typeId, found.btf, actual.typeId)) {
      return missing(`the kernel's function (${found.btf.label}) has other parameters or another result`);
    }
  }
  const moduleBtfFd = found.moduleBtfFd ?? 0;
  return { kind: 'function', typeId: found.typeId, moduleBtfFd, fdArrayIndex: modules.indexOf(moduleBtfFd) };
}

function resolveVariable(
  name: string,
  typeId: number,
  object: ObjectFile,
  types: KernelTypes,
): ResolvedExtern {
  if (typeId === 0) {
    const address = kernelSymbolAddress(name);
    return address === undefined ? missing('no such symbol in /proc/kallsyms') : { kind: 'symbol', address };
  }
  const found = types.find('variable', name);
  if (found === undefined) return missing('no such variable in the BTF of the kernel or of a loaded module');
  if (object.btf !== undefined && !isVariableOf(object.btf, typeId, found)) {
    return missing(`the kernel's variable (${found.btf.label}) is of another type`);
  }
  return { kind: 'variable', typeId: found.typeId, moduleBtfFd: found.moduleBtfFd ?? 0 };
}

function isVariableOf(btf: Btf, typeId: number, found: KernelType): boolean {
  const actual = found.btf.type(found.typeId);
  return actual.kind === 'variable' && compatibleTypes(btf, typeId, found.btf, actual.typeId);
}

function missing(reason: string): ResolvedExtern {
  return { kind: 'missing', reason };
}

/** Gives each module a place in fd_array, in the order in which they are asked for. */
class ModuleIndexes {
  /** Place 0 means the kernel itself. */
  readonly #fds = [0];

  indexOf(moduleBtfFd: number): number {
    if (moduleBtfFd === 0) return 0;
    const known = this.#fds.indexOf(moduleBtfFd);
    if (known !== -1) return known;
    if (this.#fds.length > MAX_MODULES) {
      throw new VespidError('KERNEL_UNSUPPORTED', `functions of more than ${MAX_MODULES} modules are called`);
    }
    return this.#fds.push(moduleBtfFd) - 1;
  }

  fdArray(): Int32Array | undefined {
    return this.#fds.length === 1 ? undefined : Int32Array.from(this.#fds);
  }
}
