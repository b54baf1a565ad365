const LOG_BEGIN = '-- BEGIN PROG LOAD LOG --';
const LOG_END = '-- END PROG LOAD LOG --';
/** What the verifier adds to every log, whatever it decided. */
const STATISTICS = /^(processed \d|verification time|stack depth|\s*$)/;
/** What bpftool says of every object that it does not load. */
const ALWAYS_SAID = /^\s*$|failed to load object|failed to open object file|^Warning: bpftool is now/;

/** A line's worth of what bpftool wrote: the verifier's last word, or else libbpf's first complaints. */
export function summarizeErrors(errors: string): string {
  const lines = errors.split('\n').map((line) => line.replace(/^(libbpf|Error): /, ''));
  return lastVerdict(lines) ?? (firstComplaints(lines) || 'no reason given');
}

/** Undefined where no program came as far as the verifier, or the kernel refused one without a word. */
function lastVerdict(lines: readonly string[]): string | undefined {
  const end = lines.findLastIndex((line) => line.includes(LOG_END));
  // The beginning of a long log may be cut off, and the program's name with it.
  const begin = lines.findLastIndex((line, index) => index < end && line.includes(LOG_BEGIN));
  const verdict = lines.slice(begin + 1, Math.max(end, 0)).findLast((line) => !STATISTICS.test(line));
  if (verdict === undefined) return undefined;
  const program = /prog '([^']+)'/.exec(lines[begin] ?? '')?.[1] ?? 'a program';
  return `${program}: verifier: ${verdict.trim()}`;
}

function firstComplaints(lines: readonly string[]): string {
  const isLogMark = (line: string) => line.includes(LOG_BEGIN) || line.includes(LOG_END);
  return lines
    .filter((line) => !ALWAYS_SAID.test(line) && !STATISTICS.test(line) && !isLogMark(line))
    .slice(0, 2)
    .join('; ');
}
