import type { HookDefinition } from './definition.js';
import { PROCESS_FIELDS } from './process-fields.js';

/** The gate's own event: a BPF program load that it refused (or, in audit mode, would have refused). */
export const PROGRAM_LOAD: HookDefinition = {
  name: 'program.load',
  id: 4,
  doc: 'The gate refused to load a BPF program. Not a hook for policies: the gate reports through it.',
  fields: [
    ...PROCESS_FIELDS,
    {
      name: 'program.type',
      type: { kind: 'int' },
      doc: 'enum bpf_prog_type',
      example: '13',
      eventOnly: true,
    },
    {
      name: 'program.attach_type',
      type: { kind: 'int' },
      doc: 'enum bpf_attach_type',
      example: '27',
      eventOnly: true,
    },
    {
      name: 'program.instruction_count',
      type: { kind: 'int' },
      doc: 'instructions, 8 bytes each',
      example: '812',
      eventOnly: true,
    },
    {
      name: 'program.digest',
      type: { kind: 'bytes', byteLength: 32 },
      doc: 'the ticket digest: SHA-256 over type and attach data, then the instructions',
      example: '9f86d081884c7d65…',
      eventOnly: true,
    },
    {
      name: 'program.name',
      type: { kind: 'string', maxBytes: 16 },
      doc: 'the name that the loader gave',
      example: 'handle_exec',
      eventOnly: true,
    },
  ],
};
