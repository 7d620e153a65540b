/** Quality gates: commands that must succeed before a run may end well. They run in the project, outside the agent. */
import type { Spawn } from '../ports.ts';

/** One gate as configured: a shell command. */
export type GateSpec = { readonly name: string; readonly command: string; readonly timeout_ms: number };

export interface GateResult {
  readonly name: string;
  readonly passed: boolean;
  readonly exit: number | null;
  /** Why it has not passed, or `none`. */
  readonly cause: 'none' | 'timeout' | 'stopped' | 'signal' | 'exit';
  /** In words, for a person. */
  readonly outcome: string;
  /** The end of what it printed, redacted. */
  readonly output: string;
  readonly durationMs: number;
}

export interface GatePorts {
  readonly spawn: Spawn;
  readonly projectDir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly redact: (text: string) => string;
}

/** Kept of each stream while it runs, and shown of both in the end. */
const keptBytes = 4 * 1024 * 1024;
const shownLength = 4000;

/** Runs one gate. Rejects only when the shell itself is missing. An aborted gate has not passed. */
export async function runGate(gate: GateSpec, ports: GatePorts, signal: AbortSignal): Promise<GateResult> {
  const result = await ports.spawn.run({
    program: '/bin/sh', args: ['-c', gate.command], cwd: ports.projectDir, env: ports.env,
    timeoutMs: gate.timeout_ms, outputLimit: keptBytes, signal,
  });
  const printed = `${new TextDecoder().decode(result.stdout)}${new TextDecoder().decode(result.stderr)}`;
  const passed = result.exit === 0 && !result.timedOut && !result.aborted;
  const [cause, outcome] = passed ? ['none', 'passed'] as const
    : result.timedOut ? ['timeout', `did not end within ${gate.timeout_ms / 1000} s`] as const
    : result.aborted ? ['stopped', 'was stopped'] as const
    : result.exit === null ? ['signal', `was ended by ${result.signal ?? 'a signal'}`] as const
    : ['exit', `ended with exit code ${result.exit}`] as const;
  return { name: gate.name, passed, exit: result.exit, cause, outcome, output: lastPart(ports.redact(printed)), durationMs: Math.round(result.durationMs) };
}

function lastPart(text: string): string {
  const trimmed = text.trimEnd();
  return trimmed.length <= shownLength ? trimmed : `…${trimmed.slice(-shownLength)}`;
}
