/** What this process and machine are called, as records carry it. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import { fileURLToPath } from 'node:url';
import type { ProcessFacts } from '../ports.ts';

export const facts: ProcessFacts = {
  pid: process.pid,
  hostname: os.hostname(),
  get username() { return userName(); },
  get userId() { return process.geteuid?.(); },
  platform: process.platform,
  get loki() { return lokiCommand(); },
  startOf,
  ancestors,
};

/** Beside this file's tree, built or unbuilt; Node's own options (such as a loader) are needed to start it again. */
function lokiCommand(): readonly string[] {
  const candidates = (import.meta.url.endsWith('.ts') ? ['ts'] : ['cjs', 'js']).map((extension) => fileURLToPath(new URL(`../../cli/loki.${extension}`, import.meta.url)));
  return [process.execPath, ...process.execArgv.filter((option) => !option.startsWith('--test')), candidates.find((path) => fs.existsSync(path)) ?? ''];
}

/** The account's name; a user id without an account has none, and is named by its number. */
function userName(): string {
  try {
    return os.userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? 'unknown'}`;
  }
}

/**
 * On Linux field 22 of /proc/<pid>/stat, ticks since boot: with the pid it names one process for good. Elsewhere only
 * whether the process lives.
 */
export function startOf(pid: number): string | undefined {
  if (process.platform !== 'linux') return lives(pid) ? 'alive' : undefined;
  try {
    const text = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    const afterName = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return afterName[0] === 'Z' ? undefined : afterName[19];
  } catch {
    return undefined;
  }
}

/** On Linux field 4 of /proc/<pid>/stat. */
export function parentOf(pid: number): number | undefined {
  try {
    const text = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}

function ancestors(most: number): readonly number[] {
  const found: number[] = [];
  for (let pid = process.platform === 'linux' ? parentOf(process.pid) : undefined; pid !== undefined && pid > 0 && found.length < most; pid = parentOf(pid)) found.push(pid);
  return found;
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
