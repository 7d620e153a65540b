/** What verification holds chains against: their trees, checkpoints brought from elsewhere, seals, prune statements, and what was verified before. */
import type { Disk } from '../../ports.ts';
import { LokiError } from '../../errors.ts';
import { dirname, join } from '../../base/paths.ts';
import { openTreeReader, treeDirectory, type TreeReader } from '../../audit/tlog/reader.ts';
import { copyPath, newestCopied } from '../../audit/tlog/copy.ts';
import { keysOf, readKnownKeys, readSigner, type ChainName } from '../../audit/tlog/key.ts';
import { openCheckpoint, parseCheckpointText, type Checkpoint } from '../../base/merkle/checkpoint.ts';
import { parseVkey, type NoteKey } from '../../base/merkle/note.ts';
import { searchHits } from '../../audit/query.ts';
import { readSeal } from '../../audit/keeping/seal.ts';
import { noteOpener, statementFor } from '../../audit/keeping/statement.ts';
import { recordedCheckpoints } from '../../audit/verify/recorded.ts';
import { knownFile, readVerified, writeVerified, type VerifiedPlace } from '../../audit/verify/verified.ts';
import type { ChainSource, RecordedCheckpoint, SeenFile, TreeSide, VerifyOptions } from '../../audit/verify.ts';
import type { Installation } from '../installation.ts';
import type { VerifyRequest } from './verify.ts';

/** A signed note and where it came from. */
export interface BroughtNote {
  readonly from: string;
  readonly note: string;
}

/** All that beside its lines says what a chain should be. */
export interface Proofs {
  /** When the verification began that is gone on from. */
  readonly since: string | null;
  /** Options for one chain. */
  of(chain: string): Pick<VerifyOptions, 'tree' | 'pruned' | 'sealOf' | 'recoveries' | 'known'>;
  /** Keeps what was found, where there is a key to sign it, and the disk is ours. */
  keep(seen: ReadonlyMap<string, readonly SeenFile[]>, disk: Disk): void;
  close(): void;
}

const largestCheckpoint = 1 << 16;

/** Opens them. Throws `usage` for a key or a checkpoint that cannot be understood, or is of no chain that is looked at. */
export function openProofs(installation: Installation, request: VerifyRequest, sources: readonly ChainSource[]): Proofs {
  const { host: { disk, clock }, home } = installation;
  const place: VerifiedPlace = { disk, base: home.home, tlog: home.tlog };
  const own = ownKeys(installation);
  const trusted = (request.vkeys ?? []).map(keyOf);
  const brought = byChain(request.against ?? [], sources, request.log !== undefined);
  const before = request.full === true || request.log !== undefined || own.length === 0 ? undefined : readVerified(place, own);
  const startedAt = clock.now();
  const readers: TreeReader[] = [];
  return {
    since: before === undefined ? null : new Date(before.time).toISOString(),
    of(chain) {
      const name = chainName(chain) ?? 'record';
      const believed = { own: keysOf(own, name), trusted, against: brought.get(chain) ?? [] };
      const tlog = request.log === undefined ? home.tlog : join(dirname(chain), 'tlog');
      const tree = request.log === undefined ? treeSide(installation, name, believed) : treeBeside(disk, chain, tlog, believed);
      if (tree.reader !== undefined) readers.push(tree.reader);
      const isRecord = name === 'record';
      return {
        tree,
        ...(isRecord ? { pruned: (first, hash) => statementFor(disk, dirname(dirname(tlog)), tlog, noteOpener([...own, ...trusted]), first, hash) } : {}),
        ...(isRecord ? { recoveries: (after) => searchHits(disk, request.log === undefined ? home.audit : chain, { event: 'audit.recovery', after }, { order: 'oldest' }) } : {}),
        // A copy from elsewhere may be older than the seals here.
        ...(isRecord && request.log === undefined ? { sealOf: (file) => readSeal(disk, home.home, home.tlog, file) } : {}),
        ...(before === undefined ? {} : { known: (file, stat) => knownFile(before, chain, file, stat) }),
      };
    },
    keep(seen, ours) {
      try {
        const signer = readSigner({ disk: ours, base: home.home, directory: home.keys });
        if (signer !== undefined) writeVerified({ ...place, disk: ours }, signer, startedAt, seen);
      } catch {
        // It only saves the next verification time; a disk that may be read and not written keeps nobody from verifying.
      }
    },
    close() { readers.forEach((reader) => reader.close()); },
  };
}

/** An auditor who may read the log need not be able to read the keys' folder: then the public key is given by hand. */
function ownKeys({ host: { disk }, home }: Installation): readonly NoteKey[] {
  try {
    return readKnownKeys({ disk, base: home.home, directory: home.keys });
  } catch {
    return [];
  }
}

