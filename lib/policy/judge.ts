/**
 * The judge of one action: built-in rules, then the policy at every point the action visits, for the action itself and for
 * each thing its command is found to do. The strictest answer wins. It trusts nothing in the action, and sees the disk only
 * through its probe.
 */
import type { Action, ActionKind, Decision, ExplainedRule, Finding, PolicyDecision, Violation } from '../base/action.ts';
import { decisionRank, fieldsOfKind } from '../base/action.ts';
import type { JsonObject } from '../base/json.ts';
import { askedOnce, isAbsolute, resolveFrom, type PathProbe } from '../base/paths.ts';
import { CannotEvaluate, pathMistake, realPath, realPlaces } from './boundary.ts';
import { pathsInArguments } from './arguments.ts';
import type { Builtins } from './builtin.ts';
import { canonicalAction } from './canonical.ts';
import { conclude, longestContent } from './evaluate.ts';
import type { Policy, Scanners } from './evaluate.ts';
import { unclearCommand } from './unclear.ts';

/** What is the same for all actions of a session. */
export interface Surroundings {
  readonly project_dir: string;
  readonly actor?: string;
  readonly active_agents?: number;
  readonly provider?: string;
  readonly branch?: string;
  readonly phase?: string;
  readonly tenant?: string;
  readonly project?: string;
  readonly session_id?: string;
}

export interface Judgement extends PolicyDecision {
  /** The canonical action (contract section 4). */
  readonly canonical: JsonObject;
}

export interface JudgeParts {
  readonly policy: Policy;
  readonly builtins: Builtins;
  readonly probe: PathProbe;
  readonly monotonic: () => number;
  readonly scanners: Scanners;
}

export type Judge = (action: Action, surroundings: Surroundings, options?: { readonly explain?: boolean }) => Judgement;

/** A judge for one policy. */
export function createJudge(parts: JudgeParts): Judge {
  return (action, surroundings, options = {}) => new Hearing({ ...parts, probe: askedOnce(parts.probe) }, surroundings, options.explain === true).judge(action);
}

/** One action before the judge. */
class Hearing {
  readonly #parts: JudgeParts;
  readonly #surroundings: Surroundings;
  readonly #explain: boolean;
  readonly #violations: Violation[] = [];
  readonly #explained: ExplainedRule[] = [];
  #decision: Decision = 'ALLOW';
  #reason = '';
  #weight = -1;

  constructor(parts: JudgeParts, surroundings: Surroundings, explain: boolean) {
    this.#parts = parts;
    this.#surroundings = surroundings;
    this.#explain = explain;
  }

