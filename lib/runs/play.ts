/**
 * Plays a script as a real agent would work: each file change and each command is first asked of the gate, by starting
 * the program in LOKI_HOOK, and happens only when the gate says so; afterwards the gate is told what came of it. It trusts
 * nothing but a verdict it can read: no verdict is a no.
 */
import type { Disk, Spawn, Timers } from '../ports.ts';
import { LokiError, messageOf } from '../errors.ts';
import { isPlainObject, type JsonObject } from '../base/json.ts';
import { dirname, isInside, resolveFrom } from '../base/paths.ts';
import { readScript, stepsFor, type ScriptStep } from './script.ts';

export interface PlayPorts {
  readonly disk: Disk;
  readonly spawn: Spawn;
  readonly timers: Pick<Timers, 'sleep'>;
  /** One line to standard output, without its newline. */
  readonly print: (line: string) => void;
}

export interface PlayRequest {
  /** Name and text of the script. */
  readonly filename: string;
  readonly script: string;
  /** The process's environment: LOKI_HOOK, LOKI_PROJECT_DIR, LOKI_PHASE, LOKI_ITERATION, LOKI_ROLE, LOKI_REVIEW_ID, LOKI_SESSION_ID. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly ports: PlayPorts;
  /** Aborting ends what the step at hand has started, and plays no further one: groups of children outlive a killed parent. */
  readonly signal?: AbortSignal;
}

const fileBytes = 4 * 1024 * 1024;
const commandTimeoutMs = 120_000;
/** The gate may be waiting for a person; the policy's own time-out is shorter. */
const gateTimeoutMs = 24 * 3_600_000;
const outputBytes = 1024 * 1024;
const shownOutput = 1500;

/** Plays the steps of this phase, round and role. The prompt is not read: the script stands for the thinking. */
export async function play(request: PlayRequest): Promise<void> {
  const { env, ports } = request;
  const script = readScript(request.script, request.filename);
  const player = new Player(ports, env, request.signal);
  const steps = stepsFor(script, Number(env['LOKI_ITERATION'] ?? 1), env['LOKI_PHASE'] ?? 'ACT', env['LOKI_ROLE'] ?? 'agent');
  for (const step of steps) {
    if (request.signal?.aborted === true) return;
    await player.play(step);
  }
}

/** The gate's answer as the player reads it. */
interface Verdict {
  readonly allowed: boolean;
  readonly decision: string;
  readonly reason: string;
  readonly audit_seq: number | null;
}

/** What came of an action. */
interface Outcome {
  readonly ok: boolean;
  readonly exit?: number;
  readonly bytes?: number;
  /** Worth showing. */
  readonly text?: string;
}

interface Act {
  readonly action: JsonObject;
  /** The action in a few words. */
  readonly target: string;
  readonly perform: () => Promise<Outcome>;
}

class Player {
  readonly #ports: PlayPorts;
  readonly #env: Readonly<Record<string, string>>;
  readonly #hook: readonly string[];
  readonly #projectDir: string;
  /** What every child gets besides. */
  readonly #ending: { readonly signal?: AbortSignal };