function chainName(chain: string): ChainName | undefined {
  if (chain === 'record') return 'record';
  return chain.startsWith('agent:') ? `agent:${chain.slice('agent:'.length)}` : undefined;
}

interface Believed {
  readonly own: readonly NoteKey[];
  readonly trusted: readonly NoteKey[];
  readonly against: readonly BroughtNote[];
}

function treeSide({ host: { disk, clock }, home, config }: Installation, chain: ChainName, { own, trusted, against }: Believed): TreeSide {
  const keys = [...own, ...trusted];
  const directory = treeDirectory(home.tlog, chain);
  const path = join(directory, 'checkpoint');
  return {
    path, keys, against, ...copied(disk, config.audit.checkpointCopy, own), reader: openTreeReader({ disk, base: home.home, directory, keys }),
    look() {
      // What the log tells of first: the checkpoint is at least as new, and the lines at least as many.
      const recorded: RecordedCheckpoint | undefined = recordedCheckpoints(disk, home.audit).get(chain);
      return { recorded, newest: disk.readRecord(home.home, path, largestCheckpoint) };
    },
    ...(config.audit.enabled && own.length > 0 ? { expected: { every: config.audit.checkpointEvery, intervalMs: config.audit.checkpointIntervalMs, now: clock.now() } } : {}),
  };
}

/** What was carried to the second place, out of reach for whoever put the log and all that lies beside it back to an older state. */
function copied(disk: Disk, directory: string | undefined, keys: readonly NoteKey[]): Pick<TreeSide, 'copied'> {
  const origin = keys.at(-1)?.name;
  const copy = directory === undefined || origin === undefined ? undefined : newestCopied(disk, directory, origin, keys);
  return directory === undefined || origin === undefined || copy === undefined ? {} : { copied: { from: copyPath(directory, origin), note: copy.note } };
}

/**
 * A log from somewhere else: nothing that lies here was signed of it, but a tree beside it was. Where none of the keys at hand
 * signed that, it is as good as none.
 */
function treeBeside(disk: Disk, directory: string, tlog: string, believed: Believed): TreeSide {
  const keys = [...believed.own, ...believed.trusted];
  const path = join(tlog, 'checkpoint');
  const base = dirname(tlog);
  const newest = keys.length === 0 || disk.stat(directory)?.kind !== 'directory' ? undefined : disk.readRecord(base, path, largestCheckpoint);
  const opened = newest === undefined ? undefined : openCheckpoint(newest, keys);
  if (opened === undefined || (!opened.ok && opened.why === 'unknown key')) return linesOnly(directory, believed);
  return { path, keys, against: believed.against, reader: openTreeReader({ disk, base, directory: tlog, keys }), look: () => ({ recorded: undefined, newest: disk.readRecord(base, path, largestCheckpoint) }) };
}

/** Only the lines are at hand. */
function linesOnly(path: string, { own, trusted, against }: Believed): TreeSide {
  return { path, keys: [...own, ...trusted], against, reader: undefined, look: () => ({ newest: undefined, recorded: undefined }) };
}

function keyOf(line: string): NoteKey {
  const key = parseVkey(line.trim());
  if (key !== undefined) return key;
  throw new LokiError('usage', { attempted: 'trust a key', found: `"${line}" is not a verifier key, or its id is not that of its key`, hint: 'A key looks like name+hash+base64; loki audit checkpoint prints this log\'s' });
}

/** What a note says, unchecked; undefined when it speaks of no tree. */
function peek(note: string): Checkpoint | undefined {
  const split = note.lastIndexOf('\n\n');
  return split < 0 ? undefined : parseCheckpointText(note.slice(0, split + 1));
}

/** Notes by the chain their origin names. */
function byChain(notes: readonly BroughtNote[], sources: readonly ChainSource[], isOne: boolean): ReadonlyMap<string, readonly BroughtNote[]> {
  const found = new Map<string, BroughtNote[]>();
  for (const each of notes) {
    const checkpoint = peek(each.note);
    const attempted = `verify against "${each.from}"`;
    if (checkpoint === undefined) throw new LokiError('usage', { attempted, found: 'it holds something else than signed checkpoints', hint: 'Give a file that loki audit checkpoint, or another C2SP log, has written' });
    const project = /\/loki\/agent\/(.+)$/.exec(checkpoint.origin)?.[1];
    const chain = isOne ? sources[0]?.chain : project === undefined ? 'record' : `agent:${project}`;
    if (chain === undefined || !sources.some((source) => source.chain === chain)) {
      throw new LokiError('usage', { attempted, found: `it is a checkpoint of "${checkpoint.origin}", and no such chain is here`, hint: 'Verify where that chain is, or leave the checkpoint out' });
    }
    found.set(chain, [...found.get(chain) ?? [], each]);
  }
  return found;
}
