import { Btf, type BtfKind, type CoreTarget } from '../../bytecode/index.js';
import { VespidError } from '../../errors/index.js';
import { openById } from '../objects/object-id.js';
import type { OwnedFd } from '../system/owned-fd.js';
import { btfBytes, listBtf } from './btf-object.js';
import { vmlinuxBtf } from './vmlinux-btf.js';

/** Where {@link KernelTypes} has its types from: the running kernel, or a test. */
export interface KernelTypeSource {
  vmlinux(): Btf;
  /** The modules that are loaded now. */
  modules(): readonly ModuleSource[];
}

export interface ModuleSource {
  readonly name: string;
  readonly id: number;
  bytes(): Uint8Array;
  /** A new descriptor of the module's BTF; the caller owns it. */
  open(): OwnedFd;
}

/** A type of the kernel by name. */
export interface KernelType {
  /** vmlinux, or the module's BTF, a split one over vmlinux. */
  readonly btf: Btf;
  readonly typeId: number;
  /** Object id of the module's BTF; undefined for vmlinux. */
  readonly moduleBtfId: number | undefined;
  /**
   * Descriptor of the module's BTF, as `attach_btf_obj_fd` and `fd_array` take it; undefined for vmlinux. It
   * belongs to the {@link KernelTypes}.
   */
  readonly moduleBtfFd: number | undefined;
}

/**
 * The types of the running kernel and its modules. Nothing is read before it is asked for: vmlinux at the first
 * question, a module only when vmlinux has no answer, and its descriptor only when its type is used.
 */
export class KernelTypes implements Disposable {
  readonly #source: KernelTypeSource;
  #modules: readonly KernelModule[] | undefined;

  constructor(source: KernelTypeSource = RUNNING_KERNEL) {
    this.#source = source;
  }

  /** @throws VespidError KERNEL_UNSUPPORTED when the kernel does not describe its types */
  get vmlinux(): Btf {
    return this.#source.vmlinux();
  }

  /** BTF of every loaded module, as they were at the first call. */
  modules(): readonly KernelModule[] {
    this.#modules ??= this.#source.modules().map((module) => new KernelModule(module, this.vmlinux));
    return this.#modules;
  }

  /** For {@link applyCoreRelocations}. */
  get coreTarget(): CoreTarget {
    return {
      vmlinux: this.vmlinux,
      modules: () => this.modules().flatMap((module) => ifStillLoaded(() => module.btf) ?? []),
    };
  }

  /** A function that the kernel or a module has: a kfunc, a target of fentry, an LSM hook (`bpf_lsm_…`). */
  findFunction(name: string): KernelType | undefined {
    return this.find('function', name);
  }

  /** The type of that kind and name, in vmlinux, then in the modules in the order of their ids. */
  find(kind: BtfKind, name: string): KernelType | undefined {
    const [typeId] = this.vmlinux.idsByName(name, kind);
    if (typeId !== undefined) {
      return { btf: this.vmlinux, typeId, moduleBtfId: undefined, moduleBtfFd: undefined };
    }
    return firstWith(this.modules(), kind, name);
  }

  /** The type of that kind and name which the module has: undefined also when no such module is loaded. */
  findInModule(moduleName: string, kind: BtfKind, name: string): KernelType | undefined {
    return firstWith(
      this.modules().filter((module) => module.name === moduleName),
      kind,
      name,
    );
  }

  /**
   * The attach target that a section name stands for (`SectionMeaning.attachBtf`).
   *
   * @throws VespidError KERNEL_UNSUPPORTED when neither the kernel nor a module has it
   */
  attachTarget(target: { readonly kind: BtfKind; readonly name: string }): KernelType {
    const found = this.find(target.kind, target.name);
    if (found !== undefined) return found;
    throw new VespidError('KERNEL_UNSUPPORTED', `this kernel has no attach target ${target.name}`, {
      details: { target: target.name },
      hint: 'if a module has it, load the module first',
    });
  }

  [Symbol.dispose](): void {
    for (const module of this.#modules ?? []) module[Symbol.dispose]();
    this.#modules = undefined;
  }
}

function firstWith(modules: readonly KernelModule[], kind: BtfKind, name: string): KernelType | undefined {
  for (const module of modules) {
    const found = ifStillLoaded(() => {
      const [typeId] = module.btf.idsByName(name, kind);
      if (typeId === undefined) return undefined;
      return { btf: module.btf, typeId, moduleBtfId: module.id, moduleBtfFd: module.fd };
    });
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A module that was unloaded since the list was made is as if it had never been in it. */
function ifStillLoaded<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof VespidError && error.code === 'KERNEL_OBJECT_GONE') return undefined;
    throw error;
  }
}

/** The BTF of one module. */
export class KernelModule implements Disposable {
  readonly #source: ModuleSource;
  readonly #base: Btf;
  #btf: Btf | undefined;
  #opened: OwnedFd | undefined;

  constructor(source: ModuleSource, base: Btf) {
    this.#source = source;
    this.#base = base;
  }

  get name(): string {
    return this.#source.name;
  }

  /** Object id of the BTF. */
  get id(): number {
    return this.#source.id;
  }

  /** @throws VespidError KERNEL_OBJECT_GONE when the module was unloaded before this was first asked for */
  get btf(): Btf {
    this.#btf ??= new Btf(this.#source.bytes(), `/sys/kernel/btf/${this.name}`, this.#base);
    return this.#btf;
  }

  /**
   * Descriptor of the BTF, open until this is disposed of.
   *
   * @throws VespidError KERNEL_OBJECT_GONE
   */
  get fd(): number {
    this.#opened ??= this.#source.open();
    return this.#opened.fd;
  }

  [Symbol.dispose](): void {
    this.#opened?.close();
    this.#opened = undefined;
  }
}

const RUNNING_KERNEL: KernelTypeSource = {
  vmlinux: vmlinuxBtf,
  modules: () =>
    [...listBtf()]
      .filter(({ isKernel, name }) => isKernel && name !== 'vmlinux')
      .map(({ id, name }) => ({
        id,
        name,
        open: () => openById('BTF', id),
        bytes: () => {
          using btf = openById('BTF', id);
          return btfBytes(btf);
        },
      })),
};
