/** Patches that a command reads: the files they change, by the lines that name them in the formats of `diff`, git and apply_patch. */

export interface PatchedFiles {
  readonly writes: readonly string[];
  readonly deletes: readonly string[];
}

/**
 * A line that names a file, with what may stand before it: Codex leaves out blanks (U+0085 among them), and patch(1) the indentation of
 * a whole patch, with X as a blank.
 */
const heading = /^[\s\u0085X]*(?:\*\*\* (Add|Update|Delete) File:|\*\*\* (Move) to:|(?:\+\+\+|---|rename (?:from|to)|copy to|Index:) )([^]*)$/;

/** The files named in a patch. A first part `a/` or `b/` may be the format's own or a folder: both readings are told. */
export function patchedFiles(text: string): PatchedFiles {
  const [writes, deletes]: [Set<string>, Set<string>] = [new Set(), new Set()];
  for (const line of text.split('\n')) {
    const [found, change, moved, rest = ''] = heading.exec(line) ?? [];
    if (found === undefined) continue;
    const ofDiff = change === undefined && moved === undefined;
    const name = trimmed(rest);
    for (const path of ofDiff ? [name.replace(/\t[^]*$/, '').replace(/^"(.*)"$/, '$1')] : [name, name.padStart(name.length + blanksBefore(rest))]) {
      if (path === '/dev/null' || path === '') continue;
      if (change === 'Delete') deletes.add(path);
      else writes.add(ofDiff ? path.replace(/^[ab]\//, '') : path);
    }
  }
  return { writes: [...writes], deletes: [...deletes] };
}

/** Blanks that belong to a name for who takes one away before it, and no more. */
function blanksBefore(rest: string): number {
  return Math.max(0, (/^ */.exec(rest)?.[0].length ?? 0) - 1);
}

/** Without white space around it, as JavaScript's `trim` and Rust's see it. By hand: a long run of it is walked through once. */
function trimmed(text: string): string {
  let [from, to] = [0, text.length];
  while (from < to && isBlank(text.charAt(from))) from += 1;
  while (to > from && isBlank(text.charAt(to - 1))) to -= 1;
  return text.slice(from, to);
}

function isBlank(char: string): boolean {
  return /[\s\u0085]/.test(char);
}

/** Whether a command with these words changes files as a patch says that it reads. */
export function readsPatch(program: string, words: readonly string[]): boolean {
  if (/^g?patch$/.test(program)) return !words.includes('--dry-run');
  return /^apply_?patch$/.test(program);
}
