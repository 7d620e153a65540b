/**
 * One writer at a time, across processes. Two locks are taken, in this order.
 *
 * First a lock the kernel gives back when its holder dies, however it dies: on Linux a name in the abstract socket
 * namespace, on Windows a named pipe, on macOS an O_EXLOCK open. No time-out, no process id that may be used again, no
 * double owner. The name is derived from a secret in a 0700 directory, so that another user cannot squat on it.
 *
 * Then a hard link `<path>.lock`, because abstract names are seen only within one network namespace and containers may
 * share a volume. Who holds the kernel lock and finds the link of a process that would have needed the same kernel lock
 * knows that its owner is dead, and takes it over at once. A link from elsewhere is waited for, and taken over when it was
 * not renewed while we looked on for six seconds, or for a minute by the file system's own clock. This machine's clock is
 * not asked: it jumps, and differs from the other's.
 */
import * as fs from 'node:fs';
import * as net from 'node:net';
import { createHmac, randomBytes } from 'node:crypto';
import type { Lock } from '../ports.ts';
import { LokiError, messageOf, systemCode } from '../errors.ts';
import { facts } from './facts.ts';
import { clock } from './time.ts';

/** How links are kept alive and given up. */
export interface LockTiming {
  /** A link from another namespace or machine that was not renewed while it was watched for so long belongs to nobody. */
  readonly staleAfterMs: number;
  readonly renewEveryMs: number;
  /** Nor does one this much older than now, as the file system dates changes: for those who do not wait long. */
  readonly oldAfterMs: number;
}

const usualTiming: LockTiming = { staleAfterMs: 6_000, renewEveryMs: 2_000, oldAfterMs: 60_000 };
/** Time between two looks counts no more than this: who was stopped or frozen meanwhile has not been looking. */
const longestLookMs = 100;
/** O_EXLOCK of macOS; Node does not name it. */
const exclusiveLockFlag = 0x20;

/** Where this process is. Two with the same boot and namespaces see each other's kernel locks, paths and process ids. */
interface Place {
  readonly host: string;
  readonly boot: string;
  readonly namespace: string;
}

interface Holder extends Place {
  readonly token: string;
  readonly pid: number;
}

/** A lock that is held. */
interface Held {
  readonly release: () => void;
  readonly contended: () => boolean;
}

/** A try at a lock: held, or a promise that settles when trying again is worth while. */
type Try = Held | { readonly released: Promise<void> };

/** The lock that belongs to `path`. Its directory must exist. `secret` comes from a directory only this user can read. */
export function createLock(path: string, secret: () => Uint8Array, timing: LockTiming = usualTiming): Lock {
  let held: { readonly kernel: Held; readonly link: Held } | undefined;
  let known: string | undefined;
  const name = (): string => known ??= socketName(path, secret());
  return {
    async acquire(timeoutMs) {
      if (held !== undefined) throw new LokiError('internal', { attempted: `take the lock of "${path}"`, found: 'this holder has it already' });
      const until = clock.monotonic() + timeoutMs;
      const kernel = await taking(path, () => waitFor(() => takeKernelLock(path, name), until, path));
      try {
        held = { kernel, link: await taking(path, () => waitFor(() => Promise.resolve(takeLink(`${path}.lock`, timing)), until, path)) };
      } catch (error) {
        kernel.release();
        throw error;
      }
    },
    contended: () => held?.kernel.contended() ?? false,
    release() {
      const given = held;
      held = undefined;
      given?.link.release();
      given?.kernel.release();
    },
  };
}

/** By what the system said. The last four are what file systems without hard links answer (FAT, some network and FUSE mounts). */
const hints: Readonly<Record<string, string>> = {
  ENOSPC: 'The disk is full; free some space', EDQUOT: 'The disk quota is used up; free some space',
  EPERM: 'LOKI_HOME must lie on a file system that has hard links', ENOTSUP: 'LOKI_HOME must lie on a file system that has hard links',
  EOPNOTSUPP: 'LOKI_HOME must lie on a file system that has hard links', ENOSYS: 'LOKI_HOME must lie on a file system that has hard links',
};

/** The system's own errors (ENOSPC, EACCES …) say neither which lock nor what to do. */
async function taking(path: string, take: () => Promise<Held>): Promise<Held> {
  try {
    return await take();
  } catch (cause) {
    if (cause instanceof LokiError) throw cause;
    const hint = hints[systemCode(cause) ?? ''] ?? 'LOKI_HOME must be writable and have free space';
    throw new LokiError('io.failed', { attempted: `take the lock of "${path}"`, found: messageOf(cause), cause, hint });
  }
}

/** Tries at once the first times; then those who were beaten come back later each time, so that a crowd does not spend itself on trying. */
const eagerTries = 3;
const longestPauseMs = 64;

