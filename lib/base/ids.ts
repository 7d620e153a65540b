/**
 * Identifiers: a prefix that tells the kind and a ULID (26 Crockford base32 characters: 48 bits of milliseconds, 80 random
 * bits), so that ids of one kind sort by the time they were made.
 */
import { sha256 } from './digest.ts';

/** Prefix of each kind of id. */
export const idPrefixes = {
  run: 'run_', tenant: 'tnt_', project: 'prj_', task: 'tsk_', key: 'key_', approval: 'apr_', session: 'ses_', event: 'evt_', request: 'req_',
} as const;

export type IdKind = keyof typeof idPrefixes;

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** A new id of a kind. `random` is at least 10 bytes. */
export function newId(kind: IdKind, nowMs: number, random: Uint8Array): string {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, Math.floor(nowMs / 2 ** 32));
  view.setUint32(2, nowMs % 2 ** 32);
  bytes.set(random.subarray(0, 10), 6);
  return idPrefixes[kind] + crockford(bytes);
}

/** The least and the greatest id that a kind can have of a moment: ids sort by time, so bounds of time are bounds of ids. */
export function idBounds(kind: IdKind, fromMs: number, toMs: number): readonly [from: string, to: string] {
  return [newId(kind, fromMs, new Uint8Array(10)), newId(kind, toMs, new Uint8Array(10).fill(0xff))];
}

/**
 * The id of the project at a real path. It is derived from the path, so finding a project never means reading all of
 * them, and two processes that meet a project first agree on its id.
 */
export function projectIdOf(realPath: string): string {
  return idPrefixes.project + crockford(sha256(`loki project\0${realPath}`).subarray(0, 16));
}

/** Whether text is an id of the kind: safe to put into a path or a key. */
export function isId(kind: IdKind, text: string): boolean {
  const prefix = idPrefixes[kind];
  return text.startsWith(prefix) && /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(text.slice(prefix.length));
}

const digits = Buffer.from(alphabet, 'latin1');
const scratch = Buffer.alloc(26);

/** 16 bytes as 26 characters, most significant first: two bits of nothing, then five at a time. */
function crockford(bytes: Uint8Array): string {
  let [held, bits, length] = [0, 2, 0];
  for (let at = 0; at < 16; at += 1) {
    held = (held << 8) | (bytes[at] ?? 0);
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      scratch[length] = digits[held >>> bits] ?? 0;
      length += 1;
      held &= (1 << bits) - 1;
    }
  }
  return scratch.toString('latin1');
}
