/** Patches that a command reads: the files they change, by the lines that name them in the formats of `diff`, git and apply_patch. */

export interface PatchedFiles {
  readonly writes: readonly string[];
  readonly deletes: readonly string[];
}

const heading = /^(?:\*\*\* (Add|Update|Delete) File: |\*\*\* (Move) to: |(\+\+\+|---|rename (?:from|to)) )[ \t]*(.+?)[ \t]*\r?$/gm;

/** The files named in a patch. A first part `a/` or `b/` may be the format's own or a folder: both readings are told. */
export function patchedFiles(text: string): PatchedFiles {
  const [writes, deletes]: [Set<string>, Set<string>] = [new Set(), new Set()];
  for (const [, change, moved, sign, rest = ''] of text.matchAll(heading)) {
    const name = sign === undefined ? rest : rest.replace(/\t.*$/, '').replace(/^"(.*)"$/, '$1');
    if (name === '/dev/null' || name === '') continue;
    if (change === 'Delete') deletes.add(name);
    else if (change !== undefined || moved !== undefined) writes.add(name);
    else writes.add(name.replace(/^[ab]\//, ''));
  }
  return { writes: [...writes], deletes: [...deletes] };
}

/** Whether a command with these words changes files as a patch says that it reads. */
export function readsPatch(program: string, words: readonly string[]): boolean {
  if (/^g?patch$/.test(program)) return !words.includes('--dry-run');
  return /^apply_?patch$/.test(program);
}
