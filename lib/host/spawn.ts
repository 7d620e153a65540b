/**
 * Child processes, each the leader of a process group of its own, so that stopping one stops everything it started. Output
 * is bounded: a child that prints without end is counted, not kept. Nothing of our environment is inherited.
 */
import type * as childProcess from 'node:child_process';
import * as fs from 'node:fs';
import type { Spawn, SpawnRequest, SpawnResult } from '../ports.ts';
import { LokiError, messageOf } from '../errors.ts';
import * as facts from './facts.ts';

/** Usual time between asking a group to end and ending it. */
const graceMs = 500;
const usualLine = 65_536;

export const spawn: Spawn = { run, leave, find, endMarked, endProcess: kill };

/** The same, for who seldom starts one: a function is loaded when it is called. */
export function childProcesses(): Spawn {
  return spawn;
}

function find(program: string, path: string | undefined): string | undefined {
  const candidates = program.includes('/') ? [program] : (path ?? '').split(':').filter(Boolean).map((directory) => `${directory}/${program}`);
  return candidates.find(isExecutable);
}

/** A process that is being ended may just have started another: looked for again until none is left. */
const mostPasses = 20;

function endMarked(name: string, value: string): number {
  if (process.platform !== 'linux') return 0;
  const ended = new Set<number>();
  for (let pass = 0; pass < mostPasses; pass += 1) {
    const marked = processIds().filter((pid) => pid !== process.pid && environmentOf(String(pid)).includes(`${name}=${value}`));
    // What a marked process started without the mark is its doing all the same.
    const found = [...marked, ...descendantsOf(marked)].filter((pid) => !ended.has(pid));
    if (found.length === 0) break;
    for (const pid of found) if (kill(pid)) ended.add(pid);
  }
  return ended.size;
}

function processIds(): readonly number[] {
  return fs.readdirSync('/proc').filter((entry) => /^\d+$/.test(entry)).map(Number);
}

/** What some processes have started, and those in turn, as far as their parents live; never this process. */
function descendantsOf(pids: readonly number[]): readonly number[] {
  if (process.platform !== 'linux' || pids.length === 0) return [];
  const children = new Map<number, number[]>();
  for (const pid of processIds()) {
    const parent = facts.parentOf(pid);
    if (parent !== undefined && pid !== process.pid) children.set(parent, [...children.get(parent) ?? [], pid]);
  }
  const found = new Set(pids);
  for (const pid of found) for (const child of children.get(pid) ?? []) found.add(child);
  return [...found].filter((pid) => !pids.includes(pid));
}

/** As the process was started; empty for those of others and those that are gone. */
function environmentOf(pid: string): readonly string[] {
  try {
    return fs.readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
  } catch {
    return [];
  }
}

function kill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