/** Tries until it is held. Waiters are woken by the release; the pause is for the cases where no word comes. */
async function waitFor(take: () => Promise<Try>, until: number, path: string): Promise<Held> {
  for (let tries = 0; ; tries += 1) {
    const tried = await take();
    if ('release' in tried) return tried;
    if (clock.monotonic() > until) throw timedOut(path);
    const spread = tries < eagerTries ? 0 : Math.min(2 ** (tries - eagerTries), longestPauseMs);
    await Promise.race([tried.released.then(() => (spread === 0 ? undefined : pause(Math.random() * spread))), pause(2 + Math.random() * 6 + spread)]);
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => { setTimeout(resolve, milliseconds); });
}

function timedOut(path: string): LokiError {
  const holder = readHolder(`${path}.lock`);
  const who = holder === undefined ? 'an unknown process' : `process ${holder.pid} on ${holder.host}`;
  return new LokiError('lock.timeout', { attempted: `take the lock of "${path}"`, found: `${who} holds it` });
}

function takeKernelLock(path: string, name: () => string): Promise<Try> {
  return process.platform === 'darwin' ? Promise.resolve(takeFileLock(`${path}.excl`)) : takeSocketName(name());
}

/** One name for all ways to write the path, the same in every process that can read the secret. */
function socketName(path: string, secret: Uint8Array): string {
  const directory = directoryOf(path);
  const place = `${fs.realpathSync.native(directory)}\0${path.slice(directory.length)}`;
  const name = `loki-${createHmac('sha256', secret).update(place).digest('hex')}`;
  return process.platform === 'win32' ? `\\\\.\\pipe\\${name}` : `\0${name}`;
}

function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

/**
 * Binding the name is the lock: the kernel lets one process have it, and drops it when that process ends. Who finds it
 * taken connects to it: that tells the holder that somebody waits, and the end of the connection tells the waiter to try again.
 */
function takeSocketName(name: string): Promise<Try> {
  return new Promise((resolve, reject) => {
    const waiters = new Set<net.Socket>();
    const server = net.createServer((socket) => {
      socket.unref();
      socket.on('error', () => undefined);
      // A waiter that gave up is heard of only while reading; a lock may be held for hours.
      socket.on('close', () => waiters.delete(socket));
      socket.resume();
      waiters.add(socket);
    });
    server.unref();
    // It stays: a connection that cannot be accepted (too many open files) is an error event too, and must not end the process.
    server.on('error', (error) => {
      if (systemCode(error) === 'EADDRINUSE') resolve({ released: untilReleased(name) });
      else reject(error);
    });
    server.listen({ path: name, exclusive: true }, () => resolve({
      contended: () => waiters.size > 0,
      release() {
        server.close();
        for (const socket of waiters) socket.destroy();
      },
    }));
  });
}

function untilReleased(name: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = net.connect({ path: name });
    socket.unref();
    const giveUp = setTimeout(() => socket.destroy(), 20);
    socket.on('error', () => undefined);
    socket.once('close', () => { clearTimeout(giveUp); resolve(); });
    socket.resume();
  });
}

function takeFileLock(path: string): Try {
  try {
    const handle = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_NONBLOCK | exclusiveLockFlag, 0o600);
    // Nobody can tell the holder that they wait, so it must assume it.
    return { contended: () => true, release: () => fs.closeSync(handle) };
  } catch (error) {
    if (systemCode(error) === 'EAGAIN') return { released: pause(2) };
    throw error;
  }
}

function takeLink(path: string, timing: LockTiming): Try {
  if (process.platform === 'win32') return { contended: () => false, release: () => undefined };
  const own = ownIdentityFile(directoryOf(path));
  try {
    fs.linkSync(own, path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT' && identities.delete(directoryOf(path))) return takeLink(path, timing);
    if (systemCode(error) !== 'EEXIST') throw error;
    return takeOver(path, own, timing) ? takeLink(path, timing) : { released: pause(2) };
  }
  watched.delete(path);
  const inode = fs.lstatSync(path, { throwIfNoEntry: false })?.ino;
  const renewal = setInterval(() => quietly(() => fs.chmodSync(own, 0o600)), timing.renewEveryMs);
  renewal.unref();
  return {
    contended: () => false,
    release() {
      clearInterval(renewal);
      // Whoever was stopped for long may find somebody else's link. One that stays behind is taken over by the next holder.
      quietly(() => { if (fs.lstatSync(path, { throwIfNoEntry: false })?.ino === inode) removeIfThere(path); });
    },
  };
}

/** For what a holder does best effort: when it fails, the link only looks older than it is. */
function quietly(act: () => void): void {
  try {
    act();
  } catch {
    return;
  }
}

/** Whether a link whose owner is gone was removed. The rename makes sure that what is removed is what was looked at. */
function takeOver(path: string, own: string, timing: LockTiming): boolean {
  const holder = readHolder(path);
  const stat = fs.lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return true;
  const isGone = isOfThisPlace(holder) || watchedFor(path, `${holder?.token} ${stat.ino} ${stat.ctimeMs}`) > timing.staleAfterMs
    || fileSystemTime(own) - stat.ctimeMs > timing.oldAfterMs;
  if (!isGone) return false;
  const aside = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    fs.renameSync(path, aside);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return true;
    throw error;
  }
  const moved = readHolder(aside);
  const same = moved?.token === holder?.token;
  if (!same) linkBack(aside, path);
  removeIfThere(aside);
  if (same && holder !== undefined) removeIfThere(identityPath(directoryOf(path), holder.token));
  return same;
}

