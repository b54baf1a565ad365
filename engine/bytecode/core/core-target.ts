import type { Btf } from '../btf/btf-reader.js';

/**
 * The types that CO-RE relocations are resolved against. For another kernel than the running one (libbpf's
 * `btf_custom_path`: a file of BTFHub, the output of `bpftool gen min_core_btf`) give that file's BTF as
 * `vmlinux` and no modules.
 */
export interface CoreTarget {
  readonly vmlinux: Btf;
  /** BTF of the loaded modules, each split from `vmlinux`. Asked only for a name that `vmlinux` does not have. */
  readonly modules: () => readonly Btf[];
}
