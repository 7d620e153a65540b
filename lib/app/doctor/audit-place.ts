/** Checks of where the log of record lies: that it is switched on, that it can be written, and that nobody else can. */
import { LokiError, messageOf } from '../../errors.ts';
import { dirname, join } from '../../base/paths.ts';
import { logFiles } from '../../audit/files.ts';
import { reserveBytes } from '../../audit/reserve.ts';
import type { FileStat } from '../../ports.ts';
import type { Installation } from '../installation.ts';
import { bytes, count, fail, names, ok, quoted, warn, type Check, type Outcome } from './check.ts';
import type { Scene } from './scene.ts';

/** Below the first nothing may be recorded before long; below the second somebody should make room. */
const leastFree = 64 * 1024 * 1024;
const littleFree = 1024 * 1024 * 1024;

export const placeChecks: readonly Check[] = [
  { name: 'settings', about: 'the configuration in effect', look: settings },
  { name: 'enabled', about: 'whether anything is recorded', look: enabled },
  { name: 'folder', about: 'the folder of the log: there, ours, private, writable', look: folder },
  { name: 'newest file', about: 'the file that is written to', look: newestFile },
  { name: 'test write', about: 'writing a file beside the log', look: testWrite },
  { name: 'space', about: 'room on the disk, and what the log takes of it', look: space },
  { name: 'file system', about: 'where LOKI_HOME lies', look: fileSystem },
  { name: 'preload', about: 'code that NODE_OPTIONS loads into every loki', look: preload },
];

function settings({ problem }: Scene): Outcome {
  return problem === undefined ? ok('every setting can be used') : fail(problem.message, problem.hint);
}

/** How to undo a setting: its variable unset, its line removed. */
export function undo({ config }: Installation, key: string): string {
  const { layer, name, line } = config.origin(key);
  if (layer === 'environment') return `unset ${name}`;
  return layer === 'flag' ? `Leave out ${name}` : `Remove ${key} from ${name}${line === undefined ? '' : `, line ${line}`}`;
}

function originWords({ config }: Installation, key: string): string {
  const { layer, name, line } = config.origin(key);
  return layer === 'environment' ? `by the variable ${name}` : `by ${name}${line === undefined ? '' : `:${line}`}`;
}

function enabled({ installation }: Scene): Outcome {
  const { audit } = installation.config;
  if (!audit.enabled) {
    return fail(`audit logging is switched off ${originWords(installation, 'enterprise.audit.enabled')}: nothing is recorded`, undo(installation, 'enterprise.audit.enabled'));
  }
  if (!audit.integrityCheck) {
    return warn(`entries carry no chain hash, switched off ${originWords(installation, 'enterprise.audit.integrity_check')}: edits cannot be seen`, undo(installation, 'enterprise.audit.integrity_check'));
  }
  return ok(audit.onFailure === 'block' ? 'on; an action that cannot be recorded is refused' : 'on; an action that cannot be recorded goes ahead with a warning (on_failure: warn)');
}

/** LOKI_HOME and each folder down to the log's; none of them may be a link, somebody else's, or closed to us. */
function folder({ installation }: Scene): Outcome {
  const { host: { disk }, home, config } = installation;
  const allowed = config.audit.groupReadable ? 0o750 : 0o700;
  for (const path of [home.home, dirname(home.audit), home.audit]) {
    const stat = disk.stat(path);
    if (stat === undefined) return ok(`${path} does not exist yet: the first entry makes it`);
    const found = badFolder(path, stat, allowed, installation);
    if (found !== undefined) return found;
  }
  const files = logFiles(disk.list(home.audit));
  return ok(`${home.audit}: ${count(files.length, 'log file')}, private to its owner${config.audit.groupReadable ? ' and group' : ''}`);
}

function badFolder(path: string, stat: FileStat, allowed: number, { host: { facts }, home }: Installation): Outcome | undefined {
  const mode = allowed.toString(8);
  if (stat.kind === 'symlink') return fail(`${path} is a symbolic link: records are never written through one`, `Find out who made it, then: rm ${quoted(path)}`);
  if (stat.kind !== 'directory') return fail(`${path} is no directory`, `Move it away: mv ${quoted(path)} ${quoted(`${path}.aside`)}`);
  const us = facts.userId;
  if (us !== undefined && stat.owner !== us && path !== home.home) return fail(`${path} belongs to user ${stat.owner}, and this is user ${us}`, `sudo chown -R ${us} ${quoted(path)}`);
  if ((stat.mode & 0o300) !== 0o300) {
    const found = `${path} has mode ${octal(stat.mode)}: its owner cannot write in it`;
    return us === 0 ? warn(`${found}, only root can`, `chmod ${mode} ${quoted(path)}`) : fail(found, `chmod ${mode} ${quoted(path)}`);
  }
  // What lies above the log is made private by its own makers; the log's folder holds the evidence.
  if ((stat.mode & 0o777 & ~allowed) !== 0 && path === home.audit) return warn(`${path} has mode ${octal(stat.mode)}: others than its owner can look into it`, `chmod ${mode} ${quoted(path)}`);
  return undefined;
}

