/** Starts a TypeScript file of this tree as a process of its own, whether the tests run built or unbuilt. */
import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(import.meta.url);
const built = here.endsWith('.js');
/** The folder that holds lib/, cli/ and test/: dist/ when built. */
export const treeRoot: string = dirname(dirname(dirname(here)));

/** Node's arguments that run a file, named without its extension: `cli/loki`, `test/support/append-worker`. */
export function nodeArguments(name: string, args: readonly string[] = []): readonly string[] {
  return built ? [join(treeRoot, `${name}.js`), ...args] : ['--import', 'tsx', join(treeRoot, `${name}.ts`), ...args];
}

/** Starts it. The caller ends it. */
export function startChild(name: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
  return spawn(process.execPath, [...nodeArguments(name, args)], { stdio: ['pipe', 'pipe', 'pipe'], ...options });
}

/** Everything a child printed and how it ended. */
export interface ChildEnd {
  readonly exit: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs it to its end. */
export function runChild(name: string, args: readonly string[], options: SpawnOptions & { readonly input?: string } = {}): Promise<ChildEnd> {
  const child = startChild(name, args, options);
  return endOf(child, options.input);
}

export function endOf(child: ChildProcess, input?: string): Promise<ChildEnd> {
  const parts = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => { parts.stdout += text; });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => { parts.stderr += text; });
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input ?? '');
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exit, signal) => resolve({ exit, signal, ...parts }));
  });
}
