/**
 * C2SP signed notes (c2sp.org/signed-note@v1.0.0): a text, an empty line, and lines with signatures over the text. Keys are
 * Ed25519. Who checks a note names the keys it knows; signatures of others say nothing, one of a known key that does not
 * hold spoils the whole note. Reading a note throws at nothing and tells what is wrong with it.
 */
import { LokiError } from '../../errors.ts';
import { sha256 } from '../digest.ts';
import { ed25519KeyLength, ed25519Pair, ed25519Verify } from '../sign.ts';
import { fromBase64, toBase64 } from './base64.ts';

/** A key that checks notes: its line is the vkey. */
export interface NoteKey {
  readonly name: string;
  /** Eight lower-case hex digits. */
  readonly id: string;
  readonly publicKey: Uint8Array;
  /** `<name>+<id>+<base64>`. */
  readonly vkey: string;
}

/** A key that signs notes. Holds a secret: it is never printed. */
export interface NoteSigner {
  readonly key: NoteKey;
  sign(message: Uint8Array): Uint8Array;
  /** The secret key as one line, `PRIVATE+KEY+<name>+<id>+<base64>`. */
  skey(): string;
}

/** A note as it was checked. */
export type OpenedNote =
  /** `text` ends with a line feed; `signedBy` are the vkeys whose signatures hold, at least one. */
  | { readonly ok: true; readonly text: string; readonly signedBy: readonly string[] }
  | { readonly ok: false; readonly why: 'malformed' | 'unknown key' | 'bad signature'; readonly found: string };

/** The type byte of Ed25519. */
const ed25519Type = 1;
const idBytes = 4;
/** No note that anybody has reason to write is longer. */
export const longestNote: number = 1 << 20;
/** The format asks for sixteen at least. */
const mostSignatures = 100;

/** Names have no space of any kind and no plus, and are not empty. */
const goodName = /^[^\s\u0085\p{Z}\p{Cc}+]{1,1024}$/u;

/** The key of that name with these 32 bytes. Throws `usage` for a name that cannot be one. */
export function noteKey(name: string, publicKey: Uint8Array): NoteKey {
  if (!goodName.test(name)) throw new LokiError('usage', { attempted: 'make a note key', found: `"${name}" is no key name: it is empty, or has a space or "+"` });
  const typed = Buffer.concat([Buffer.from([ed25519Type]), publicKey]);
  const id = Buffer.from(sha256(Buffer.concat([Buffer.from(`${name}\n`), typed]))).toString('hex', 0, idBytes);
  return { name, id, publicKey, vkey: `${name}+${id}+${toBase64(typed)}` };
}

/** Reads `<name>+<8 hex>+<base64>`; undefined when it is none, or its id is not that of its key. */
export function parseVkey(line: string): NoteKey | undefined {
  const read = readKeyLine(line);
  if (read === undefined) return undefined;
  const key = noteKey(read.name, read.bytes);
  return key.id === read.id ? key : undefined;
}

/** Reads `PRIVATE+KEY+<name>+<id>+<base64>`; undefined when it is none. */
export function parseSkey(line: string): NoteSigner | undefined {
  const prefix = 'PRIVATE+KEY+';
  const read = line.startsWith(prefix) ? readKeyLine(line.slice(prefix.length)) : undefined;
  if (read === undefined) return undefined;
  const signer = noteSigner(read.name, read.bytes);
  return signer.key.id === read.id ? signer : undefined;
}

/** The base64 may hold a plus too: only the first two part the line. */
function readKeyLine(line: string): { readonly name: string; readonly id: string; readonly bytes: Uint8Array } | undefined {
  const match = /^([^+]{1,1024})\+([0-9a-f]{8})\+([A-Za-z0-9+/=]{1,100})$/.exec(line);
  const [, name = '', id = '', base64 = ''] = match ?? [];
  const typed = fromBase64(base64);
  if (!goodName.test(name) || typed === undefined || typed[0] !== ed25519Type || typed.length !== 1 + ed25519KeyLength) return undefined;
  return { name, id, bytes: typed.subarray(1) };
}

