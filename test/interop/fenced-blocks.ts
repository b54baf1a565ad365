/** A fenced block of a Markdown page. */
export interface FencedBlock {
  /** What stands behind the opening fence: `sh`, `yaml`. */
  readonly kind: string;
  /** The heading that it is under. */
  readonly heading: string;
  readonly text: string;
}

/** The blocks of a page in order. A fence that is not closed is an error, since it would hide all that follows. */
export function fencedBlocks(page: string): FencedBlock[] {
  const blocks: FencedBlock[] = [];
  let heading = '';
  let open: { readonly kind: string; readonly lines: string[] } | undefined;
  for (const line of page.split('\n')) {
    if (open !== undefined) {
      if (line === '```') {
        blocks.push({ kind: open.kind, heading, text: `${open.lines.join('\n')}\n` });
        open = undefined;
      } else open.lines.push(line);
    } else if (line.startsWith('```')) open = { kind: line.slice(3).trim(), lines: [] };
    else if (/^#+ /.test(line)) heading = line.replace(/^#+ /, '');
  }
  if (open !== undefined) throw new Error(`a block under "${heading}" has no end`);
  return blocks;
}
