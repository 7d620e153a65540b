/**
 * The key that signs checkpoints: one Ed25519 seed, made on first use, in `keys/checkpoint.key` as the line
 * `PRIVATE+KEY+<name>+<id>+<base64>`; beside it `checkpoint.vkey` with the public line of every key that was ever used, the
 * newest last. A key bears the name of its log. Each chain's tree has a name of its own, under the same seed: so has its key.
 */
import type { Disk, Random } from '../../ports.ts';
import { LokiError } from '../../errors.ts';
import { join } from '../../base/paths.ts';
import { noteKey, noteSigner, parseSkey, parseVkey, type NoteKey, type NoteSigner } from '../../base/merkle/note.ts';

/** Where keys lie: `directory` is LOKI_HOME/keys, `base` LOKI_HOME. */
export interface KeyPlace {
  readonly disk: Disk;
  readonly base: string;
  readonly directory: string;
}

/** How the log is called. A name that nobody chose (the host's) gives way to the one in the key file: hosts change theirs. */
export interface Origin {
  readonly name: string;
  readonly chosen: boolean;
}

/** The keys of the log of record. Those of other chains come from `keysOf`. */
export interface CheckpointKeys {
  readonly signer: NoteSigner;
  /** Every key that was ever used, this one last. */
  readonly known: readonly NoteKey[];
  /** Whether it was made just now. */
  readonly made: boolean;
}

/** `record`, or `agent:<project id>`. */
export type ChainName = 'record' | `agent:${string}`;

const seedBytes = 32;
const recordSuffix = '/loki/audit';
const largestKeyFile = 1 << 16;

/** `<origin>/loki/audit` or `<origin>/loki/agent/<project id>`. */
export function chainOrigin(origin: string, chain: ChainName): string {
  return chain === 'record' ? `${origin}${recordSuffix}` : `${origin}/loki/agent/${chain.slice('agent:'.length)}`;
}

/**
 * The key to sign with, made when there is none, or when another name was chosen for the log. Call it under the lock of the
 * tree: two processes must not make two. Throws `io.failed` for a key file that cannot be read as one.
 */
export function openKeys(place: KeyPlace, origin: Origin, random: Random): CheckpointKeys {
  const { disk, base, directory } = place;
  const present = readSigner(place);
  const wanted = chainOrigin(usableName(origin.name), 'record');
  const keep = present !== undefined && (!origin.chosen || present.key.name === wanted);
  const signer = keep ? present : noteSigner(wanted, random.bytes(seedBytes));
  const known = [...readKnownKeys(place), ...(present === undefined ? [] : [present.key])];
  const all = [...unique(known).filter(({ vkey }) => vkey !== signer.key.vkey), signer.key];
  const lines = all.map(({ vkey }) => `${vkey}\n`).join('');
  disk.ensureDirectory(base, directory, 0o700);
  // The public line first: a checkpoint whose key nobody wrote down could never be checked.
  if (textOf(place, 'checkpoint.vkey') !== lines) disk.replace(base, join(directory, 'checkpoint.vkey'), Buffer.from(lines), 0o600);
  if (!keep) disk.replace(base, join(directory, 'checkpoint.key'), Buffer.from(`${signer.skey()}\n`), 0o600);
  return { signer, known: all, made: !keep };
}

/** `openKeys` for who asks again and again: the files are read each time, and understood when they say something new. */
export function keepKeys(place: KeyPlace, origin: Origin, random: Random): () => CheckpointKeys {
  const read = (): readonly (string | undefined)[] => [textOf(place, 'checkpoint.key'), textOf(place, 'checkpoint.vkey')];
  let last: { readonly said: readonly (string | undefined)[]; readonly keys: CheckpointKeys } | undefined;
  return () => {
    const said = read();
    if (last?.said.every((text, at) => text === said[at]) === true) return last.keys;
    // What was read before: a key that is made now is read again next time.
    last = { said, keys: openKeys(place, origin, random) };
    return last.keys;
  };
}

/** The keys that checkpoints here were ever signed with; none before the first one. Writes nothing. */
export function readKnownKeys(place: KeyPlace): readonly NoteKey[] {
  const lines = (textOf(place, 'checkpoint.vkey') ?? '').split('\n');
  return unique(lines.map(parseVkey).filter((key) => key !== undefined));
}

/** The key that signs, if one has been made. Throws `io.failed` when the file holds something else. */
export function readSigner(place: KeyPlace): NoteSigner | undefined {
  const text = textOf(place, 'checkpoint.key');
  if (text === undefined) return undefined;
  const signer = parseSkey(text.trimEnd());
  if (signer !== undefined && signer.key.name.endsWith(recordSuffix)) return signer;
  throw new LokiError('io.failed', {
    attempted: `read the key "${join(place.directory, 'checkpoint.key')}"`, found: 'it is not a key that loki wrote',
    hint: 'Put the key back, or move the file away: a new key is then made, and verifiers need its public line',
  });
}

/** The key of a chain that is signed under the log's seed. */
export function signerOf(record: NoteSigner, chain: ChainName): NoteSigner {
  if (chain === 'record') return record;
  return { ...record, key: keyOf(record.key, chain) };
}

/** The keys of a chain, from those of the log of record: other names, and so other ids, over the same public keys. */
export function keysOf(known: readonly NoteKey[], chain: ChainName): readonly NoteKey[] {
  return known.map((key) => keyOf(key, chain));
}

function keyOf(key: NoteKey, chain: ChainName): NoteKey {
  if (chain === 'record' || !key.name.endsWith(recordSuffix)) return key;
  return noteKey(chainOrigin(key.name.slice(0, -recordSuffix.length), chain), key.publicKey);
}

/** A host's name may be anything; a key's has no spaces and no plus. */
function usableName(name: string): string {
  return name.replaceAll(/[\s\p{Z}\p{Cc}+]/gu, '-').slice(0, 255) || 'localhost';
}

function unique(keys: readonly NoteKey[]): readonly NoteKey[] {
  return [...new Map(keys.map((key) => [key.vkey, key])).values()];
}

function textOf({ disk, base, directory }: KeyPlace, name: string): string | undefined {
  const bytes = disk.readRecord(base, join(directory, name), largestKeyFile);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
}
