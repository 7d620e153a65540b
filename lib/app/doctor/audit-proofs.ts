/** Checks of what proves the log: checkpoints, their key and their copy, and the keys of encryption. */
import { copyPath, newestCopy } from '../../audit/tlog/copy.ts';
import { readKnownKeys } from '../../audit/tlog/key.ts';
import { join } from '../../base/paths.ts';
import type { Disk } from '../../ports.ts';
import { keyTrouble } from '../audit/protection.ts';
import { encrypts } from '../audit/record.ts';
import type { Installation } from '../installation.ts';
import { endsBefore } from './audit-files.ts';
import { fail, ok, quoted, span, warn, type Check, type Outcome } from './check.ts';
import type { Scene } from './scene.ts';

/** A signed checkpoint is a few hundred bytes. */
const largestNote = 1 << 16;
/** An idle log gets a checkpoint every ten intervals while something lives long; twice that is late. */
const lateIntervals = 20;

export const proofChecks: readonly Check[] = [
  { name: 'checkpoint', about: 'the newest signed checkpoint', look: checkpoint },
  { name: 'signing key', about: 'the key that signs checkpoints', look: signingKey },
  { name: 'checkpoint copy', about: 'the second place of checkpoints', look: copy },
  { name: 'encryption', about: 'the keys of encryption at rest', look: encryption },
];

interface Stated {
  readonly size: number;
  readonly writtenMs: number;
}

/** Entries that a checkpoint file covers: the second line of a C2SP checkpoint. Undefined when there is none. */
function stated(disk: Disk, path: string): Stated | 'unreadable' | undefined {
  const stat = disk.stat(path);
  if (stat === undefined) return undefined;
  const line = Buffer.from(disk.read(path, largestNote) ?? []).toString('utf8').split('\n')[1] ?? '';
  return /^(?:0|[1-9]\d{0,15})$/.test(line) ? { size: Number(line), writtenMs: stat.modifiedMs } : 'unreadable';
}

function checkpoint(scene: Scene): Outcome {
  const { installation: { host: { disk }, home, config }, now } = scene;
  const found = stated(disk, join(home.tlog, 'checkpoint'));
  const last = scene.recent().newest?.seq ?? 0;
  if (found === 'unreadable') return fail('the checkpoint cannot be read as one', 'loki audit verify --full, then: loki audit checkpoint');
  if (found === undefined) return withoutCheckpoint(scene, last);
  const cut = endsBefore(found.size, scene);
  if (cut !== undefined) return cut;
  const age = now - found.writtenMs;
  const words = `covers ${found.size} of ${last} entries, made ${span(age)} ago`;
  const behind = last - found.size > 2 * config.audit.checkpointEvery;
  const late = last - found.size > 1 && age > lateIntervals * config.audit.checkpointIntervalMs;
  return behind || late ? warn(words, 'loki audit checkpoint') : ok(words);
}

/** The first one comes after so many entries, or so much time. */
function withoutCheckpoint({ installation: { config: { audit } }, now, recent }: Scene, last: number): Outcome {
  const { newest } = recent();
  if (newest === undefined) return ok('nothing is recorded yet');
  const waits = now - Date.parse(newest.timestamp) < lateIntervals * audit.checkpointIntervalMs && last < 2 * audit.checkpointEvery;
  if (waits) return ok(`none yet: ${last} of ${audit.checkpointEvery} entries that make one due`);
  return warn(`the log has ${last} entries and no checkpoint: a cut at its end could not be shown`, 'loki audit checkpoint');
}

function signingKey({ installation: { host: { disk }, home } }: Scene): Outcome {
  const path = join(home.keys, 'checkpoint.key');
  const stat = disk.stat(path);
  if (stat === undefined) {
    return disk.stat(join(home.tlog, 'checkpoint')) === undefined ? ok('none yet: the first checkpoint makes it') : fail(`${path} is gone, and there are checkpoints that it signed`, `Restore ${path} from a backup`);
  }
  return privateFile(path, stat.kind, stat.mode) ?? ok(`${path}, readable by its owner alone`);
}