  constructor(ports: PlayPorts, env: PlayRequest['env'], signal: AbortSignal | undefined) {
    this.#ports = ports;
    this.#ending = signal === undefined ? {} : { signal };
    this.#env = Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
    this.#hook = hookOf(env['LOKI_HOOK']);
    this.#projectDir = env['LOKI_PROJECT_DIR'] ?? '';
    if (!this.#projectDir.startsWith('/')) throw new LokiError('usage', { attempted: 'play a script', found: 'LOKI_PROJECT_DIR names no absolute directory', hint: 'The player is started by: loki start' });
  }

  async play(step: ScriptStep): Promise<void> {
    switch (step.does) {
      case 'say': return this.#ports.print(step.text);
      case 'task': return this.#message({ type: 'task', title: step.title, description: step.description, priority: step.priority });
      case 'usage': { const { does, ...used } = step; return this.#message({ type: does, ...used }); }
      case 'verdict': return this.#message({ type: 'verdict', review: this.#env['LOKI_REVIEW_ID'] ?? '', verdict: step.verdict, reason: step.reason });
      case 'wait': return this.#ports.timers.sleep(step.milliseconds);
      case 'read': return this.#act(this.#reading(step.path));
      case 'write': return this.#act(this.#writing(step.path, 'write', step.content));
      case 'edit': return this.#edit(step);
      case 'delete': return this.#act(this.#deleting(step.path));
      case 'run': return this.#act(this.#running(step.command));
    }
  }

  /** Ask, act when allowed, tell. */
  async #act({ action, target, perform }: Act): Promise<void> {
    const verdict = await this.#ask({ phase: 'pre', ...action });
    if (!verdict.allowed) return this.#report(action, target, verdict, null);
    const outcome = await attempt(perform);
    await this.#tell(action, verdict, outcome);
    this.#report(action, target, verdict, outcome);
  }

  #report(action: JsonObject, target: string, verdict: Verdict, outcome: Outcome | null): void {
    const { decision, reason, audit_seq } = verdict;
    this.#message({ type: 'action', kind: action['kind'] ?? 'other', target, decision, reason, ok: outcome?.ok ?? null, audit_seq });
    if (outcome?.text !== undefined && outcome.text !== '') this.#ports.print(outcome.text);
  }

  async #ask(action: JsonObject): Promise<Verdict> {
    try {
      const { exit, stdout } = await this.#callGate(action);
      return readVerdict(new TextDecoder().decode(stdout), exit);
    } catch (error) {
      return { allowed: false, decision: 'DENY', reason: `the gate could not be asked: ${messageOf(error)}`, audit_seq: null };
    }
  }

  /** What happened is told as well as can be: the action cannot be taken back. */
  async #tell(action: JsonObject, verdict: Verdict, outcome: Outcome): Promise<void> {
    const { ok, exit, bytes } = outcome;
    const { content: _content, ...withoutContent } = action;
    const told = { phase: 'post', ...withoutContent, ...(verdict.audit_seq === null ? {} : { ref: verdict.audit_seq }), outcome: { ok, ...(exit === undefined ? {} : { exit }), ...(bytes === undefined ? {} : { bytes }) } };
    const failure = await this.#callGate(told).then(({ exit: code }) => (code === 0 ? undefined : `exit code ${code ?? 'none'}`), messageOf);
    if (failure !== undefined) this.#message({ type: 'log', level: 'warning', message: `The gate could not be told what came of it: ${failure}` });
  }

  #callGate(action: JsonObject): ReturnType<Spawn['run']> {
    const [program = '', ...args] = this.#hook;
    const full = { ...action, cwd: this.#projectDir, ...(this.#env['LOKI_SESSION_ID'] === undefined ? {} : { session_id: this.#env['LOKI_SESSION_ID'] }) };
    return this.#ports.spawn.run({
      program, args, cwd: this.#projectDir, env: this.#env, input: new TextEncoder().encode(`${JSON.stringify(full)}\n`), timeoutMs: gateTimeoutMs, outputLimit: outputBytes, ...this.#ending,
    });
  }

  #reading(path: string): Act {
    return {
      action: { kind: 'fs.read', tool: 'read', file_path: path }, target: path,
      perform: async () => ({ ok: true, bytes: this.#bytesOf(path).length }),
    };
  }

  #writing(path: string, tool: 'write' | 'edit', content: string): Act {
    const bytes = new TextEncoder().encode(content);
    return {
      action: { kind: 'fs.write', tool, file_path: path, content }, target: path,
      perform: async () => {
        const { disk } = this.#ports;
        const absolute = resolveFrom(this.#projectDir, path);
        const base = isInside(absolute, this.#projectDir) ? this.#projectDir : dirname(absolute);
        disk.ensureDirectory(base, dirname(absolute), 0o755);
        disk.replace(base, absolute, bytes, (disk.stat(absolute)?.mode ?? 0o644) & 0o777);
        return { ok: true, bytes: bytes.length };
      },
    };
  }

  /** A change that is there already is no change: a phase that is played again after a crash goes on. */
  async #edit({ path, find, replace }: Extract<ScriptStep, { does: 'edit' }>): Promise<void> {
    const text = await attempt(async () => ({ ok: true, text: new TextDecoder().decode(this.#bytesOf(path)) }));
    const before = text.ok ? text.text ?? '' : '';
    // What is put in may hold what it was put in place of, as lines that are added do.
    const done = replace.includes(find) && before.includes(replace);
    if (!done && before.includes(find)) return this.#act(this.#writing(path, 'edit', before.replace(find, () => replace)));
    const message = before.includes(replace) ? `${path} has the change already` : `Cannot edit ${path}: ${text.ok ? 'the text to change is not there' : text.text ?? ''}`;
    this.#message({ type: 'log', level: before.includes(replace) ? 'info' : 'error', message });
  }

  #deleting(path: string): Act {
    return {
      action: { kind: 'fs.delete', tool: 'delete', file_path: path }, target: path,
      perform: async () => {
        this.#ports.disk.remove(resolveFrom(this.#projectDir, path));
        return { ok: true };
      },
    };
  }

  #running(command: string): Act {
    return {
      action: { kind: 'exec', tool: 'shell', command }, target: command,
      perform: async () => {
        const result = await this.#ports.spawn.run({ program: '/bin/sh', args: ['-c', command], cwd: this.#projectDir, env: this.#env, timeoutMs: commandTimeoutMs, outputLimit: outputBytes, ...this.#ending });
        const text = new TextDecoder().decode(result.stdout) + new TextDecoder().decode(result.stderr);
        return { ok: result.exit === 0, ...(result.exit === null ? {} : { exit: result.exit }), bytes: result.stdoutBytes, text: text.trimEnd().slice(-shownOutput) };
      },
    };
  }

  #bytesOf(path: string): Uint8Array {
    const bytes = this.#ports.disk.read(resolveFrom(this.#projectDir, path), fileBytes);
    if (bytes === undefined) throw new LokiError('io.failed', { attempted: `read "${path}"`, found: 'there is no such file' });
    return bytes;
  }

  #message(message: JsonObject): void {
    this.#ports.print(JSON.stringify(message));
  }
}

