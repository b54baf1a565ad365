/**
 * The kernels that the suite boots, and what each ought to be able to do. A guest test names the capabilities
 * it needs; it is run on every kernel that has them and fails there if they turn out to be missing.
 * `environment.guest.ts` holds this table and the kernels to each other.
 */
export const CAPABILITIES = {
  'bpf-lsm': 'BPF programs on LSM hooks',
  'program-load-hook': 'the LSM hook that sees a program before the verifier does (bpf_prog_load)',
  'path-kfunc': 'the kfunc bpf_path_d_path, for LSM programs that do not sleep',
  'newer-links': 'tcx, netkit, netfilter, kprobe.multi and uprobe.multi links (Linux 6.7 with CONFIG_FPROBE)',
  'bpf-token': 'delegated BPF rights (BPF_TOKEN_CREATE)',
} as const;

export type Capability = keyof typeof CAPABILITIES;

export const KERNEL_NAMES = ['6.12', '6.1'] as const;
export type KernelName = (typeof KERNEL_NAMES)[number];

export interface Kernel {
  readonly name: KernelName;
  /** The Debian packages that qualify; the newest is taken. The group is compared as a version. */
  readonly packagePattern: RegExp;
  readonly capabilities: readonly Capability[];
}

export const KERNELS: Readonly<Record<KernelName, Kernel>> = {
  '6.12': {
    name: '6.12',
    packagePattern: /^linux-image-(6\.12\.[0-9.]+\S*)-cloud-amd64$/,
    capabilities: ['bpf-lsm', 'program-load-hook', 'path-kfunc', 'newer-links', 'bpf-token'],
  },
  '6.1': {
    name: '6.1',
    packagePattern: /^linux-image-(6\.1\.0-\d+)-amd64$/,
    capabilities: ['bpf-lsm'],
  },
};

export function isKernelName(text: string): text is KernelName {
  return KERNEL_NAMES.some((name) => name === text);
}
