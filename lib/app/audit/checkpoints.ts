/**
 * Checkpoints of this installation's chains, put together from the configuration. Loaded when one is made or asked for, and
 * not before: an agent's hook, which answers thousands of times between two of them, has no use for it.
 */
import { LokiError, messageOf } from '../../errors.ts';
import { join } from '../../base/paths.ts';
import { toBase64 } from '../../base/merkle/base64.ts';
import { signNote } from '../../base/merkle/note.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Recorder } from '../../audit/entry.ts';
import { agentFiles, recordFiles } from '../../audit/tlog/chain-files.ts';
import type { ChainFiles } from '../../audit/tlog/follow.ts';
import { keepKeys, type ChainName, type CheckpointKeys } from '../../audit/tlog/key.ts';
import { proveEntry, type EntryProof } from '../../audit/tlog/prove.ts';
import { openTreeOf, treeDirectory, type TreeReader } from '../../audit/tlog/reader.ts';
import { openTree, type AdvanceOptions, type Advanced, type Reason, type Tree } from '../../audit/tlog/tree.ts';
import { listEnrolments } from '../../gate/enrolment.ts';
import { prepareHome, type Installation } from '../installation.ts';

/** What is asked for. */
export interface CheckpointRequest {
  readonly reason: Reason;
  /** The log of record when left out. */
  readonly chain?: ChainName;
  /** Cover also what only tells of checkpoints. */
  readonly all?: boolean;
  /** In whose name it is accepted that whole files are gone which no checkpoint covers. That is recorded before anything is signed. */
  readonly acceptLoss?: string;
  readonly signal?: AbortSignal;
}

/** Another process that makes one is waited for so long. */
const lockTimeoutMs = 10_000;

/** The trees of a process: each remembers where it stands. */
export interface Checkpoints {
  /** Makes one if there is something to cover, and records that. Throws as `Tree.advance`; what is refused is recorded, once. */
  make(request: CheckpointRequest): Promise<Advanced>;
  /** The proof of an entry, under a checkpoint that is made if need be. */
  prove(seq: number, chain?: ChainName): Promise<EntryProof>;
  /** Writes down where the trees stand. */
  close(): void;
}

/** `acknowledged`: the newest entry of the log of record that this process wrote, where it writes one. */
export function openCheckpoints(installation: Installation, record: Recorder, acknowledged?: () => number): Checkpoints {
  const trees = new Map<ChainName, Tree>();
  const treeOf = (chain: ChainName): Tree => {
    const tree = trees.get(chain) ?? makeTree(installation, chain, record, chain === 'record' ? acknowledged : undefined);
    trees.set(chain, tree);
    return tree;
  };

  async function advance(chain: ChainName, options: AdvanceOptions, acceptLoss: string | undefined): Promise<Advanced> {
    try {
      return await treeOf(chain).advance(options);
    } catch (error) {
      if (acceptLoss === undefined || !isRefusal(error)) throw error;
      const refused = error.message.slice(0, longestReason);
      return treeOf(chain).advance({
        ...options, acceptLoss: true,
        async onLoss(lost) {
          const details = { reason: 'accept loss', chain, lost: lost.map((each) => ({ ...each })), refused };
          await record({ event: 'audit.recovery', actor: acceptLoss, resource: `chain:${chain}`, details });
        },
      });
    }
  }

  async function make({ chain = 'record', reason, all = reason === 'heartbeat', acceptLoss, signal }: CheckpointRequest): Promise<Advanced> {
    try {
      const advanced = await advance(chain, { all, ...(signal === undefined ? {} : { signal }) }, acceptLoss);
      installation.host.disk.remove(troublePath(installation, chain, 'refused'));
      if (advanced.made) await tellMade(record, chain, reason, advanced);
      // What was accepted is believed once a checkpoint covers the entry that says so.
      if (advanced.lost.length > 0) await make({ reason, all: true });
      return advanced;
    } catch (error) {
      await tellRefused(installation, record, chain, error);
      throw error;
    }
  }

  async function prove(seq: number, chain: ChainName = 'record'): Promise<EntryProof> {
    const files = filesOf(installation, chain);
    if (coveredBy(installation, chain) < seq) await make({ chain, reason: 'request', all: true });
    const proof = tryToProve(installation, chain, files, seq);
    if (proof !== undefined) return proof;
    await treeOf(chain).repair();
    return provenOr(installation, chain, seq, tryToProve(installation, chain, files, seq));
  }

  return {
    make, prove,
    close() {
      for (const tree of trees.values()) tree.close();
    },
  };
}

