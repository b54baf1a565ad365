import type { Feature } from '../kernel/index.js';
import type { Report } from './report.js';
import { tableLines } from './text-table.js';

/** Adds every probe of the kernel to the report: what BPF can do there, needed by Vespid or not. Pure. */
export function withProbes(report: Report, probes: ReadonlyMap<string, Feature>): Report {
  const rows = [...probes].map(([name, { available, since, reason }]) => [
    name,
    available ? 'yes' : 'no',
    since,
    reason,
  ]);
  const table = tableLines(
    [{ title: 'PROBE' }, { title: 'HERE' }, { title: 'SINCE' }, { title: 'WHY NOT' }],
    rows,
  );
  return {
    ...report,
    text: [report.text, '', ...table].join('\n'),
    json: { ...report.json, probes: Object.fromEntries(probes) },
  };
}
