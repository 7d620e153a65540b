/**
 * What another policy would have made of recorded actions. Both policies judge the same record, so that what a record leaves
 * out (links, content, the disk of that day) cannot pass for a difference between them. Keeps counts and a few examples, however
 * long the log is.
 */
import { decisionRank, type Decision } from '../../base/action.ts';
import type { Judge } from '../judge.ts';
import { fieldsNeeded } from '../lint/needs.ts';
import type { Policy } from '../evaluate.ts';
import type { PolicyFile, Rule } from '../rules.ts';
import { recordedVerdict, rejudgeable, verdictOf, type RecordedDecision, type Rejudgeable, type Unjudgeable, type Verdict } from './recorded.ts';

/** An action that would be decided otherwise. */
export interface FlipExample {
  readonly seq: number;
  readonly timestamp: string;
  readonly kind: string;
  /** The action in short. */
  readonly action: string;
}

/** Actions that one rule would decide otherwise: the rule that asks for more, in whichever of the two policies it stands; null for a policy that cannot be used. */
export interface Flip {
  readonly rule: string | null;
  readonly place: string | null;
  readonly from: Decision;
  readonly to: Decision;
  readonly loosens: boolean;
  readonly actions: number;
  /** The first that were found. */
  readonly examples: readonly FlipExample[];
}

export interface SimulationReport {
  /** Decisions that were looked at. */
  readonly decisions: number;
  readonly unchanged: number;
  readonly tightened: number;
  /** Actions that would need less than they do now. */
  readonly loosened: number;
  readonly flips: readonly Flip[];
  readonly not_rejudged: readonly { readonly reason: Unjudgeable; readonly actions: number; readonly seq: number }[];
  /** Actions whose content no data rule could be asked about, because it is recorded as a hash; and those rules. */
  readonly data: { readonly actions: number; readonly rules: readonly string[] };
}

/** Each of the two judges, or what was decided then. */
export interface SimulationParts {
  readonly before: { readonly judge: Judge; readonly policy: Policy } | 'recorded';
  readonly after: { readonly judge: Judge; readonly policy: Policy };
  readonly projectDir: string;
  readonly projectId: string;
}

export interface Simulation {
  add(recorded: RecordedDecision): void;
  report(): SimulationReport;
}

/** Both answers, the first where a judge gives it; and the rules that are violated by the second. */
interface Judged {
  readonly from: Verdict | undefined;
  readonly to: Verdict;
  readonly violated: readonly string[];
}

const mostExamples = 3;
/** Agents do the same things again and again: so many answers are remembered. */
const mostRemembered = 5000;
/** More rules than any policy has, so that a hostile log cannot fill the memory with names. */
const mostFlips = 10_000;

export function createSimulation(parts: SimulationParts): Simulation {
  const { before, after } = parts;
  const rules = [...before === 'recorded' ? [] : before.policy.rules, ...after.policy.rules];
  const named = namedFields(rules);
  const dataRules = [...new Set(rules.flatMap(({ is, point, name }) => is === 'data' || point === 'data' ? [name] : []))];
  const flips = new Map<string, Flip>();
  const unjudged = new Map<Unjudgeable, { actions: number; seq: number }>();
  const remembered = new Map<string, Judged>();
  const counts = { decisions: 0, unchanged: 0, tightened: 0, loosened: 0, content: 0 };

  function verdicts({ action, surroundings, hasContent }: Rejudgeable, recorded: RecordedDecision): readonly [Verdict, Verdict] {
    const session = named.has('session_id') ? recorded.sessionId : '';
    const key = JSON.stringify([{ ...action, session_id: session }, { ...surroundings, session_id: session }]);
    let known = remembered.get(key);
    if (known === undefined) {
      if (remembered.size >= mostRemembered) remembered.clear();
      const wanted = after.judge(action, surroundings);
      known = { from: before === 'recorded' ? undefined : verdictOf(before.judge(action, surroundings)), to: verdictOf(wanted), violated: wanted.violations.map(({ name }) => name) };
      remembered.set(key, known);
    }
    // What content gave rise to then cannot come out again without it.
    const { from, to, violated } = known;
    return [from ?? recordedVerdict(recorded, (rule) => dataRules.includes(rule) || (hasContent && rule.startsWith('builtin:') && !violated.includes(rule))), to];
  }

  function flip(from: Verdict, to: Verdict, example: FlipExample): void {
    const loosens = decisionRank[to.decision] < decisionRank[from.decision];
    counts[loosens ? 'loosened' : 'tightened'] += 1;
    const { rule, place } = loosens ? from : to;
    const key = JSON.stringify([rule, place, from.decision, to.decision]);
    const known = flips.get(key) ?? { rule, place, from: from.decision, to: to.decision, loosens, actions: 0, examples: [] };
    if (flips.size < mostFlips || flips.has(key)) flips.set(key, { ...known, actions: known.actions + 1, examples: known.examples.length < mostExamples ? [...known.examples, example] : known.examples });
  }

  return {
    add(recorded) {
      counts.decisions += 1;
      const found = rejudgeable(recorded, parts.projectDir, parts.projectId);
      const why = typeof found === 'string' ? found : found.lacks.some((name) => named.has(name)) ? 'a rule names what was not recorded then' : undefined;
      if (typeof found === 'string' || why !== undefined) {
        const reason = why ?? 'no action is recorded';
        const known = unjudged.get(reason);
        unjudged.set(reason, { actions: (known?.actions ?? 0) + 1, seq: known?.seq ?? recorded.seq });
        return;
      }
      if (found.hasContent && dataRules.length > 0) counts.content += 1;
      const [from, to] = verdicts(found, recorded);
      if (from.decision === to.decision) counts.unchanged += 1;
      else flip(from, to, { seq: recorded.seq, timestamp: recorded.timestamp, kind: found.action.kind, action: inShort(found) });
    },
    report: () => ({
      decisions: counts.decisions, unchanged: counts.unchanged, tightened: counts.tightened, loosened: counts.loosened,
      flips: [...flips.values()].sort((a, b) => Number(b.loosens) - Number(a.loosens) || b.actions - a.actions || ((a.rule ?? '') < (b.rule ?? '') ? -1 : 1)),
      not_rejudged: [...unjudged].map(([reason, { actions, seq }]) => ({ reason, actions, seq })).sort((a, b) => b.actions - a.actions),
      data: { actions: counts.content, rules: counts.content === 0 ? [] : dataRules },
    }),
  };
}

/** The fields that rules about actions name. A command is judged by the rules of what it does as well, so no kind is told apart. */
function namedFields(rules: readonly Rule[]): ReadonlySet<string> {
  return new Set(rules.filter(({ point }) => point === 'pre_execution').flatMap(fieldsNeeded));
}

const longestShown = 120;

function inShort({ action: { command, file_path, url, mcp_server, mcp_tool, agent, tool } }: Rejudgeable): string {
  const text = command ?? file_path ?? url ?? (mcp_server === undefined ? undefined : `${mcp_server} ${mcp_tool ?? ''}`) ?? agent ?? tool ?? '';
  return text.length > longestShown ? `${text.slice(0, longestShown)}…` : text;
}

/** The files with every watched rule enforced. */
export function enforced(files: readonly PolicyFile[]): readonly PolicyFile[] {
  return files.map((file) => ({ ...file, rules: file.rules.map((rule) => (rule.monitor ? { ...rule, monitor: false } : rule)) }));
}
