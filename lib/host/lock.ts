/**
 * One writer at a time, across processes. Two locks are taken, in this order.
 *
 * First a lock the kernel gives back when its holder dies, however it dies: on Linux a name in the abstract socket
 * namespace, on Windows a named pipe, on macOS an O_EXLOCK open. No time-out, no process id that may be used again, no
 * double owner. The name is derived from a secret in a 0700 directory, so that another user cannot squat on it.
 *
 * Then a hard link `<path>.lock`, because abstract names are seen only within one network namespace and containers may
 * share a volume. Who holds the kernel lock and finds the link of a process of the same namespace and boot knows that its
 * owner is dead, and takes it over at once. A link from elsewhere is waited for, and taken over when it has not been
 * renewed for ten seconds.
 */
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as os from 'node:os';
import { createHmac, randomBytes } from 'node:crypto';
import type { Lock } from '../ports.ts';
import { LokiError, systemCode } from '../errors.ts';
import { facts } from './facts.ts';

/** A link from another namespace or machine that was not renewed for so long belongs to nobody. */
const staleAfterMs = 10_000;
const renewEveryMs = 3_000;
/** O_EXLOCK of macOS; Node does not name it. */
const exclusiveLockFlag = 0x20;

/** Where this process is: what two processes must share for one to see the other's kernel lock. */
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
export function createLock(path: string, secret: () => Uint8Array): Lock {
  let held: { readonly kernel: Held; readonly link: Held } | undefined;
  return {
    async acquire(timeoutMs) {
      if (held !== undefined) throw new LokiError('internal', { attempted: `take the lock of "${path}"`, found: 'this holder has it already' });
      const until = performance.now() + timeoutMs;
      const kernel = await waitFor(() => takeKernelLock(path, secret()), until, path);
      try {
        held = { kernel, link: await waitFor(() => Promise.resolve(takeLink(`${path}.lock`)), until, path) };
      } catch (error) {
        kernel.release();
        throw error;
      }
    },
    contended: () => held?.kernel.contended() ?? false,
    release() {
      held?.link.release();
      held?.kernel.release();
      held = undefined;
    },
  };
}

/** Tries until it is held. Waiters are woken by the release; the pause is for the cases where no word comes. */
async function waitFor(take: () => Promise<Try>, until: number, path: string): Promise<Held> {
  for (;;) {
    const tried = await take();
    if ('release' in tried) return tried;
    if (performance.now() > until) throw timedOut(path);
    await Promise.race([tried.released, pause(2 + Math.random() * 6)]);
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

function takeKernelLock(path: string, secret: Uint8Array): Promise<Try> {
  if (process.platform === 'darwin') return Promise.resolve(takeFileLock(`${path}.excl`));
  const directory = directoryOf(path);
  const place = `${fs.realpathSync.native(directory)}\0${path.slice(directory.length)}`;
  const name = `loki-${createHmac('sha256', secret).update(place).digest('hex')}`;
  return takeSocketName(process.platform === 'win32' ? `\\\\.\\pipe\\${name}` : `\0${name}`);
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
      socket.on('error', () => waiters.delete(socket));
      waiters.add(socket);
    });
    server.unref();
    server.once('error', (error) => {
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

function takeLink(path: string): Try {
  if (process.platform === 'win32') return { contended: () => false, release: () => undefined };
  const own = ownIdentityFile(directoryOf(path));
  try {
    fs.linkSync(own, path);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
    return takeOver(path) ? takeLink(path) : { released: pause(2) };
  }
  const renewal = setInterval(() => renew(own), renewEveryMs);
  renewal.unref();
  return {
    contended: () => false,
    release() {
      clearInterval(renewal);
      fs.rmSync(path, { force: true });
    },
  };
}

/** chmod to the same mode moves the change time that others look at. A failure only makes the lock look older. */
function renew(path: string): void {
  try {
    fs.chmodSync(path, 0o600);
  } catch {
    return;
  }
}

/** Whether a link whose owner is gone was removed. The rename makes sure that what is removed is what was looked at. */
function takeOver(path: string): boolean {
  const holder = readHolder(path);
  const stat = fs.lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return true;
  if (!ownerIsGone(holder, stat.ctimeMs)) return false;
  const aside = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    fs.renameSync(path, aside);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return true;
    throw error;
  }
  const moved = readHolder(aside);
  if (moved?.token !== holder?.token) fs.linkSync(aside, path);
  fs.rmSync(aside, { force: true });
  if (holder !== undefined) fs.rmSync(identityPath(directoryOf(path), holder.token), { force: true });
  return moved?.token === holder?.token;
}

function ownerIsGone(holder: Holder | undefined, changedMs: number): boolean {
  const here = place();
  if (holder !== undefined && holder.host === here.host) {
    if (holder.boot !== here.boot) return true;
    if (holder.namespace === here.namespace) return true;
  }
  return Date.now() - changedMs > staleAfterMs;
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
  const here = place();
  for (const name of names) {
    const holder = readHolder(`${directory}/${name}`);
    const ours = holder !== undefined && holder.host === here.host && holder.boot === here.boot && holder.namespace === here.namespace;
    if (ours && facts.startOf(holder.pid) === undefined) fs.rmSync(`${directory}/${name}`, { force: true });
  }
}

const identities = new Map<string, string>();

/** A small file that says who we are, made once a directory and process; the lock is a second link to it. */
function ownIdentityFile(directory: string): string {
  const known = identities.get(directory);
  if (known !== undefined && fs.existsSync(known)) return known;
  sweepIdentities(directory);
  const token = randomBytes(16).toString('hex');
  const path = identityPath(directory, token);
  const holder: Holder = { token, pid: process.pid, ...place() };
  fs.writeFileSync(path, JSON.stringify(holder), { mode: 0o600, flag: 'wx' });
  if (identities.size === 0) process.once('exit', () => identities.forEach((file) => fs.rmSync(file, { force: true })));
  identities.set(directory, path);
  return path;
}

function identityPath(directory: string, token: string): string {
  return `${directory}/.holder-${token}`;
}

let knownPlace: Place | undefined;

function place(): Place {
  knownPlace ??= { host: facts.hostname, boot: readOr('/proc/sys/kernel/random/boot_id', String(Math.round(Date.now() / 1000 - os.uptime()))), namespace: linkOr('/proc/self/ns/net', 'one') };
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