/** A living owner's link, moved by mistake. When another one stands there already, that one counts. */
function linkBack(aside: string, path: string): void {
  try {
    fs.linkSync(aside, path);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}

/** Whether the owner would have needed the kernel lock that we hold. Host names are no proof: machines share them. */
function isOfThisPlace(holder: Holder | undefined): boolean {
  const here = place();
  return holder !== undefined && holder.boot === here.boot && holder.namespace === here.namespace;
}

/** Links of others as last seen, and for how long they have been watched without being renewed. */
const watched = new Map<string, { readonly state: string; readonly lookedAt: number; readonly forMs: number }>();

function watchedFor(path: string, state: string): number {
  const now = clock.monotonic();
  const seen = watched.get(path);
  const forMs = seen?.state === state ? seen.forMs + Math.min(longestLookMs, now - seen.lookedAt) : 0;
  watched.set(path, { state, lookedAt: now, forMs });
  return forMs;
}

function fileSystemTime(own: string): number {
  fs.chmodSync(own, 0o600);
  return fs.lstatSync(own).ctimeMs;
}

function readHolder(path: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(fs.readFileSync(path, 'utf8'));
    return isHolder(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isHolder(value: unknown): value is Holder {
  if (typeof value !== 'object' || value === null) return false;
  const texts = ['token', 'host', 'boot', 'namespace'] as const;
  return 'pid' in value && typeof value.pid === 'number'
    && texts.every((name) => typeof Reflect.get(value, name) === 'string') && /^[0-9a-f]{32}$/.test(String(Reflect.get(value, 'token')));
}

/** Identity files of processes that were killed; more than this many are looked through and the dead ones' removed. */
const manyIdentities = 64;

function sweepIdentities(directory: string): void {
  const names = fs.readdirSync(directory).filter((name) => name.startsWith('.holder-'));
  if (names.length < manyIdentities) return;
  for (const name of names) {
    const holder = readHolder(`${directory}/${name}`);
    if (holder !== undefined && isOfThisPlace(holder) && facts.startOf(holder.pid) === undefined) removeIfThere(`${directory}/${name}`);
  }
}

/** `rmSync` does the same and loads a module of its own to do it. */
function removeIfThere(path: string): void {
  try {
    fs.unlinkSync(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

const identities = new Map<string, string>();

/** A small file that says who we are, made once a directory and process; the lock is a second link to it. */
function ownIdentityFile(directory: string): string {
  const known = identities.get(directory);
  if (known !== undefined) return known;
  sweepIdentities(directory);
  const token = randomBytes(16).toString('hex');
  const path = identityPath(directory, token);
  const holder: Holder = { token, pid: process.pid, ...place() };
  try {
    fs.writeFileSync(path, JSON.stringify(holder), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    // On a full disk the file is there and says nothing: nobody would ever remove it.
    removeIfThere(path);
    throw error;
  }
  if (identities.size === 0) process.once('exit', () => identities.forEach((file) => quietly(() => removeIfThere(file))));
  identities.set(directory, path);
  return path;
}

function identityPath(directory: string, token: string): string {
  return `${directory}/.holder-${token}`;
}

let knownPlace: Place | undefined;

/**
 * Containers of one pod share network, host name and boot, and still see other paths and process ids: only who shares all
 * three namespaces counts as being here. Elsewhere than on Linux there are none, and the kernel lock reaches the whole machine.
 */
function place(): Place {
  knownPlace ??= {
    host: facts.hostname,
    boot: readOr('/proc/sys/kernel/random/boot_id', facts.hostname),
    namespace: ['net', 'mnt', 'pid'].map((name) => linkOr(`/proc/self/ns/${name}`, name)).join(' '),
  };
  return knownPlace;
}

function readOr(path: string, otherwise: string): string {
  try {
    return fs.readFileSync(path, 'utf8').trim();
  } catch {
    return otherwise;
  }
}

function linkOr(path: string, otherwise: string): string {
  try {
    return fs.readlinkSync(path);
  } catch {
    return otherwise;
  }
}