/** Entries that the newest checkpoint covers; 0 without one that can be believed. */
function coveredBy(installation: Installation, chain: ChainName): number {
  const tree = readTree(installation, chain);
  try {
    const newest = tree.newest();
    return newest.kind === 'good' ? newest.checkpoint.size : 0;
  } finally {
    tree.close();
  }
}

function tryToProve(installation: Installation, chain: ChainName, files: ChainFiles, seq: number): EntryProof | undefined {
  const tree = readTree(installation, chain);
  try {
    return proveEntry(tree, files, seq);
  } finally {
    tree.close();
  }
}

function provenOr(installation: Installation, chain: ChainName, seq: number, proof: EntryProof | undefined): EntryProof {
  if (proof !== undefined) return proof;
  throw new LokiError('audit.incomplete', { attempted: `prove entry ${seq}`, found: 'the hash tree does not give a proof that holds', hint: `Put a copy of "${treeDirectory(installation.home.tlog, chain)}" back` });
}

/** One checkpoint, by a process that makes no others. */
export async function checkpointNow(installation: Installation, record: Recorder, request: CheckpointRequest): Promise<Advanced> {
  const checkpoints = openCheckpoints(installation, record);
  try {
    return await checkpoints.make(request);
  } finally {
    checkpoints.close();
  }
}

/** The tree of a chain, to read. */
function readTree({ host: { disk }, home }: Installation, chain: ChainName = 'record'): TreeReader {
  return openTreeOf(chain, { disk, base: home.home, tlog: home.tlog, keysDirectory: home.keys });
}

/** The newest checkpoint as it stands, for those who only look; undefined when there is none. Throws `audit.tampered` for one that no key of ours signed. */
export function checkpointDocument(installation: Installation, chain: ChainName = 'record'): JsonObject | undefined {
  const tree = readTree(installation, chain);
  try {
    const newest = tree.newest();
    if (newest.kind === 'none') return undefined;
    if (newest.kind === 'bad') throw new LokiError('audit.tampered', { attempted: 'read the newest checkpoint', found: newest.found });
    const { note, checkpoint: { origin, size, root }, signedBy } = newest;
    return { chain, origin, size, root: toBase64(root), note, vkey: signedBy.at(-1) ?? null };
  } finally {
    tree.close();
  }
}

/** The proof file of an entry under the newest checkpoint, for those who only look. Throws `not_found` when that does not cover it, `audit.incomplete`. */
export function proofText(installation: Installation, seq: number, chain: ChainName = 'record'): string {
  return provenOr(installation, chain, seq, tryToProve(installation, chain, filesOf(installation, chain), seq)).text;
}

/** A statement of this installation, signed with the log's key, which is made when there is none. Waits for the trees' lock. */
export async function signStatement(installation: Installation, text: string): Promise<Uint8Array> {
  prepareHome(installation);
  const lock = installation.host.lock(lockPath(installation));
  await lock.acquire(lockTimeoutMs);
  try {
    return Buffer.from(signNote(text, keeperOf(installation)().signer), 'utf8');
  } finally {
    lock.release();
  }
}

/** The chain that a person named: `record`, or `agent:` and the id of a project that is enrolled or at hand. Throws `usage`. */
export function chainNamed(installation: Installation, text: string | undefined): ChainName {
  if (text === undefined || text === 'record') return 'record';
  const id = /^agent:(prj_[0-9A-Za-z]{1,64})$/.exec(text)?.[1];
  const chain: ChainName = `agent:${id ?? ''}`;
  if (id !== undefined && projectDir(installation, chain) !== undefined) return chain;
  throw new LokiError('usage', { attempted: `find the chain "${text.slice(0, 100)}"`, found: 'it is neither "record" nor "agent:" with the id of an enrolled project', hint: 'loki audit verify lists the chains' });
}

