/**
 * A script for the player: what a scripted agent says and does, round by round and phase by phase (docs/runs.md, "Scripts").
 * Read strictly: a person wrote it, so unknown members and missing ones are errors that name their place.
 */
import { LokiError, messageOf } from '../errors.ts';
import { isPlainObject } from '../base/json.ts';
import { didYouMean } from '../base/suggest.ts';
import type { Usage } from './answer.ts';
import type { Phase } from './run.ts';
import { taskPriorities, type TaskPriority } from './task.ts';

/** One thing the scripted agent says or does. */
export type ScriptStep =
  | { readonly does: 'say'; readonly text: string }
  | { readonly does: 'task'; readonly title: string; readonly description: string; readonly priority: TaskPriority }
  | { readonly does: 'usage' } & Usage
  | { readonly does: 'verdict'; readonly verdict: 'approve' | 'reject'; readonly reason: string }
  | { readonly does: 'read'; readonly path: string }
  | { readonly does: 'write'; readonly path: string; readonly content: string }
  | { readonly does: 'edit'; readonly path: string; readonly find: string; readonly replace: string }
  | { readonly does: 'delete'; readonly path: string }
  | { readonly does: 'run'; readonly command: string }
  | { readonly does: 'wait'; readonly milliseconds: number };

/** A script that has been checked. */
export interface Script {
  readonly title: string;
  /** Rounds beyond the last play the last again. */
  readonly rounds: readonly ScriptRound[];
}

export interface ScriptRound {
  /** Steps of the working agent. */
  readonly phases: ReadonlyMap<string, readonly ScriptStep[]>;
  /** Steps of each reviewer; `*` for those not named. */
  readonly reviewers: ReadonlyMap<string, readonly ScriptStep[]>;
}

/** Bounds of a script: bytes of its text, rounds, steps of one list. */
export const scriptLimits: Readonly<Record<'bytes' | 'rounds' | 'steps', number>> = { bytes: 1024 * 1024, rounds: 100, steps: 1000 };

/** Members a step may have besides the one that names it. */
const stepMembers: Readonly<Record<ScriptStep['does'], readonly string[]>> = {
  say: [], task: ['description', 'priority'], usage: [], verdict: ['reason'], read: [], write: ['content', 'lines'], edit: ['find', 'replace'], delete: [], run: [], wait: [],
};

/** The script in a JSON text. Throws `usage` with the place of the first mistake. */
export function readScript(text: string, filename: string): Script {
  if (text.length > scriptLimits.bytes) throw refuse(filename, `it has ${text.length} characters, at most ${scriptLimits.bytes} are read`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refuse(filename, messageOf(error));
  }
  const at = new Place(filename, 'the script');
  const script = at.object(value, ['version', 'title', 'rounds']);
  if (script['version'] !== 1) throw at.wrong('"version" is not 1');
  const rounds = at.list(script['rounds'], 'rounds', scriptLimits.rounds).map((round, index) => readRound(at.in(`rounds[${index}]`), round));
  if (rounds.length === 0) throw at.wrong('it has no round');
  return { title: at.text(script['title'], 'title'), rounds };
}

/** The steps to play: a reviewer's where the role is one. */
export function stepsFor(script: Script, iteration: number, phase: string, role: string): readonly ScriptStep[] {
  const round = script.rounds[Math.min(Math.max(iteration, 1), script.rounds.length) - 1];
  if (round === undefined) return [];
  if (role !== 'agent') return round.reviewers.get(role) ?? round.reviewers.get('*') ?? [];
  return round.phases.get(phase) ?? [];
}

const workPhases: readonly Exclude<Phase, 'VERIFY'>[] = ['REASON', 'ACT', 'REFLECT'];

function readRound(at: Place, value: unknown): ScriptRound {
  const round = at.object(value, [...workPhases, 'VERIFY']);
  const phases = new Map(workPhases.map((phase) => [phase, readSteps(at.in(phase), round[phase] ?? [])] as const));
  const verify = round['VERIFY'] ?? {};
  if (!isPlainObject(verify)) throw at.wrong('"VERIFY" is not an object of reviewers');
  const reviewers = new Map(Object.entries(verify).map(([name, steps]) => [name, readSteps(at.in(`VERIFY.${name}`), steps)] as const));
  return { phases, reviewers };
}

function readSteps(at: Place, value: unknown): readonly ScriptStep[] {
  return at.list(value, 'steps', scriptLimits.steps).map((step, index) => readStep(at.in(`[${index}]`), step));
}

