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

const heading = /^\s*\*\*\* (Add File|Update File|Delete File|Move to): *(.*?)\s*$/;
const known = /^\s*\*\*\* (?:Begin Patch|End Patch|End of File|Environment ID:.*)\s*$/;

/** The changes in the order of the patch; a file that is moved is deleted at one place and written at the other. */
export function patchChanges(text: string): readonly PatchChange[] {
  const changes: { kind: PatchChange['kind']; path: string; lines: string[] | undefined }[] = [];
  for (const line of text.split('\n')) {
    const [, what, path = ''] = heading.exec(line) ?? [];
    const current = changes.at(-1);
    if (what === undefined) {
      if (line.startsWith('*** ') && !known.test(line)) throw invalid(`the patch has a line that nobody knows: ${JSON.stringify(line.trim().slice(0, 80))}`);
      if (line.startsWith('+')) current?.lines?.push(line.slice(1));
      continue;
    }
    if (path === '' || path.includes('\0')) throw invalid('the patch names no file');
    if (what === 'Delete File') changes.push({ kind: 'fs.delete', path, lines: undefined });
    else if (what !== 'Move to') changes.push({ kind: 'fs.write', path, lines: [] });
    else if (current === undefined || current.kind !== 'fs.write') throw invalid('the patch moves a file that it does not name');
    else moved(changes, current.path, path);
  }
  return changes.map(({ kind, path, lines }) => ({ kind, path, ...(lines === undefined ? {} : { content: lines.join('\n') }) }));
}

/** The file goes away where it was. */
function moved(changes: { kind: PatchChange['kind']; path: string; lines: string[] | undefined }[], from: string, to: string): void {
  changes.splice(-1, 1, { kind: 'fs.delete', path: from, lines: undefined }, { kind: 'fs.write', path: to, lines: [] });
}
