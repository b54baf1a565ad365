import { essentialName } from '../btf/essential-name.js';
import type { Access } from './access.js';

/** The access as a programmer would write it: `task_struct.mm.arg_start`, `task_struct.comm[3]`; without flavour. */
export function describeAccess(access: Access): string {
  const { btf, rootTypeId, steps } = access;
  const rootName = essentialName(btf.nameOf(rootTypeId));
  const root = rootName === '' ? `(anonymous ${btf.kindOf(rootTypeId)})` : rootName;
  return steps.reduce((text, step, position) => {
    if (step.name !== undefined) return `${text}.${step.name}`;
    return position === 0 && step.index === 0 ? text : `${text}[${step.index}]`;
  }, root);
}
