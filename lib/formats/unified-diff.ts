/** What changes between two texts, line by line, as `diff -u` shows it. For people to read before they say yes. */

/** Lines that stay, shown around each change. */
const around = 3;
/** Larger changes are told as everything out and everything in: they would take long to compare, and nobody reads them line by line. */
const mostCells = 4_000_000;

type Line = readonly [mark: ' ' | '-' | '+', text: string];

/** Lines of the diff, without line ends; none when the texts are the same. An undefined text is a file that does not exist. */
export function unifiedDiff(before: string | undefined, after: string | undefined, name: string): readonly string[] {
  if (before === after) return [];
  const lines = compared(linesOf(before), linesOf(after));
  return [`--- ${before === undefined ? '/dev/null' : name}`, `+++ ${after === undefined ? '/dev/null' : name}`, ...hunks(lines)];
}

/** Each with its line end, so that a change of line ends is a change. */
function linesOf(text: string | undefined): readonly string[] {
  return text === undefined || text === '' ? [] : text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

function compared(before: readonly string[], after: readonly string[]): readonly Line[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < before.length - start && end < after.length - start && before[before.length - 1 - end] === after[after.length - 1 - end]) end += 1;
  const same = (lines: readonly string[]): readonly Line[] => lines.map((text) => [' ', text]);
  const [out, into] = [before.slice(start, before.length - end), after.slice(start, after.length - end)];
  return [...same(before.slice(0, start)), ...changed(out, into), ...same(before.slice(before.length - end))];
}

/** By the longest common subsequence. */
function changed(before: readonly string[], after: readonly string[]): readonly Line[] {
  const width = after.length + 1;
  if (before.length * after.length > mostCells) return [...before.map((text): Line => ['-', text]), ...after.map((text): Line => ['+', text])];
  const longest = new Uint32Array((before.length + 1) * width);
  const at = (i: number, j: number): number => longest[i * width + j] ?? 0;
  for (let i = before.length - 1; i >= 0; i -= 1) {
    for (let j = after.length - 1; j >= 0; j -= 1) longest[i * width + j] = before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  }
  const lines: Line[] = [];
  for (let [i, j] = [0, 0]; i < before.length || j < after.length;) {
    const [out, into] = [before[i], after[j]];
    if (out !== undefined && out === into) { lines.push([' ', out]); i += 1; j += 1; }
    else if (out !== undefined && (into === undefined || at(i + 1, j) >= at(i, j + 1))) { lines.push(['-', out]); i += 1; }
    else { lines.push(['+', into ?? '']); j += 1; }
  }
  return lines;
}

function hunks(lines: readonly Line[]): readonly string[] {
  const shown: string[] = [];
  for (let at = lines.findIndex(([mark]) => mark !== ' '); at >= 0 && at < lines.length;) {
    const from = Math.max(0, at - around);
    let to = at;
    for (let next = at; next < lines.length && next <= to + 2 * around; next += 1) if (lines[next]?.[0] !== ' ') to = next;
    const end = Math.min(lines.length, to + 1 + around);
    shown.push(header(lines, from, end), ...lines.slice(from, end).flatMap(told));
    at = lines.findIndex(([mark], index) => index >= end && mark !== ' ');
  }
  return shown;
}

function told([mark, text]: Line): readonly string[] {
  return text.endsWith('\n') ? [mark + text.slice(0, -1)] : [mark + text, '\\ No newline at end of file'];
}

function header(lines: readonly Line[], from: number, end: number): string {
  const count = (part: readonly Line[], other: '-' | '+'): number => part.filter(([mark]) => mark !== other).length;
  const range = (other: '-' | '+'): string => {
    const [before, length] = [count(lines.slice(0, from), other), count(lines.slice(from, end), other)];
    return `${length === 0 ? before : before + 1},${length}`;
  };
  return `@@ -${range('+')} +${range('-')} @@`;
}
