/**
 * What a checkpoint says (c2sp.org/tlog-checkpoint@v1.0.0): the text of a signed note with three lines, the log's origin,
 * the tree's size and its root. Further lines may follow; this program writes none.
 */
import { fromBase64, toBase64 } from './base64.ts';
import { hashBytes } from './hash.ts';
import { openNote, signNote, type NoteKey, type NoteSigner, type OpenedNote } from './note.ts';

/** One tree at one moment. */
export interface Checkpoint {
  readonly origin: string;
  /** Leaves in the tree: lines of the log. */
  readonly size: number;
  readonly root: Uint8Array;
}

/** The text that is signed. */
export function checkpointText({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${toBase64(root)}\n`;
}

/** Reads a checkpoint's text; undefined when it is none. */
export function parseCheckpointText(text: string): Checkpoint | undefined {
  const [origin = '', size = '', root = '', ...rest] = text.split('\n');
  if (origin === '' || rest.pop() !== '' || rest.includes('')) return undefined;
  const count = parseCount(size);
  const hash = fromBase64(root);
  return count === undefined || hash?.length !== hashBytes ? undefined : { origin, size: count, root: hash };
}

/** A decimal number without leading zeros that JavaScript counts exactly; undefined for anything else. */
export function parseCount(text: string): number | undefined {
  const count = /^(?:0|[1-9]\d{0,15})$/.test(text) ? Number(text) : -1;
  return Number.isSafeInteger(count) && count >= 0 ? count : undefined;
}

/** The signed note of a checkpoint. Its origin is the key's name. */
export function signCheckpoint(tree: Omit<Checkpoint, 'origin'>, signer: NoteSigner): string {
  return signNote(checkpointText({ ...tree, origin: signer.key.name }), signer);
}

/** A checkpoint as it was checked: the note it came in, and the keys that signed it. */
export type OpenedCheckpoint =
  | { readonly ok: true; readonly checkpoint: Checkpoint; readonly note: string; readonly signedBy: readonly string[] }
  | Extract<OpenedNote, { readonly ok: false }>;

/** Checks a signed checkpoint; one of the keys that signed it must bear the log's name (origin). */
export function openCheckpoint(note: string | Uint8Array, keys: readonly NoteKey[]): OpenedCheckpoint {
  const opened = openNote(note, keys);
  if (!opened.ok) return opened;
  const checkpoint = parseCheckpointText(opened.text);
  if (checkpoint === undefined) return { ok: false, why: 'malformed', found: 'its text is not a checkpoint: origin, size and root, a line each' };
  const own = keys.some(({ name, vkey }) => name === checkpoint.origin && opened.signedBy.includes(vkey));
  if (!own) return { ok: false, why: 'unknown key', found: `no known key of the log "${checkpoint.origin}" has signed it` };
  return { ok: true, checkpoint, note: typeof note === 'string' ? note : Buffer.from(note).toString('utf8'), signedBy: opened.signedBy };
}

/** The notes of a file of checkpoints, which are appended to it one after the other, each followed by an empty line. */
export function splitNotes(file: string): readonly string[] {
  const blocks = file.split('\n\n');
  const notes: string[] = [];
  for (let at = 0; at + 1 < blocks.length; at += 2) notes.push(`${blocks[at]}\n\n${(blocks[at + 1] ?? '').replace(/\n$/, '')}\n`);
  return notes;
}
