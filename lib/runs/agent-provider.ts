/**
 * Coding agents as providers: started anew for each call with our hooks in its settings, the prompt on standard input, its stream
 * of JSON lines read as it comes. It trusts the agent with nothing: what it did is held against the log of record (tool-watch.ts),
 * and when a call ends, however it ends, everything that was started in it ends too.
 */
import { LokiError } from '../errors.ts';
import type { Spawn, SpawnResult } from '../ports.ts';
import type { HeadlessAgent, HeadlessStart, HookEntry } from '../agents/headless/headless.ts';
import { AgentStream } from './agent-stream.ts';
import type { CallEnd, CallFailure, Provider, ProviderCall } from './provider.ts';
import { callEnvironment, stderrTail } from './command-provider.ts';

/** Where an agent's files for one session lie. */
export interface AgentRoom {
  readonly path: string;
  /** Puts down what a call needs, in place of what is there. */
  prepare(start: Pick<HeadlessStart, 'files' | 'mirror'>): void;
  /** Takes all of it away. Never throws. */
  remove(): void;
}

export interface AgentOptions {
  readonly agent: HeadlessAgent;
  readonly hooks: readonly HookEntry[];
  readonly plugin?: string;
  readonly cwd: string;
  /** The whole environment of the agent, its own credentials among it. */
  readonly env: Readonly<Record<string, string>>;
  readonly sessionId: string;
  readonly room: AgentRoom;
  readonly read: (path: string) => string | undefined;
  readonly timeoutMs: number;
  readonly spawn: Spawn;
  readonly model?: string;
  readonly region?: string;
  readonly notice?: string;
}

/** A stream longer than this is none: the call is ended. Streams repeat what tools gave. */
export const streamBytes: number = 256 * 1024 * 1024;
/** A line holds at most a whole file that a tool gave, twice. */
const lineBytes = 16 * 1024 * 1024;
/** Kept of each output, for what is told of a failure. */
const keptBytes = 64 * 1024;

export function agentProvider(options: AgentOptions): Provider {
  const { agent, spawn, env, sessionId } = options;
  return {
    name: agent.name,
    shows: agent.sameIds ? 'ids' : 'counts',
    ...(options.model === undefined ? {} : { model: options.model }),
    ...(options.region === undefined ? {} : { region: options.region }),
    ...(options.notice === undefined ? {} : { notice: options.notice }),
    assertReady() {
      if (spawn.find(agent.program, env['PATH']) === undefined) throw missing(agent);
    },
    async invoke(call) {
      const stream = new AgentStream(agent.reader(), call, options.model);
      const flood = new AbortController();
      try {
        const result = await run(options, call, stream, flood);
        stream.end();
        return endOf(options, result, stream, flood.signal.aborted);
      } finally {
        // Agents start commands in process groups of their own: they are known by the session in their environment.
        spawn.endMarked('LOKI_SESSION_ID', sessionId);
      }
    },
    close: () => options.room.remove(),
  };
}

function missing({ program, title, install, name }: HeadlessAgent): LokiError {
  return new LokiError('provider.missing', {
    attempted: `use the provider "${name}"`, found: `the program "${program}" is not on PATH or cannot be executed`, hint: `Install ${title} (${install}), or choose another with --provider`,
  });
}

async function run(options: AgentOptions, call: ProviderCall, stream: AgentStream, flood: AbortController): Promise<SpawnResult> {
  const { agent, hooks, room, spawn, cwd, timeoutMs } = options;
  const program = spawn.find(agent.program, options.env['PATH']);
  if (program === undefined) throw missing(agent);
  const env = { ...options.env, ...callEnvironment(call) };
  const start = agent.start({ writes: mayWrite(call), hooks, room: room.path, env, read: options.read, ...(options.plugin === undefined ? {} : { plugin: options.plugin }), ...(options.model === undefined ? {} : { model: options.model }) });
  room.prepare(start);
  let seen = 0;
  return spawn.run({
    program, args: start.args, cwd, env: { ...env, ...start.env }, input: new TextEncoder().encode(`${start.preface ?? ''}${call.prompt}`),
    timeoutMs, outputLimit: keptBytes, lineLimit: lineBytes, signal: AbortSignal.any([call.signal, flood.signal]),
    onLine(line) {
      seen += line.length + 1;
      if (seen > streamBytes) flood.abort();
      else stream.take(line);
    },
  });
}

/** Planning and reviewing change nothing. */
function mayWrite({ phase, role }: ProviderCall): boolean {
  return role === 'agent' && (phase === 'ACT' || phase === 'REFLECT');
}

function endOf(options: AgentOptions, result: SpawnResult, stream: AgentStream, flooded: boolean): CallEnd {
  return {
    failure: failureOf(options, result, stream, flooded), exit: result.exit, stdoutBytes: result.stdoutBytes, stderrBytes: result.stderrBytes,
    stderrTail: stderrTail(result), durationMs: result.durationMs,
  };
}

function failureOf({ agent, timeoutMs }: AgentOptions, result: SpawnResult, stream: AgentStream, flooded: boolean): CallFailure {
  if (flooded || result.stdoutBytes > streamBytes) return { cause: 'too much output', message: `it printed ${result.stdoutBytes} bytes; a stream has at most ${streamBytes}` };
  if (result.timedOut) return { cause: 'time-out', message: `it did not end within ${timeoutMs / 1000} s; everything it started was ended` };
  if (result.aborted) return { cause: 'stopped', message: 'it was stopped' };
  if (result.signal !== null) return { cause: 'signal', message: `signal ${result.signal} ended it` };
  const { failure } = stream;
  if (failure?.cause === 'exit') return failure;
  const known = result.exit === null ? undefined : agent.exits[result.exit];
  if (known !== undefined) return { cause: 'exit', message: known.message, ...(known.lasting ? { lasting: true } : {}) };
  if (result.exit !== 0) return { cause: 'exit', message: `it ended with exit code ${result.exit}` };
  return failure;
}