function octal(mode: number): string {
  return `0${(mode & 0o777).toString(8).padStart(3, '0')}`;
}

function newestFile({ installation: { host: { disk, facts }, home, config } }: Scene): Outcome {
  const newest = logFiles(disk.list(home.audit)).at(-1);
  if (newest === undefined) return ok('there is none yet');
  const path = join(home.audit, newest.name);
  const stat = disk.stat(path);
  if (stat === undefined) return ok('it was just moved');
  if (stat.kind !== 'file' || stat.links > 1) return fail(`${path} is ${stat.kind === 'file' ? `one file under ${stat.links} names` : `a ${stat.kind}`}: records are not written to it`, `Find out who made it, then move it away: mv ${quoted(path)} ${quoted(join(dirname(home.audit), newest.name))}`);
  if (facts.userId !== undefined && stat.owner !== facts.userId) return fail(`${path} belongs to user ${stat.owner}, and this is user ${facts.userId}`, `sudo chown ${facts.userId} ${quoted(path)}`);
  const allowed = config.audit.groupReadable ? 0o640 : 0o600;
  if ((stat.mode & 0o777 & ~allowed) !== 0) return warn(`${path} has mode ${octal(stat.mode)}: others than its owner can read it`, `chmod ${allowed.toString(8)} ${quoted(path)}`);
  return ok(`${newest.name}, ${bytes(stat.size)}, mode ${octal(stat.mode)}`);
}

/** Beside the log, not in its folder, which shippers watch. What is written is removed at once. */
function testWrite({ installation: { host: { disk, facts }, home } }: Scene): Outcome {
  const beside = dirname(home.audit);
  if (disk.stat(beside)?.kind !== 'directory') return ok('not tried: nothing is there yet');
  const scratch = join(beside, `.doctor-${facts.pid}`);
  try {
    disk.create(home.home, scratch, Buffer.from('{"test":"entry"}\n'), 0o600);
    disk.remove(scratch);
    return ok(`a file in ${beside} was written, made durable and removed`);
  } catch (error) {
    return fail(messageOf(error), error instanceof LokiError ? error.hint : 'Make LOKI_HOME writable');
  }
}

function space({ installation: { host: { disk }, home, config } }: Scene): Outcome {
  const free = disk.freeBytes(nearest(disk.stat, home.home));
  const sizes = disk.list(home.audit).map((name) => ({ name, size: disk.stat(join(home.audit, name))?.size ?? 0 }));
  const taken = sizes.reduce((sum, { size }) => sum + size, 0);
  const large = sizes.filter(({ size }) => size > config.audit.maxFileSizeMb * 1_100_000).map(({ name, size }) => `${name} (${bytes(size)})`);
  const words = `the log takes ${bytes(taken)}${large.length === 0 ? '' : `, files beyond max_file_size: ${names(large)}`}`;
  const reserve = disk.stat(home.reserve);
  if (reserve !== undefined && reserve.size < reserveBytes) return fail(`the disk was full and the room kept back was given up: entries are refused until there is room again; ${free === undefined ? '' : `${bytes(free)} free; `}${words}`, `Make room; see what takes it with: du -sh ${quoted(home.home)}/*`);
  if (free === undefined) return ok(`${words}; the system does not say how much is free`);
  const found = `${bytes(free)} free; ${words}`;
  if (free < leastFree) return fail(`${found}. Actions are refused when the disk is full`, `Make room; see what takes it with: du -sh ${quoted(home.home)}/*`);
  return free < littleFree ? warn(found, 'Make room, or lower enterprise.audit.retention_days and run: loki audit keep') : ok(found);
}

function fileSystem({ installation: { host: { disk }, home } }: Scene): Outcome {
  const network = disk.volume(nearest(disk.stat, home.home))?.network;
  if (network === undefined) return ok(`${home.home} lies on this machine`);
  return warn(`${home.home} lies on a network file system (${network}), where locks and syncs of several machines have not been tried`, 'Use a LOKI_HOME on a local disk for each machine');
}

/** The path itself or what stands above it. */
function nearest(stat: (path: string) => FileStat | undefined, path: string): string {
  let at = path;
  while (stat(at) === undefined && dirname(at) !== at) at = dirname(at);
  return at;
}

function preload({ installation: { surroundings } }: Scene): Outcome {
  const options = surroundings.env['NODE_OPTIONS'] ?? '';
  if (!/(?:^|\s)(?:-r|--require|--import|--loader|--experimental-loader)(?:[\s=]|$)/.test(options)) return ok('NODE_OPTIONS loads nothing');
  return warn('NODE_OPTIONS loads further code into every loki of this environment: it could change what is recorded', 'unset NODE_OPTIONS');
}
