/** A program in a real pseudo-terminal, which `script` of util-linux makes. Elsewhere there is none, and tests say so. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import type { TestContext } from 'node:test';

/** Whether there is such a `script`; said aloud where there is not. */
export function hasPty(t: TestContext): boolean {
  if (spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') === true) return true;
  t.diagnostic('script of util-linux is not here: what only a real terminal shows was not tested');
  return false;
}

export interface PtyEnd {
  readonly exit: number | null;
  /** Everything that stood on the screen, line ends as the terminal makes them. */
  readonly screen: string;
}

/** Something typed once the screen shows a text, after a while. */
export interface Typed {
  readonly after: string;
  readonly waitMs?: number;
  readonly keys: string;
}

/** Runs a command line of node in a terminal and types into it. Whatever hangs is ended. */
export function runInPty(args: readonly string[], typing: readonly Typed[], env: Readonly<Record<string, string | undefined>> = process.env): Promise<PtyEnd> {
  const words = [process.execPath, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const child = spawn('script', ['-qec', words, '/dev/null'], { env: { ...env, SHELL: '/bin/sh', TERM: 'dumb' }, timeout: 20_000, killSignal: 'SIGKILL' });
  const left = [...typing];
  let screen = '';
  let seen = 0;
  const type = (): void => {
    const [next] = left;
    const at = next === undefined ? -1 : screen.indexOf(next.after, seen);
    if (next === undefined || at < 0) return;
    left.shift();
    seen = at + next.after.length;
    setTimeout(() => {
      child.stdin.write(next.keys);
      type();
    }, next.waitMs ?? 50);
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text;
    type();
  });
  child.stdin.on('error', () => undefined);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exit) => {
      assert.deepEqual(left, [], `not all was typed; the screen:\n${screen}`);
      resolve({ exit, screen });
    });
  });
}
