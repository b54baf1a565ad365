/** A line's worth of what bpftool wrote: the verifier's last word, or else libbpf's first complaints. */
export function summarizeErrors(errors: string): string {
  const lines = errors.split('\n').map((line) => line.replace(/^(libbpf|Error): /, ''));
  const end = lines.findIndex((line) => line.includes('-- END PROG LOAD LOG --'));
  const begin = lines.findLast((line) => line.includes('-- BEGIN PROG LOAD LOG --'));
  const program = /prog '([^']+)'/.exec(begin ?? '')?.[1];
  if (end >= 0) {
    const verdict = lines
      .slice(0, end)
      .findLast((line) => !/^(processed \d|verification time|stack depth|\s*$)/.test(line));
    return `${program ?? 'a program'}: verifier: ${verdict?.trim() ?? 'no reason given'}`;
  }
  const complaints = lines.filter(
    (line) => !/^\s*$|failed to load object|failed to open object file|^Warning: bpftool is now/.test(line),
  );
  return complaints.slice(0, 2).join('; ') || 'no reason given';
}
