/** Errno values of asm-generic/errno-base.h, as LSM programs return them. */
const EPERM = 1;
const EAGAIN = 11;

/** An LSM hook refuses with a negative error number. */
export const LSM_RETURNS = { allow: 0, deny: -EPERM, retry: -EAGAIN } as const;
/** A tracepoint's return value says nothing to anybody. */
export const TRACEPOINT_RETURNS = { allow: 0, deny: 0, retry: 0 } as const;
/** A cgroup program allows with 1; 0 gives the caller EPERM. */
export const CGROUP_RETURNS = { allow: 1, deny: 0, retry: 0 } as const;

/** What to say where a signal is the strongest effect. */
export const NO_LSM =
  'this kernel cannot attach BPF LSM programs, and a tracepoint can only signal the process';
