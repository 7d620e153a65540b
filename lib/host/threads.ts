/** Threads of this process. Each is a module of this program with memory of its own; messages are copied between them. */
import { availableParallelism } from 'node:os';
import { parentPort, Worker } from 'node:worker_threads';
import type { Thread, ThreadHears, Threads } from '../ports.ts';

export const threads: Threads = {
  get processors() { return availableParallelism(); },
  start(module: string, { onMessage, onEnd }: ThreadHears): Thread {
    // Nothing of the environment is needed there, and a thread's own output belongs to nobody.
    const worker = new Worker(new URL(module), { env: {}, stdin: false, stderr: true, stdout: true });
    let ended = false;
    const end = (error?: unknown): void => {
      if (ended) return;
      ended = true;
      onEnd(error);
    };
    worker.on('message', onMessage);
    worker.once('error', end);
    worker.once('exit', () => end());
    return { send: (message) => worker.postMessage(message), stop: () => { void worker.terminate(); } };
  },
};

/** On a thread: hands each message to `handle`, one after the other; `reply` sends one back. */
export function serveThread(handle: (message: unknown, reply: (message: unknown) => void) => Promise<void>): void {
  let turn = Promise.resolve();
  parentPort?.on('message', (message: unknown) => {
    turn = turn.then(() => handle(message, (answer) => parentPort?.postMessage(answer)));
  });
}
