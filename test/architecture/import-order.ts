/**
 * Which part may import which (ARCHITECTURE.md, "Layout"). A part imports only parts above it in this table, and
 * of those only the ones in its row. The test itself imports nothing of the product, so it also runs while the
 * product does not compile.
 */
export const ALLOWED_IMPORTS: Readonly<Record<string, readonly string[]>> = {
  'engine/errors': [],
  'engine/bytecode': ['engine/errors'],
  'lsm-hooks': ['engine/errors', 'engine/bytecode'],
  'rules-mitre': ['engine/errors'],
  'policies/language': ['engine/errors', 'lsm-hooks', 'rules-mitre'],
  'engine/compiler': ['engine/errors', 'engine/bytecode', 'lsm-hooks', 'policies/language'],
  'engine/kernel': ['engine/errors', 'engine/bytecode'],
  'engine/bpf': ['engine/errors', 'engine/bytecode', 'engine/kernel'],
  signing: ['engine/errors'],
  'engine/loader': [
    'engine/errors',
    'engine/bytecode',
    'lsm-hooks',
    'policies/language',
    'engine/compiler',
    'engine/kernel',
    'engine/bpf',
    'signing',
  ],
  'engine/events': ['engine/errors', 'lsm-hooks', 'rules-mitre'],
  'engine/agent': [
    'engine/errors',
    'lsm-hooks',
    'rules-mitre',
    'policies/language',
    'engine/compiler',
    'engine/kernel',
    'engine/bpf',
    'signing',
    'engine/loader',
    'engine/events',
  ],
  'engine/cli': [
    'engine/errors',
    'engine/bytecode',
    'lsm-hooks',
    'rules-mitre',
    'policies/language',
    'engine/compiler',
    'engine/kernel',
    'engine/bpf',
    'signing',
    'engine/loader',
    'engine/events',
    'engine/agent',
  ],
};
