/**
 * Files shared out over threads: each says in its first line after what it begins, so all can be read at once and are then
 * joined. The caller reads them too, from the first one on; the threads come towards it from the last one.
 */
import type { Disk, Thread, Threads, Timers } from '../../ports.ts';
import { isPlainObject, type JsonObject } from '../../base/json.ts';
import { openLogFile } from '../log-file.ts';
import { walkLines, type FilePool } from './walk-files.ts';
import { ChainWalk, type FileSummary } from './walk.ts';

/** Starting threads takes about as long as reading so much. */
const worthwhileBytes = 64_000_000;
/** More threads than this gain nothing that a disk could feed. */
const mostThreads = 8;

interface Job {
  readonly name: string;
  readonly size: number;
  done(summary: FileSummary | undefined): void;
}

/** A pool that runs `module`, a module which calls `serveFiles`, on as many threads as there are processors beside this one's. */
export function createFilePool(threads: Threads, module: string, worthwhile: number = worthwhileBytes): FilePool {
  return {
    share(directory, files, { signal, onBytes }) {
      const total = files.reduce((sum, { size }) => sum + size, 0);
      const count = total < worthwhile ? 0 : Math.min(threads.processors, mostThreads, files.length) - 1;
      if (count < 1) return () => undefined;
      const taken = new Map<string, Promise<FileSummary | undefined>>();
      const left = [...files];
      const next = (): Job | undefined => {
        const file = left.pop();
        return file === undefined ? undefined : { ...file, done: promised(taken, file.name) };
      };
      const running = Array.from({ length: count }, () => startOne(threads, module, directory, next, onBytes));
      signal?.addEventListener('abort', () => {
        left.length = 0;
        running.forEach((thread) => thread.stop());
      }, { once: true });
      return (name) => {
        if (left[0]?.name === name) left.shift();
        return taken.get(name);
      };
    },
  };
}

/** Puts a promise there under that name; answers with what keeps it. */
function promised(taken: Map<string, Promise<FileSummary | undefined>>, name: string): Job['done'] {
  let done: Job['done'] = () => undefined;
  taken.set(name, new Promise((resolve) => { done = resolve; }));
  return done;
}

/** A thread that takes one job after the other. What it does not finish is left to the caller. */
function startOne(threads: Threads, module: string, directory: string, nextJob: () => Job | undefined, onBytes: (bytes: number) => void): Thread {
  let job: Job | undefined;
  const next = (): void => {
    job = nextJob();
    if (job === undefined) thread.stop();
    else thread.send({ directory, name: job.name, size: job.size });
  };
  const thread = threads.start(module, {
    onMessage(message) {
      if (!isPlainObject(message)) return;
      if (typeof message['bytes'] === 'number') return onBytes(message['bytes']);
      job?.done(isSummary(message['summary']) ? message['summary'] : undefined);
      next();
    },
    // Stopped, or failed: then what it had is the caller's again.
    onEnd() { job?.done(undefined); },
  });
  next();
  return thread;
}

function isSummary(value: unknown): value is FileSummary & JsonObject {
  return isPlainObject(value) && ['size', 'entries', 'firstSeq', 'lastSeq'].every((name) => typeof value[name] === 'number')
    && ['name', 'previousHash', 'lastHash'].every((name) => typeof value[name] === 'string');
}

/** What a thread does with a message: walks the file it names, and answers with what it found. */
export function serveFiles(disk: Disk, timers: Timers): (message: unknown, reply: (answer: unknown) => void) => Promise<void> {
  return async (message, reply) => {
    if (!isPlainObject(message)) return;
    const { directory, name, size } = message;
    const isJob = typeof directory === 'string' && typeof name === 'string' && typeof size === 'number';
    const summary = isJob ? await summarize({ disk, timers }, directory, { name, size }, (bytes) => reply({ bytes })).catch(() => undefined) : undefined;
    reply({ summary: summary ?? null });
  };
}

/** A file by itself, from what its opening says was before it; undefined when anything in it has to be looked at. */
async function summarize({ disk, timers }: { readonly disk: Disk; readonly timers: Timers }, directory: string, { name, size: seen }: { readonly name: string; readonly size: number }, onBytes: (bytes: number) => void): Promise<FileSummary | undefined> {
  const file = openLogFile(disk, directory, name);
  if (file === undefined) return undefined;
  try {
    const content = file.stat().size;
    const isPlain = !name.endsWith('.gz');
    const size = isPlain ? Math.min(seen, content) : content;
    const walk = new ChainWalk();
    walk.takeUpNext();
    walk.beginFile(name);
    await walkLines(walk, file, size, { timers }, (bytes) => onBytes(isPlain ? bytes : bytes * seen / Math.max(seen, content)));
    const summary = walk.endFile(size);
    return walk.finish().length === 0 ? summary : undefined;
  } finally {
    file.close();
  }
}
