/** Where the members of each table are in `union bpf_attr`: most structs in it have a name, some none. */
const PREFIX: Readonly<Record<string, string>> = {
  MAP_CREATE: '',
  MAP_ELEMENT: '',
  MAP_BATCH: 'batch.',
  PROGRAM_LOAD: '',
  OBJECT_PATH: '',
  PROGRAM_ATTACH: '',
  TEST_RUN: 'test.',
  OBJECT_ID: '',
  OBJECT_INFO: 'info.',
  PROGRAM_QUERY: 'query.',
  RAW_TRACEPOINT_OPEN: 'raw_tracepoint.',
  BTF_LOAD: '',
  TASK_FD_QUERY: 'task_fd_query.',
  LINK_CREATE: 'link_create.',
  LINK_CREATE_FAMILY: 'link_create.',
  LINK_UPDATE: 'link_update.',
  LINK_DETACH: 'link_detach.',
  ENABLE_STATS: 'enable_stats.',
  ITER_CREATE: 'iter_create.',
  PROGRAM_BIND_MAP: 'prog_bind_map.',
  TOKEN_CREATE: 'token_create.',
  PROGRAM_STREAM_READ: 'prog_stream_read.',
};

export interface AttributeField {
  /** As C names it: `link_create.tcx.relative_fd`. */
  readonly path: string;
  readonly offset: number;
}

/** Every member of every table, under C's name. A table that is not listed above is an error. */
export function bpfAttributeFields(
  tables: Readonly<Record<string, Readonly<Record<string, number>>>>,
): AttributeField[] {
  return Object.entries(tables).flatMap(([table, members]) => {
    const prefix = PREFIX[table];
    if (prefix === undefined) throw new Error(`no place in union bpf_attr is known for ${table}`);
    return Object.entries(members).map(([member, offset]) => ({ path: prefix + member, offset }));
  });
}
