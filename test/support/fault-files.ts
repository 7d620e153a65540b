/**
 * System calls on files in memory, with the truth about power cuts: what was not synced may be gone, there in part, or there
 * as zeros, and a directory entry that was not synced may be gone. Any call can be made the last one, or can fail.
 */
import type { Files, FileStat, OpenHow } from '../../lib/ports.ts';
import { createDisk } from '../../lib/host/durable.ts';
import type { Disk } from '../../lib/ports.ts';
import { basename, dirname, normalize } from '../../lib/base/paths.ts';

interface Node {
  readonly inode: number;
  readonly kind: 'file' | 'directory' | 'symlink';
  data: Uint8Array;
  synced: Uint8Array;
  entries: Map<string, Node>;
  syncedEntries: Map<string, Node>;
  mode: number;
  /** Counts what happened to a directory's entries. */
  changes: number;
}

/** What a power cut leaves of what was not synced. */
export type Leftover = 'nothing' | 'everything' | 'half' | 'zeros' | 'zeros first';
export const leftovers: readonly Leftover[] = ['nothing', 'everything', 'half', 'zeros', 'zeros first'];

/** Thrown by the call at which the power goes; every later call throws it too. */
export class PowerCut extends Error {}

export interface FaultFiles extends Files {
  /** Calls made so far that change something. */
  steps(): number;
  /** The power goes at change number `step` (from 1), before it has happened. */
  cutAt(step: number): void;
  /** Change number `step` fails with this error code, once; a write may first take `partial` bytes. */
  failAt(step: number, code: string, partial?: number): void;
  /** The disk as it is found after the power came back. */
  restart(leftover: Leftover): FaultFiles;
  /** What the steps did, for messages. */
  log(): readonly string[];
}

let inodes = 1;
let names = 0;

function makeNode(kind: Node['kind'], mode: number, data: Uint8Array = new Uint8Array()): Node {
  inodes += 1;
  return { inode: inodes, kind, data, synced: data, entries: new Map(), syncedEntries: new Map(), mode, changes: 0 };
}

function failure(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}