/** A signer of that name with this 32-byte seed. */
export function noteSigner(name: string, seed: Uint8Array): NoteSigner {
  const { publicKey, sign } = ed25519Pair(seed);
  const key = noteKey(name, publicKey);
  return {
    key,
    sign,
    skey: () => `PRIVATE+KEY+${name}+${key.id}+${toBase64(Buffer.concat([Buffer.from([ed25519Type]), seed]))}`,
  };
}

/** The note: the text, which ends with a line feed, signed. Throws `internal` for a text that no note can hold. */
export function signNote(text: string, signer: NoteSigner): string {
  const message = Buffer.from(text, 'utf8');
  if (!text.endsWith('\n') || !isNoteText(text)) throw new LokiError('internal', { attempted: 'sign a note', found: 'its text does not end with a line feed, or has control characters' });
  const signature = Buffer.concat([Buffer.from(signer.key.id, 'hex'), signer.sign(message)]);
  return `${text}\n\u2014 ${signer.key.name} ${toBase64(signature)}\n`;
}

/** No control characters but line feeds, and text that UTF-8 can hold. */
function isNoteText(text: string): boolean {
  return !/[\u0000-\u0009\u000b-\u001f]/.test(text) && Buffer.from(text, 'utf8').toString('utf8') === text;
}

/** Checks a note against the keys that are known. */
export function openNote(note: string | Uint8Array, keys: readonly NoteKey[]): OpenedNote {
  const text = textOf(note);
  if (text === undefined) return malformed('it is longer than a note may be, not UTF-8, or has control characters');
  const split = text.lastIndexOf('\n\n');
  if (split < 0) return malformed('no empty line parts text and signatures');
  const body = text.slice(0, split + 1);
  const lines = text.slice(split + 2).split('\n');
  if (lines.pop() !== '' || lines.length === 0) return malformed('it does not end with signature lines');
  if (lines.length > mostSignatures) return malformed(`it has more than ${mostSignatures} signatures`);
  return check(body, lines, keys);
}

function textOf(note: string | Uint8Array): string | undefined {
  if (note.length > longestNote) return undefined;
  try {
    const text = typeof note === 'string' ? note : new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(note);
    return isNoteText(text) ? text : undefined;
  } catch {
    return undefined;
  }
}

function check(body: string, lines: readonly string[], keys: readonly NoteKey[]): OpenedNote {
  const message = Buffer.from(body, 'utf8');
  const signedBy = new Set<string>();
  let seen = 0;
  for (const line of lines) {
    const signature = parseSignature(line);
    if (signature === undefined) return malformed('a line after its text is no signature');
    for (const key of keys.filter(({ name, id }) => name === signature.name && id === signature.id)) {
      if (signedBy.has(key.vkey)) continue;
      seen += 1;
      if (!ed25519Verify(key.publicKey, message, signature.bytes)) return { ok: false, why: 'bad signature', found: `the signature of ${key.name} (${key.id}) does not hold` };
      signedBy.add(key.vkey);
    }
  }
  if (seen === 0) return { ok: false, why: 'unknown key', found: 'none of its signatures is by a known key' };
  return { ok: true, text: body, signedBy: [...signedBy] };
}

function parseSignature(line: string): { readonly name: string; readonly id: string; readonly bytes: Uint8Array } | undefined {
  const match = /^\u2014 (\S+) ([A-Za-z0-9+/=]+)$/.exec(line);
  const [, name = '', base64 = ''] = match ?? [];
  const payload = fromBase64(base64);
  if (!goodName.test(name) || payload === undefined || payload.length <= idBytes) return undefined;
  return { name, id: Buffer.from(payload.subarray(0, idBytes)).toString('hex'), bytes: payload.subarray(idBytes) };
}

function malformed(found: string): OpenedNote {
  return { ok: false, why: 'malformed', found };
}