  judge(action: Action): Judgement {
    const started = this.#parts.monotonic();
    const first = this.#hear(action);
    const also = (action.also ?? []).map((part) => this.#hear({ ...(action.cwd === undefined ? {} : { cwd: action.cwd }), ...part }));
    const { policy } = this.#parts;
    return {
      decision: this.#decision, allowed: this.#decision === 'ALLOW', requiresApproval: this.#decision === 'REQUIRE_APPROVAL',
      reason: this.#reason, violations: this.#violations, policy_digest: policy.digest,
      duration_us: Math.round((this.#parts.monotonic() - started) * 1000),
      ...(this.#explain ? { explain: { point: 'pre_execution' as const, rules: this.#explained } } : {}),
      canonical: also.length === 0 ? first : { also, ...first },
    };
  }

  /** One part of the call. Returns its canonical form. */
  #hear(action: Action): JsonObject {
    const cwd = this.#directory(action);
    const real = this.#one({ ...action, cwd });
    // Some file tools read a leading tilde as a shell does, and others do not.
    const { homeDir } = this.#parts.policy;
    if (homeDir !== undefined && action.file_path !== undefined && /^~(?:\/|$)/.test(action.file_path)) this.#one({ ...action, cwd, file_path: homeDir + action.file_path.slice(1) });
    if (action.kind === 'exec' && action.command !== undefined) this.#command(action, action.command, cwd);
    const findings = action.content === undefined ? [] : this.#content(action, action.content, real);
    if (action.content !== undefined && (action.kind === 'mcp' || action.kind === 'other')) this.#arguments(action.content, cwd);
    const { scanners } = this.#parts;
    return canonicalAction({ ...action, cwd: this.#real(cwd) }, (text) => scanners.redact(text), real, findings);
  }

  /** Where relative paths start; a relative `cwd` is seen from the project. */
  #directory(action: Action): string {
    const { project_dir: project } = this.#surroundings;
    return action.cwd === undefined || action.cwd === '' ? project : isAbsolute(action.cwd) ? action.cwd : resolveFrom(project, action.cwd);
  }

  /** Where a directory really is; as written when that cannot be told. */
  #real(directory: string): string {
    try {
      return realPath(directory, this.#parts.probe);
    } catch {
      return directory;
    }
  }

  /** An action's own rules. Returns where its path really is. */
  #one(action: Action): string | undefined {
    const paths = this.#paths(action);
    if (paths !== undefined) this.#add(this.#parts.builtins.judge(action, paths));
    this.#visit('pre_execution', this.#context(action));
    return paths?.[paths.length > 1 ? 1 : 0];
  }

  /** The path as written and as it really is; a path that cannot be resolved is denied. */
  #paths(action: Action): readonly string[] | undefined {
    const { file_path: path } = action;
    if (path === undefined || !fieldsOfKind[action.kind].includes('file_path')) return [];
    try {
      const mistake = pathMistake(path);
      if (mistake !== undefined) throw new CannotEvaluate(`file_path ${mistake}`);
      return [isAbsolute(path) ? resolveFrom('/', path) : resolveFrom(action.cwd ?? '/', path), ...realPlaces(path, action.cwd, this.#parts.probe)];
    } catch (error) {
      const why = error instanceof CannotEvaluate ? error.message : 'the path cannot be resolved';
      this.#add([{ name: 'builtin:protected-files', action: 'deny', reason: `Rule "builtin:protected-files" (built in) cannot be evaluated: ${why}`, place: 'built in' }]);
      return undefined;
    }
  }

  #context(action: Action): Readonly<Record<string, unknown>> {
    const { kind, tool, command, file_path, url, mcp_server, mcp_tool, agent, cwd, session_id } = action;
    return { ...this.#surroundings, kind, tool, command, file_path, url, mcp_server, mcp_tool, agent, cwd, ...(session_id === undefined ? {} : { session_id }) };
  }

  /** What a command does, each thing as if a file tool or the network had been used. */
  #command({ tool, typedInto }: Action, command: string, cwd: string): void {
    const { builtins, policy } = this.#parts;
    const { actions, uncertain, mentions, opens } = policy.analyze(command, cwd);
    // The policy's own rules for what the command does were asked with the command.
    for (const derived of actions) this.#add(builtins.judge(derived, derived.kind === 'exec' ? [] : this.#paths({ ...derived, cwd }) ?? []));
    for (const mention of mentions) this.#add(builtins.judgeMention(mention));
    this.#add(unclearCommand(uncertain, policy.strict));
    if (typedInto === true) this.#add(unclearCommand(opens.map((program) => `it opens "${program}", and what is typed into that is asked about by nobody`), policy.strict));
    const written = actions.flatMap((derived) => derived.kind === 'fs.write' && derived.file_path !== undefined ? [derived.file_path] : []);
    if (written.length > mostWritten) this.#add(unclearCommand([`it writes more than ${mostWritten} files`], policy.strict));
    // A text that a command writes stands in the command.
    for (const path of written.slice(0, mostWritten)) this.#visit('data', { content: command, path, tool, direction: 'write' });
  }

  /** A tool that nothing is known about may write whatever its arguments name. */
  #arguments(content: string, cwd: string): void {
    const { builtins, policy } = this.#parts;
    const paths = content.length > longestContent ? undefined : pathsInArguments(content);
    if (paths === undefined) return this.#add(unclearCommand(['its arguments are too many to look at'], policy.strict));
    for (const path of paths) for (const place of this.#paths({ kind: 'fs.write', file_path: path, cwd }) ?? []) this.#add(builtins.judgeMention(place));
  }

  /** What is found in the content. */
  #content(action: Action, content: string, real: string | undefined): readonly Finding[] {
    const { tool } = action;
    this.#visit('data', { content, path: real ?? action.file_path, tool, direction: directions[action.kind] });
    return content.length <= longestContent ? this.#parts.scanners.secrets(content) : [];
  }

  #visit(point: 'pre_execution' | 'data', context: Readonly<Record<string, unknown>>): void {
    const decision = this.#parts.policy.evaluate(point, context, { explain: this.#explain });
    if (decision.explain !== undefined) this.#explained.push(...decision.explain.rules);
    this.#remember(decision.violations);
    this.#raise(decision.decision, decision.reason, decision.violations.length > 0);
  }

  /** Violations of built-in rules. Their reasons name what was found in the action, which may hold a secret. */
  #add(found: readonly Violation[]): void {
    if (found.length === 0) return;
    const violations = found.map((violation) => ({ ...violation, reason: this.#parts.scanners.redact(violation.reason) }));
    this.#remember(violations);
    this.#raise(...conclude(violations), true);
  }

  /** A rule that several parts of a command break is told once for each reason. */
  #remember(violations: readonly Violation[]): void {
    for (const violation of violations) {
      if (!this.#violations.some((known) => known.name === violation.name && known.reason === violation.reason)) this.#violations.push(violation);
    }
  }

  /** The strictest answer stands, the first of equals; a warning is told before plain permission. */
  #raise(decision: Decision, reason: string, violated: boolean): void {
    const weight = decisionRank[decision] * 2 + (violated ? 1 : 0);
    if (weight <= this.#weight) return;
    [this.#weight, this.#decision, this.#reason] = [weight, decision, reason];
  }
}

/** The text of a command is looked at for so many of the files it writes; for more a person is asked. */
const mostWritten = 20;

/** What the content of each kind of action is. */
const directions: Readonly<Record<ActionKind, 'write' | 'read' | 'prompt'>> = {
  'exec': 'write', 'fs.read': 'read', 'fs.write': 'write', 'fs.delete': 'write', 'net': 'write', 'mcp': 'write', 'agent': 'prompt', 'prompt': 'prompt', 'other': 'write',
};
