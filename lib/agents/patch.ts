/**
 * Patches in the format of Codex's apply_patch, file by file: `*** Add File:`, `*** Update File:` with `*** Move to:`, `*** Delete File:`.
 * Lenient as the tool is about white space, and strict about what it cannot place: a patch with a line of that form that is none of
 * these is no patch that can be judged.
 */
import { invalid } from './payload.ts';

/** What a patch does to one file. `content`: the lines that come into it. */
export interface PatchChange {
  readonly kind: 'fs.write' | 'fs.delete';
  readonly path: string;
  readonly content?: string;
}

/** White space as JavaScript's `trim` and as Rust's see it: U+0085 is such to Codex alone. */
const heading = /^([\s\u0085]*)\*\*\* (Add File|Update File|Delete File|Move to):([^]*)$/;
const known = /^\*\*\* (?:Begin Patch|End Patch|End of File|Environment ID:.*)\s*$/;

interface Change {
  readonly kind: PatchChange['kind'];
  readonly path: string;
  readonly lines: string[] | undefined;
}

/** The changes in the order of the patch; a file that is moved is deleted at one place and written at the other. */
export function patchChanges(text: string): readonly PatchChange[] {
  const changes: Change[] = [];
  // Behind blanks a heading is one to Codex in some places, and a line of the file before it in others: then lines count for both.
  let open: readonly Change[] = [];
  for (const line of text.split('\n')) {
    const [, blanks, what, rest = ''] = heading.exec(line) ?? [];
    if (what === undefined) {
      if (line.startsWith('*** ') && !known.test(line)) throw invalid(`the patch has a line that nobody knows: ${JSON.stringify(line.trim().slice(0, 80))}`);
      if (line.startsWith('+')) for (const change of open) change.lines?.push(line.slice(1));
      continue;
    }
    const isSure = blanks === '';
    const path = pathIn(rest);
    const change: Change = what === 'Delete File' ? { kind: 'fs.delete', path, lines: undefined } : { kind: 'fs.write', path, lines: [] };
    if (what === 'Move to') leave(changes, open, isSure);
    changes.push(change);
    open = isSure ? [change] : [...open, change];
  }
  return changes.map(({ kind, path, lines }) => ({ kind, path, ...(lines === undefined ? {} : { content: lines.join('\n') }) }));
}

/** White space around a name belongs to it for one reader and not for the other. */
function pathIn(rest: string): string {
  const path = rest.replace(/^ /, '').replace(/[ \t\r]+$/, '');
  if (path === '' || path.includes('\0')) throw invalid('the patch names no file');
  if (/^[\s\u0085]|[\s\u0085]$/.test(path)) throw invalid('the patch names a file with white space around its name');
  return path;
}

/** The file that is moved goes away where it was. */
function leave(changes: Change[], open: readonly Change[], isSure: boolean): void {
  const moved = open.filter(({ kind }) => kind === 'fs.write');
  if (moved.length === 0) throw invalid('the patch moves a file that it does not name');
  const gone = moved.map(({ path }): Change => ({ kind: 'fs.delete', path, lines: undefined }));
  if (isSure && open.length === 1) changes.splice(-1, 1, ...gone);
  else changes.push(...gone);
}
