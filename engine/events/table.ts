import type { Verdict, VespidEvent } from './event.js';
import type { Severity } from './severity.js';
import { escapeForTerminal } from './terminal-text.js';

export interface TableOptions {
  /** ANSI colours for verdict and severity. */
  readonly colour: boolean;
}

/** Columns before the last, which takes the rest of the line. Times are in UTC. */
const COLUMNS = [
  { title: 'TIME', width: 12 },
  { title: 'VERDICT', width: 8 },
  { title: 'SEVERITY', width: 8 },
  { title: 'TECHNIQUE', width: 34 },
  { title: 'PROCESS', width: 22 },
] as const;
const LAST_TITLE = 'WHAT';

/** Parameters of the ANSI "select graphic rendition" sequence. */
const VERDICT_COLOURS: Readonly<Record<Verdict, number>> = { audited: 36, denied: 31, killed: 35 };
const SEVERITY_COLOURS: Readonly<Record<Severity, number>> = {
  info: 2,
  low: 32,
  medium: 33,
  high: 31,
  critical: 91,
};

export function tableHeader(): string {
  return [...COLUMNS.map(({ title, width }) => title.padEnd(width)), LAST_TITLE].join('  ');
}

/**
 * One line for people, without a line feed. Names, paths and arguments come from whoever is being watched:
 * characters that could steer the terminal are escaped.
 */
export function tableRow(event: VespidEvent, options: TableOptions): string {
  const [time, verdict, severity, technique, process] = COLUMNS.map(({ width }) => width);
  const paint = (text: string, colour: number) =>
    options.colour ? `\u001b[${colour}m${text}\u001b[0m` : text;
  return [
    cell(event.time.slice(11, 23), time),
    paint(cell(event.verdict, verdict), VERDICT_COLOURS[event.verdict]),
    paint(cell(event.severity, severity), SEVERITY_COLOURS[event.severity]),
    cell(describeTechniques(event), technique),
    cell(`${event.process.comm ?? event.exec?.name ?? '?'}[${event.process.pid}]`, process),
    escapeForTerminal(describeAction(event)),
  ].join('  ');
}

/** What was done, in words: `open /etc/shadow`. Not escaped: it holds text of the process that is watched. */
export function describeAction(event: VespidEvent): string {
  const { file, exec, net, program } = event;
  if (file !== undefined) return `${file.write ? 'write' : 'open'} ${file.path ?? file.name ?? '?'}`;
  if (exec !== undefined) {
    const path = exec.path ?? exec.filename ?? '?';
    return exec.args === undefined ? `execute ${path}` : `execute ${path} (${exec.args})`;
  }
  if (net !== undefined) {
    const address = net.address ?? '?';
    return `connect ${address.includes(':') ? `[${address}]` : address}:${net.port} (${net.protocol})`;
  }
  if (program !== undefined) {
    return `load BPF program ${program.name ?? '?'} (type ${program.type}, sha256 ${program.digest.slice(0, 16)}…)`;
  }
  return event.hook;
}

function describeTechniques(event: VespidEvent): string {
  const [first, ...others] = event.attack;
  if (first === undefined) return '-';
  const more = others.length === 0 ? '' : ` +${others.length}`;
  // A sub-technique's name starts with that of its technique, which the id already says.
  const name = first.name.slice(first.name.indexOf(': ') === -1 ? 0 : first.name.indexOf(': ') + 2);
  return `${first.id} ${name}${more}`;
}

/** Escaped, then cut or filled to the width. */
function cell(text: string, width = 0): string {
  const safe = escapeForTerminal(text);
  return safe.length > width ? `${safe.slice(0, width - 1)}…` : safe.padEnd(width);
}
