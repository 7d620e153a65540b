/** Which versions of agents do with a hook what we need, and why older ones do not. What was tried stands in docs/agents/. */
import type { AgentName } from '../hook.ts';

export interface ClientRow {
  /** npm packages that the program comes in. */
  readonly packages: readonly string[];
  /** Older ones cannot be relied on. */
  readonly least?: readonly [version: string, because: string];
  /** Older ones lack something that another wall stands in for. */
  readonly better?: readonly [version: string, because: string];
  /** From here on the hook interface is another one. */
  readonly before?: readonly [version: string, because: string];
  /** The version that all of this was tried with. */
  readonly tried?: string;
}

export const clientTable: Readonly<Record<AgentName, ClientRow>> = {
  claude: {
    packages: ['@anthropic-ai/claude-code'], tried: '2.1.332',
    least: ['2.1.214', 'before, exit code 2 beside unreadable words on standard output let the tool run'],
    better: ['2.1.295', 'before, a hook that cannot be started, or takes longer than its timeout, lets the tool run'],
  },
  codex: { packages: ['@openai/codex'], tried: '0.171.0', least: ['0.136.0', 'before, commands of the code mode ran without any hook'] },
  gemini: { packages: ['@google/gemini-cli'], tried: '0.61.0', least: ['0.54.4', 'what older ones do with a hook that fails is not known'] },
  opencode: {
    packages: ['opencode-ai'], tried: '1.18.33', least: ['1.0.0', 'before, plugins had another interface'], before: ['2.0.0', 'from then on plugins have another interface'],
  },
  cursor: { packages: [], tried: '3.9.16', least: ['1.7.0', 'before, there were no hooks'], better: ['3.9.16', 'what older ones do with a hook that fails is not known'] },
  copilot: { packages: ['@github/copilot'] },
};

/** Numbers of a version, by which versions are compared; undefined for what has none. */
function numbersOf(version: string): readonly number[] | undefined {
  const found = /(\d+)\.(\d+)\.(\d+)/.exec(version);
  return found === null ? undefined : found.slice(1, 4).map(Number);
}

/** Whether one version comes before another. What cannot be read comes before nothing. */
export function isOlder(version: string, than: string): boolean {
  const [left, right] = [numbersOf(version), numbersOf(than)];
  if (left === undefined || right === undefined) return false;
  const at = left.findIndex((number, index) => number !== right[index]);
  return at >= 0 && (left[at] ?? 0) < (right[at] ?? 0);
}