function readStep(at: Place, value: unknown): ScriptStep {
  if (!isPlainObject(value)) throw at.wrong('it is not an object');
  const kinds = Object.keys(stepMembers);
  const does = Object.keys(value).find((key): key is ScriptStep['does'] => Object.hasOwn(stepMembers, key));
  if (does === undefined) {
    const [first = ''] = Object.keys(value);
    throw at.wrong(`it does none of ${kinds.join(', ')}${didYouMean(first, kinds)}`);
  }
  const step = at.object(value, [does, ...stepMembers[does]]);
  const named = step[does];
  switch (does) {
    case 'say': return { does, text: at.text(named, does) };
    case 'task': return { does, title: at.text(named, does), description: at.optionalText(step['description'], 'description'), priority: at.oneOf(step['priority'] ?? 'medium', 'priority', taskPriorities) };
    case 'usage': return { does, ...readTokens(at, named) };
    case 'verdict': return { does, verdict: at.oneOf(named, does, ['approve', 'reject'] as const), reason: at.optionalText(step['reason'], 'reason') };
    case 'read': return { does, path: at.parts(named, does) };
    case 'write': return { does, path: at.parts(named, does), content: readContent(at, step) };
    case 'edit': return { does, path: at.parts(named, does), find: at.parts(step['find'], 'find'), replace: at.parts(step['replace'], 'replace') };
    case 'delete': return { does, path: at.parts(named, does) };
    case 'run': return { does, command: at.parts(named, does) };
    case 'wait': return { does, milliseconds: at.count(named, does) };
  }
}

function readTokens(at: Place, value: unknown): Usage {
  const usage = at.object(value, ['input_tokens', 'output_tokens', 'cache_read_tokens', 'cache_write_tokens', 'model']);
  const optional = Object.fromEntries((['cache_read_tokens', 'cache_write_tokens'] as const).flatMap((name) => (usage[name] === undefined ? [] : [[name, at.count(usage[name], name)]])));
  return {
    input_tokens: at.count(usage['input_tokens'], 'input_tokens'), output_tokens: at.count(usage['output_tokens'], 'output_tokens'), ...optional,
    ...(usage['model'] === undefined ? {} : { model: at.text(usage['model'], 'model') }),
  };
}

/** `lines` make a text file; `content` is taken as it is. */
function readContent(at: Place, step: Record<string, unknown>): string {
  if (step['lines'] === undefined) return at.parts(step['content'], 'content');
  if (step['content'] !== undefined) throw at.wrong('"content" and "lines" exclude each other');
  return at.list(step['lines'], 'lines', 10_000).map((line) => `${at.parts(line, 'lines')}\n`).join('');
}

/** Checks values and names where they stand. */
class Place {
  readonly #filename: string;
  readonly #path: string;

  constructor(filename: string, path: string) {
    this.#filename = filename;
    this.#path = path;
  }

  in(member: string): Place {
    return new Place(this.#filename, `${this.#path} ${member}`);
  }

  wrong(found: string): LokiError {
    return refuse(this.#filename, `in ${this.#path}: ${found}`);
  }

  object(value: unknown, members: readonly string[]): Record<string, unknown> {
    if (!isPlainObject(value)) throw this.wrong('it is not an object');
    const unknown = Object.keys(value).find((key) => !members.includes(key));
    if (unknown !== undefined) throw this.wrong(`unknown member "${unknown}"${didYouMean(unknown, members)}`);
    return value;
  }

  list(value: unknown, name: string, most: number): readonly unknown[] {
    if (!Array.isArray(value)) throw this.wrong(`"${name}" is not a list`);
    if (value.length > most) throw this.wrong(`"${name}" has ${value.length} entries, at most ${most} are read`);
    return value;
  }

  text(value: unknown, name: string): string {
    if (typeof value !== 'string') throw this.wrong(`"${name}" is not text`);
    return value;
  }

  optionalText(value: unknown, name: string): string {
    return value === undefined ? '' : this.text(value, name);
  }

  /** A text, or the parts of one: so a script can hold a made-up key that no scanner takes for a real one. */
  parts(value: unknown, name: string): string {
    return Array.isArray(value) ? value.map((part) => this.text(part, name)).join('') : this.text(value, name);
  }

  count(value: unknown, name: string): number {
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw this.wrong(`"${name}" is not a whole number from 0`);
    return value;
  }

  oneOf<T extends string>(value: unknown, name: string, accepted: readonly T[]): T {
    const found = accepted.find((one) => one === value);
    if (found === undefined) throw this.wrong(`"${name}" is none of ${accepted.join(', ')}`);
    return found;
  }
}

function refuse(filename: string, found: string): LokiError {
  return new LokiError('usage', { attempted: `read script "${filename}"`, found, hint: 'Correct the script; docs/runs.md shows the format' });
}
