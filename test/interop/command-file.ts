/**
 * Reads what a step wrote to GITHUB_OUTPUT: lines `name=value`, or `name<<DELIMITER`, lines, and the delimiter. As the
 * runner does, it takes every line at its word: a value with a line feed in the first form makes outputs of its own.
 */
export function readCommandFile(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  const lines = text.split('\n');
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    if (line === '') continue;
    const [, name, operator, rest = ''] = /^([^=<]+)(=|<<)(.*)$/.exec(line) ?? [];
    if (name === undefined) throw new Error(`a line of an output file has no value: ${line}`);
    if (operator === '=') {
      values[name] = rest;
      continue;
    }
    const end = lines.indexOf(rest, index + 1);
    if (end === -1) throw new Error(`the value of ${name} has no end`);
    values[name] = lines.slice(index + 1, end).join('\n');
    index = end;
  }
  return values;
}