function makeTree(installation: Installation, chain: ChainName, record: Recorder, acknowledged: (() => number) | undefined): Tree {
  const { config: { audit }, host, home } = installation;
  prepareHome(installation);
  return openTree({
    disk: host.disk, clock: host.clock, timers: host.timers, lock: host.lock(lockPath(installation)), lockTimeoutMs,
    writers: host.lock(join(home.run, chain === 'record' ? 'audit' : `agent-chain-${chain.slice('agent:'.length)}`)),
    ...(acknowledged === undefined ? {} : { acknowledged }),
    base: home.home, directory: treeDirectory(home.tlog, chain), chain, files: filesOf(installation, chain),
    keys: keeperOf(installation),
    fileMode: audit.groupReadable ? 0o640 : 0o600, directoryMode: audit.groupReadable ? 0o750 : 0o700,
    ...(audit.checkpointCopy === undefined ? {} : { copyDirectory: audit.checkpointCopy }),
    onCopied: () => host.disk.remove(troublePath(installation, chain, 'copy-failed')),
    onCopyFailed(error) {
      const failed = messageOf(error).slice(0, longestReason);
      void tellTrouble(installation, record, troublePath(installation, chain, 'copy-failed'), failed, { chain, copy: audit.checkpointCopy ?? null, failed });
    },
  });
}

/** One for all trees: they are seldom at work, and their key is one. */
function lockPath({ home }: Installation): string {
  return join(home.run, 'tlog');
}

function keeperOf({ config, host, home }: Installation): () => CheckpointKeys {
  const origin = { name: config.audit.origin, chosen: config.origin('enterprise.audit.origin').layer !== 'default' };
  return keepKeys({ disk: host.disk, base: home.home, directory: home.keys }, origin, host.random);
}

function filesOf(installation: Installation, chain: ChainName): ChainFiles {
  const { config, host: { disk }, home } = installation;
  const fileMode = config.audit.groupReadable ? 0o640 : 0o600;
  if (chain === 'record') return recordFiles({ disk, base: home.home, directory: home.audit, fileMode });
  const dir = projectDir(installation, chain);
  if (dir === undefined) throw new LokiError('not_found', { attempted: `find the chain "${chain}"`, found: 'no such project is enrolled', hint: 'See: loki audit verify' });
  return agentFiles({ disk, base: dir, directory: join(dir, '.loki/logs'), fileMode: 0o600 });
}

function projectDir({ host: { disk }, home, project }: Installation, chain: ChainName): string | undefined {
  const id = chain.slice('agent:'.length);
  if (project?.id === id) return project.dir;
  return listEnrolments(disk, home.home, home.projects).find((enrolment) => enrolment.id === id)?.path;
}

/** The entry that carries the checkpoint on, in the log and to wherever entries are sent. It is told, not required. */
async function tellMade(record: Recorder, chain: ChainName, reason: Reason, { checkpoint, vkey, keyMade, lost }: Advanced): Promise<void> {
  if (checkpoint === undefined) return;
  const { size, root } = checkpoint;
  const details = { chain, size, root: toBase64(root), reason, ...(keyMade ? { vkey } : {}), ...(lost.length === 0 ? {} : { lost: lost.map((each) => ({ ...each })) }) };
  await record({ event: 'audit.checkpoint', actor: 'system', details }).catch(() => undefined);
}

/** Files beside the tree that say what is wrong, as long as it is. */
function troublePath({ home }: Installation, chain: ChainName, name: 'refused' | 'copy-failed'): string {
  return join(treeDirectory(home.tlog, chain), name);
}

const longestReason = 2000;

function tellRefused(installation: Installation, record: Recorder, chain: ChainName, error: unknown): Promise<void> {
  if (!isRefusal(error)) return Promise.resolve();
  const { code, message } = error;
  return tellTrouble(installation, record, troublePath(installation, chain, 'refused'), message, { chain, refused: code, reason: message.slice(0, longestReason) });
}

function isRefusal(error: unknown): error is LokiError {
  return error instanceof LokiError && ['audit.tampered', 'audit.incomplete'].includes(error.code);
}

/** Trouble stands until somebody clears it up: it is recorded when it begins, and not each time it is found again. */
async function tellTrouble({ host: { disk }, home }: Installation, record: Recorder, path: string, message: string, details: JsonObject): Promise<void> {
  // The log may have grown meanwhile, by this very entry: numbers make no other trouble of it.
  const kind = (text: string): string => text.trimEnd().replaceAll(/\d+/g, '#');
  try {
    const told = disk.readRecord(home.home, path, 1 << 16);
    if (told !== undefined && kind(Buffer.from(told).toString('utf8')) === kind(message)) return;
    await record({ event: 'audit.checkpoint', actor: 'system', level: 'error', details });
    disk.replace(home.home, path, Buffer.from(`${message}\n`), 0o600);
  } catch {
    return;
  }
}