/** An empty disk with a root directory. */
export function createFaultFiles(root: Node = makeNode('directory', 0o700)): FaultFiles {
  const handles = new Map<number, { node: Node }>();
  let nextHandle = 3;
  let step = 0;
  let cut = 0;
  let fail: { step: number; code: string; partial: number } | undefined;
  let dead = false;
  const log: string[] = [];

  function change(what: string): { partial: number; code: string } | undefined {
    if (dead) throw new PowerCut(what);
    step += 1;
    log.push(`${step} ${what}`);
    if (step === cut) {
      dead = true;
      throw new PowerCut(what);
    }
    if (fail !== undefined && step === fail.step) {
      const planned = fail;
      fail = undefined;
      if (!what.startsWith('write')) throw failure(planned.code, what);
      return planned;
    }
    return undefined;
  }

  function look(): void {
    if (dead) throw new PowerCut('look');
  }

  function find(path: string): Node | undefined {
    let at: Node | undefined = root;
    for (const part of normalize(path).split('/').filter(Boolean)) {
      if (at?.kind !== 'directory') return undefined;
      at = at.entries.get(part);
    }
    return at;
  }

  /** The directory whose entries are about to change. */
  function parentOf(path: string): Node {
    const parent = find(dirname(path));
    if (parent?.kind !== 'directory') throw failure('ENOENT', path);
    parent.changes += 1;
    return parent;
  }

  function nodeOf(handle: number): Node {
    const open = handles.get(handle);
    if (open === undefined) throw failure('EBADF', String(handle));
    return open.node;
  }

  function linksTo(node: Node, within: Node = root): number {
    let count = 0;
    for (const entry of within.entries.values()) {
      if (entry === node) count += 1;
      if (entry.kind === 'directory') count += linksTo(node, entry);
    }
    return count;
  }

  function statOf(node: Node): FileStat {
    return { kind: node.kind, size: node.data.length, inode: node.inode, device: 1, links: node.kind === 'file' ? linksTo(node) : 2, owner: 0, mode: node.mode, modifiedMs: node.changes, changedMs: 0 };
  }

  return {
    open(path: string, how: OpenHow, mode = 0o600) {
      look();
      let node = find(path);
      if (how === 'create-new' && node !== undefined) throw failure('EEXIST', path);
      if (node === undefined) {
        if (how !== 'create-new' && how !== 'create-append') throw failure('ENOENT', path);
        change(`create ${path}`);
        node = makeNode('file', mode);
        parentOf(path).entries.set(basename(path), node);
      }
      nextHandle += 1;
      handles.set(nextHandle, { node });
      return nextHandle;
    },
    close(handle) { handles.delete(handle); },
    read(handle, into, position) {
      look();
      const part = nodeOf(handle).data.subarray(position, position + into.length);
      into.set(part);
      return part.length;
    },
    write(handle, bytes) {
      const planned = change(`write ${bytes.length}`);
      const node = nodeOf(handle);
      const taken = planned === undefined ? bytes : bytes.subarray(0, planned.partial);
      node.data = joined(node.data, taken);
      if (planned !== undefined && taken.length === 0) throw failure(planned.code, 'write');
      return taken.length;
    },
    truncate(handle, size) {
      change(`truncate ${size}`);
      const node = nodeOf(handle);
      node.data = node.data.slice(0, size);
    },
    sync(handle) {
      change('sync');
      const node = nodeOf(handle);
      node.synced = node.data;
    },
    statHandle: (handle) => statOf(nodeOf(handle)),
    stat(path) {
      look();
      const node = find(path);
      return node === undefined ? undefined : statOf(node);
    },
    readlink: () => undefined,
    list(path) {
      look();
      const node = find(path);
      if (node === undefined) throw failure('ENOENT', path);
      return [...node.entries.keys()];
    },
    realpath(path) {
      look();
      if (find(path) === undefined) throw failure('ENOENT', path);
      return normalize(path);
    },
    makeDirectory(path, mode) {
      if (find(path) !== undefined) throw failure('EEXIST', path);
      change(`mkdir ${path}`);
      parentOf(path).entries.set(basename(path), makeNode('directory', mode));
    },
    rename(from, to) {
      const node = find(from);
      if (node === undefined) throw failure('ENOENT', from);
      change(`rename ${from} ${to}`);
      parentOf(from).entries.delete(basename(from));
      parentOf(to).entries.set(basename(to), node);
    },
    link(existing, created) {
      const node = find(existing);
      if (node === undefined) throw failure('ENOENT', existing);
      if (find(created) !== undefined) throw failure('EEXIST', created);
      change(`link ${created}`);
      parentOf(created).entries.set(basename(created), node);
    },
    unlink(path) {
      if (find(path) === undefined) throw failure('ENOENT', path);
      change(`unlink ${path}`);
      parentOf(path).entries.delete(basename(path));
    },
    chmod(path, mode) {
      change(`chmod ${path}`);
      const node = find(path);
      if (node !== undefined) node.mode = mode;
    },
    syncDirectory(path) {
      change(`sync directory ${path}`);
      const node = find(path);
      if (node !== undefined) node.syncedEntries = new Map(node.entries);
    },
    volume(path) {
      if (find(path) === undefined) throw failure('ENOENT', path);
      return { freeBytes: 2 ** 40, network: undefined };
    },
    steps: () => step,
    cutAt(at) { cut = at; },
    failAt(at, code, partial = 0) { fail = { step: at, code, partial }; },
    restart: (leftover) => createFaultFiles(survivor(root, leftover, new Map())),
    log: () => log,
  };
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}

/** The same tree as the medium holds it. */
function survivor(node: Node, leftover: Leftover, done: Map<Node, Node>): Node {
  const known = done.get(node);
  if (known !== undefined) return known;
  const copy = makeNode(node.kind, node.mode, leftData(node, leftover));
  done.set(node, copy);
  const entries = leftover === 'nothing' ? node.syncedEntries : node.entries;
  for (const [name, entry] of entries) copy.entries.set(name, survivor(entry, leftover, done));
  copy.syncedEntries = new Map(copy.entries);
  return copy;
}

function leftData(node: Node, leftover: Leftover): Uint8Array {
  const { data, synced } = node;
  if (leftover === 'nothing') return synced;
  if (leftover === 'everything' || data.length <= synced.length) return data;
  const fresh = data.subarray(synced.length);
  if (leftover === 'half') return joined(synced, fresh.subarray(0, Math.ceil(fresh.length / 2)));
  // Whole sectors that never reached the medium read as zeros; the end of the file may have reached it all the same.
  const zeroed = fresh.slice();
  zeroed.fill(0, 0, leftover === 'zeros first' ? Math.ceil(fresh.length / 2) : Math.max(1, fresh.length - 20));
  return joined(synced, zeroed);
}

/** The disk verbs over fault files. */
export function faultDisk(files: Files): Disk {
  return createDisk(files, { owner: undefined, uniqueName: () => { names += 1; return `t${names}`; } });
}
