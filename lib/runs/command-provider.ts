/**
 * Providers that are programs: the prompt on standard input, the answer on standard output, one process group a call. The
 * phase, the round and the role come in the environment, so that a plain shell script can be an agent. `scripted` is such
 * a program too: our own player of a script.
 */
import type { Spawn, SpawnResult } from '../ports.ts';
import type { JsonObject } from '../base/json.ts';
import { traceVariables } from '../base/trace-context.ts';
import { LokiError } from '../errors.ts';
import type { CallEnd, CallFailure, Provider, ProviderCall } from './provider.ts';

export interface CommandOptions {
  readonly name: string;
  /** Program and arguments. */
  readonly argv: readonly string[];
  readonly cwd: string;
  /** The whole environment of the child (see `agentEnvironment`). */
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** What is left of the session when a call has ended is ended too; left out: only the call's own process group. */
  readonly sessionId?: string;
  readonly spawn: Spawn;
  readonly model?: string;
  readonly region?: string;
  readonly notice?: string;
  readonly kept?: JsonObject;
}

/** An answer longer than this is none: the call is ended. */
export const answerBytes: number = 8 * 1024 * 1024;

/** How much of standard error is worth telling. */
const tailLength = 2000;

/** Any program as a provider. */
export function commandProvider(options: CommandOptions): Provider {
  const { spawn, name, argv, env } = options;
  const [program = ''] = argv;
  return {
    name,
    ...(options.model === undefined ? {} : { model: options.model }),
    ...(options.region === undefined ? {} : { region: options.region }),
    ...(options.notice === undefined ? {} : { notice: options.notice }),
    ...(options.kept === undefined ? {} : { kept: options.kept }),
    assertReady() {
      if (program !== '' && spawn.find(program, env['PATH']) !== undefined) return;
      throw new LokiError('provider.missing', { attempted: `use provider "${name}"`, found: program === '' ? 'it names no program' : `the program "${program}" is not on PATH or cannot be executed` });
    },
    async invoke(call) {
      try {
        return await callProgram(options, call);
      } finally {
        // A program may start others in sessions of their own: they are known by the run's session in their environment.
        if (options.sessionId !== undefined) spawn.endMarked('LOKI_SESSION_ID', options.sessionId);
      }
    },
  };
}

async function callProgram({ spawn, argv, env, cwd, timeoutMs }: CommandOptions, call: ProviderCall): Promise<CallEnd> {
  const [program = '', ...args] = argv;
  const flood = new AbortController();
  let seen = 0;
  const result = await spawn.run({
    program: spawn.find(program, env['PATH']) ?? program, args, cwd, env: { ...env, ...callEnvironment(call) },
    input: new TextEncoder().encode(call.prompt), timeoutMs, outputLimit: answerBytes,
    signal: AbortSignal.any([call.signal, flood.signal]),
    onLine(line) {
      seen += line.length + 1;
      if (seen > answerBytes) flood.abort();
      else call.onLine(line);
    },
  });
  return endOf(result, flood.signal.aborted, timeoutMs);
}

/** The player, started as `PLAYER SCRIPT`. */
export interface ScriptedOptions extends Omit<CommandOptions, 'name' | 'argv' | 'notice' | 'kept'> {
  readonly player: readonly string[];
  readonly script: string;
}

/** A script in an agent's place. It says so. */
export function scriptedProvider(options: ScriptedOptions): Provider {
  const { player, script, ...rest } = options;
  return commandProvider({
    ...rest, name: 'scripted', argv: [...player, script], kept: { script },
    notice: `No coding agent is at work: the script "${script}" is played; its actions are real and go through the gate`,
  });
}

/** What tells the agent, and the hooks that it starts, which call this is, and of which trace. */
export function callEnvironment(call: ProviderCall): Readonly<Record<string, string>> {
  return {
    LOKI_PHASE: call.phase,
    LOKI_ITERATION: String(call.iteration),
    LOKI_ROLE: call.role,
    ...(call.review === undefined ? {} : { LOKI_REVIEW_ID: call.review }),
    ...traceVariables(call.span),
  };
}

function endOf(result: SpawnResult, flooded: boolean, timeoutMs: number): CallEnd {
  return {
    failure: failureOf(result, flooded, timeoutMs),
    exit: result.exit,
    stdoutBytes: result.stdoutBytes,
    stderrBytes: result.stderrBytes,
    stderrTail: stderrTail(result),
    durationMs: result.durationMs,
  };
}

/** The end of what it complained. */
export function stderrTail({ stderr }: SpawnResult): string {
  return new TextDecoder().decode(stderr).slice(-tailLength);
}

function failureOf(result: SpawnResult, flooded: boolean, timeoutMs: number): CallFailure {
  if (flooded || result.stdoutBytes > answerBytes) {
    return { cause: 'too much output', message: `it printed ${result.stdoutBytes} bytes; an answer has at most ${answerBytes}` };
  }
  if (result.timedOut) return { cause: 'time-out', message: `it did not end within ${timeoutMs / 1000} s; its whole process group was ended` };
  if (result.aborted) return { cause: 'stopped', message: 'it was stopped' };
  if (result.signal !== null) return { cause: 'signal', message: `signal ${result.signal} ended it` };
  if (result.exit !== 0) return { cause: 'exit', message: `it ended with exit code ${result.exit}` };
  if (!isText(result.stdout)) return { cause: 'garbage', message: `it printed ${result.stdoutBytes} bytes that are not UTF-8 text` };
  return null;
}

/** UTF-8 without NUL: what no text file has. */
function isText(bytes: Uint8Array): boolean {
  if (bytes.includes(0)) return false;
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