/** An action that fails is an outcome, not the end of the script. */
async function attempt(perform: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await perform();
  } catch (error) {
    return { ok: false, text: messageOf(error) };
  }
}

function hookOf(text: string | undefined): readonly string[] {
  const refuse = (found: string): LokiError => new LokiError('usage', { attempted: 'play a script', found, hint: 'LOKI_HOOK is a JSON array: ["loki","hook","generic"]' });
  if (text === undefined) throw refuse('LOKI_HOOK is not set, so no action could be asked for');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refuse('LOKI_HOOK is not JSON');
  }
  if (!Array.isArray(value) || value.length === 0 || !value.every((part) => typeof part === 'string')) throw refuse('LOKI_HOOK is not a list of texts');
  return value;
}

/** Allowed only when the words and the exit code both say so. */
function readVerdict(text: string, exit: number | null): Verdict {
  const refused = { allowed: false, decision: 'DENY', audit_seq: null };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ...refused, reason: `the gate gave no verdict (exit code ${exit ?? 'none'})` };
  }
  if (!isPlainObject(value)) return { ...refused, reason: 'the gate gave no verdict' };
  const { decision, reason, allowed, audit_seq: seq } = value;
  return {
    allowed: allowed === true && exit === 0,
    decision: typeof decision === 'string' ? decision : 'DENY',
    reason: typeof reason === 'string' ? reason : 'no reason given',
    audit_seq: typeof seq === 'number' && Number.isSafeInteger(seq) ? seq : null,
  };
}