function isExecutable(path: string): boolean {
  try {
    fs.accessSync(path, fs.constants.X_OK);
    return fs.statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * Without await: who leaves a process behind is about to end. So the module comes the quick way, and a program that cannot
 * be started is nobody's concern any more.
 */
function leave({ program, args, cwd, env, output }: Parameters<Spawn['leave']>[0]): number | undefined {
  const { spawn: start }: typeof childProcess = process.getBuiltinModule('node:child_process');
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW = 0 } = fs.constants;
  const into = output === undefined ? 'ignore' : fs.openSync(output, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
  try {
    const child = start(program, [...args], { cwd, env: { ...env }, stdio: ['ignore', into, into], detached: true, windowsHide: true });
    child.on('error', () => undefined);
    child.unref();
    return child.pid;
  } finally {
    if (typeof into === 'number') fs.closeSync(into);
  }
}

/** node:child_process is loaded by the first child: `loki hook` starts none. */
async function run(request: SpawnRequest): Promise<SpawnResult> {
  const { spawn: start } = await import('node:child_process');
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const child = start(request.program, [...request.args], {
      cwd: request.cwd, env: { ...request.env }, stdio: ['pipe', 'pipe', 'pipe'], detached: process.platform !== 'win32', windowsHide: true,
    });
    const stdout = collect(request.outputLimit, request.onLine, request.lineLimit);
    const stderr = collect(request.outputLimit);
    const ending = { timedOut: false, aborted: false };
    const tree = treeOf(child);
    const timer = setTimeout(() => { ending.timedOut = true; endGroup(child, tree, request.graceMs); }, request.timeoutMs);
    const abort = (): void => { ending.aborted = true; endGroup(child, tree, request.graceMs); };
    if (request.signal?.aborted === true) abort();
    else request.signal?.addEventListener('abort', abort, { once: true });

    child.stdout.on('data', stdout.take);
    child.stderr.on('data', stderr.take);
    // A child may end without reading its input; that is its right, and no error of ours.
    child.stdin.on('error', () => undefined);
    child.stdin.end(request.input);
    child.once('error', (cause) => {
      settle();
      reject(new LokiError('provider.missing', { attempted: `start "${request.program}"`, found: messageOf(cause), cause }));
    });
    child.once('exit', () => {
      // A grandchild may hold the pipes open after the child is gone; it gets the same grace, then the group is ended.
      setTimeout(() => { killGroup(child, 'SIGKILL'); child.stdout.destroy(); child.stderr.destroy(); }, graceMs).unref();
    });
    child.once('close', (exit, signal) => {
      settle();
      tree.end();
      stdout.finish();
      resolve({ exit, signal, ...ending, stdout: stdout.bytes(), stderr: stderr.bytes(), stdoutBytes: stdout.total(), stderrBytes: stderr.total(), durationMs: performance.now() - began });
    });

    function settle(): void {
      clearTimeout(timer);
      request.signal?.removeEventListener('abort', abort);
    }
  });
}

function endGroup(child: childProcess.ChildProcess, tree: Tree, grace: number = graceMs): void {
  tree.look();
  killGroup(child, 'SIGTERM');
  setTimeout(() => {
    tree.look();
    killGroup(child, 'SIGKILL');
    tree.end();
  }, grace).unref();
}

/** What a child has started, wherever it put itself: known while the child lives, ended when it is. */
interface Tree {
  look(): void;
  end(): void;
}

function treeOf(child: childProcess.ChildProcess): Tree {
  const known = new Map<number, string | undefined>();
  return {
    look() {
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
      for (const pid of descendantsOf([child.pid])) known.set(pid, facts.startOf(pid));
    },
    end() {
      for (const [pid, start] of known) if (start !== undefined && facts.startOf(pid) === start) kill(pid);
    },
  };
}

/** The group may be gone already, and on Windows there is none. */
function killGroup(child: childProcess.ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === 'win32') child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch {
    return;
  }
}

interface Collector {
  readonly take: (chunk: Buffer) => void;
  readonly finish: () => void;
  readonly bytes: () => Uint8Array;
  readonly total: () => number;
}

function collect(limit: number, onLine?: (line: string) => void, longestLine: number = usualLine): Collector {
  const chunks: Buffer[] = [];
  let kept = 0;
  let total = 0;
  let line: Buffer[] = [];
  let lineLength = 0;
  const endLine = (): void => {
    if (onLine !== undefined && lineLength > 0) onLine(Buffer.concat(line).toString('utf8').replace(/\r$/, ''));
    line = [];
    lineLength = 0;
  };
  const addToLine = (part: Buffer): void => {
    const room = longestLine - lineLength;
    if (room > 0 && part.length > 0) line.push(part.subarray(0, room));
    lineLength += Math.min(part.length, Math.max(room, 0));
  };
  return {
    take(chunk) {
      total += chunk.length;
      if (kept < limit) {
        chunks.push(chunk.subarray(0, limit - kept));
        kept += Math.min(chunk.length, limit - kept);
      }
      if (onLine === undefined) return;
      let from = 0;
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
        addToLine(chunk.subarray(from, at));
        endLine();
        from = at + 1;
      }
      addToLine(chunk.subarray(from));
    },
    finish: endLine,
    bytes: () => Buffer.concat(chunks),
    total: () => total,
  };
}