function privateFile(path: string, kind: string, mode: number): Outcome | undefined {
  if (kind !== 'file') return fail(`${path} is a ${kind}`, `Find out who made it, then: rm ${quoted(path)}`);
  return (mode & 0o077) === 0 ? undefined : fail(`${path} can be read by others than its owner (mode 0${(mode & 0o777).toString(8)})`, `chmod 600 ${quoted(path)}, and consider a new key`);
}

function copy({ installation: { host: { disk }, home, config } }: Scene): Outcome {
  const directory = config.audit.checkpointCopy;
  if (directory === undefined) return ok('none is configured: checkpoints stay on this machine (enterprise.audit.checkpoint_copy)');
  if (disk.stat(disk.realpath(directory) ?? directory)?.kind !== 'directory') return warn(`${directory} cannot be reached`, 'Make it reachable, then: loki audit checkpoint');
  const here = stated(disk, join(home.tlog, 'checkpoint'));
  const keys = readKnownKeys({ disk, base: home.home, directory: home.keys });
  const origin = keys.at(-1)?.name;
  if (origin === undefined || here === undefined) return ok(`${directory}: no checkpoint was made yet`);
  const there = newestCopy(disk, directory, origin, keys);
  if (there === undefined) return warn(`${directory} holds no checkpoint of this log`, 'Make it writable, then: loki audit checkpoint');
  if (here !== 'unreadable' && there.size < here.size) return warn(`${directory} covers ${there.size} entries, the checkpoint here ${here.size}`, 'Make it writable, then: loki audit checkpoint');
  if (here !== 'unreadable' && there.size > here.size) return fail(`${directory} covers ${there.size} entries, the checkpoint here only ${here.size}: this log was set back`, `loki audit verify --against ${quoted(copyPath(directory, origin))}`);
  return ok(`${directory} covers ${there.size} entries`);
}

/** The key that wraps all others: in the environment, in a file that it names, or made on first use in `keys/audit.key`. */
function encryption({ installation }: Scene): Outcome {
  const { host: { disk }, home, config: { audit } } = installation;
  if (!encrypts(installation) && !audit.gdprCompliance) return ok('off');
  if (audit.key !== undefined) return wrongKey(installation) ?? ok('on; the key is in the environment (LOKI_AUDIT_KEY)');
  if (audit.keyFile !== undefined) return keyInFile(installation, audit.keyFile);
  const own = join(home.keys, 'audit.key');
  const stat = disk.stat(own);
  if (stat !== undefined) return privateFile(own, stat.kind, stat.mode) ?? wrongKey(installation) ?? ok(`on; the key is in ${own}, beside what it protects`);
  if (disk.list(home.ring).length === 0) return ok(`on; the first entry makes a key in ${own}`);
  return fail('on, and the key is not here: nothing can be recorded, and what was recorded cannot be read', `Set LOKI_AUDIT_KEY_FILE or LOKI_AUDIT_KEY, or restore ${own} from a backup`);
}

/** A key that is here and is not the one that wraps the others. */
function wrongKey(installation: Installation): Outcome | undefined {
  const trouble = keyTrouble(installation);
  return trouble === undefined ? undefined : fail(`on, and nothing can be recorded: ${trouble.message}`, trouble.hint);
}

function keyInFile(installation: Installation, path: string): Outcome {
  const { host: { disk } } = installation;
  const stat = disk.stat(disk.realpath(path) ?? path);
  if (stat === undefined) return fail(`on, and the key file ${path} does not exist`, 'Put the key there, or name another file with LOKI_AUDIT_KEY_FILE');
  return privateFile(path, stat.kind, stat.mode) ?? wrongKey(installation) ?? ok(`on; the key is in ${path}`);
}
