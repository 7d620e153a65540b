/**
 * The completion council: reviewers that see the document, the changes and the gates' results, each in a call of its own.
 * A verdict that is missing, contradicts itself, or lacks the review's own id is a rejection: text that an agent wrote into
 * the changes cannot speak for a reviewer, because it cannot know the id.
 */
import { LokiError } from '../errors.ts';
import type { JsonObject } from '../base/json.ts';
import type { AgentMessage } from './answer.ts';
import { callProvider } from './call.ts';
import { attribute, spanNames } from '../telemetry/names.ts';
import { auditOf, type RunContext } from './context.ts';
import type { CouncilSpec } from './deps.ts';
import type { GateResult } from './gates.ts';
import type { Changes } from './git.ts';
import type { VerdictSummary } from './progress.ts';
import { reviewPrompt } from './prompts.ts';
import { verdictAttributes } from './spans.ts';

/** Every reviewer's verdict, recorded one by one. */
export async function askCouncil(context: RunContext, changes: Changes | undefined, gates: readonly GateResult[]): Promise<readonly VerdictSummary[]> {
  const verdicts: VerdictSummary[] = [];
  for (const reviewer of context.settings.council.reviewers) {
    verdicts.push(await context.trace.within(spanNames.council(reviewer), { [attribute.reviewer]: reviewer }, async (span) => {
      const verdict = await askReviewer(context, reviewer, changes, gates);
      span.setAttributes(verdictAttributes(verdict.approved));
      await recordVerdict(context, verdict);
      return verdict;
    }));
  }
  return verdicts;
}

function recordVerdict(context: RunContext, { reviewer, approved, reason }: VerdictSummary): Promise<void> {
  const { timeline } = context;
  const details: JsonObject = { reviewer, approved, reason };
  return timeline.write({
    audit: [auditOf(context, 'council.verdict', { resource: `run:${timeline.run.id}`, details: { ...details, iteration: timeline.progress.iteration } })],
    events: [{ event_type: 'council', details }],
  });
}

async function askReviewer(context: RunContext, reviewer: string, changes: Changes | undefined, gates: readonly GateResult[]): Promise<VerdictSummary> {
  const { deps, timeline, settings, prd, tasks } = context;
  const review = [...deps.random.bytes(12)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const material = { prd: prd.text, iteration: timeline.progress.iteration, maxIterations: settings.max_iterations, tasks, feedback: [] };
  const outcome = gates.length === 0 ? 'none are configured' : gates.map(({ name, outcome: word }) => `${name} ${word}`).join(', ');
  const prompt = reviewPrompt(material, reviewer, review, changes?.text ?? '(the project is in no git repository: no diff)', outcome);
  const { messages } = await callProvider(context, { phase: 'VERIFY', role: reviewer, prompt, review });
  const verdict = readVerdicts(messages, review);
  return { reviewer, approved: verdict.approved, reason: deps.redact(verdict.reason) };
}

/** One review's verdict out of what was printed. Anything but a clear approval is a rejection. */
export function readVerdicts(messages: readonly AgentMessage[], review: string): { readonly approved: boolean; readonly reason: string } {
  const verdicts = messages.flatMap((message) => (message.type === 'verdict' && message.review === review ? [message] : []));
  const [first] = verdicts;
  if (first === undefined) {
    const stray = messages.some(({ type }) => type === 'verdict');
    return { approved: false, reason: stray ? 'its verdict does not carry the id of this review' : 'it gave no verdict' };
  }
  if (verdicts.some(({ verdict }) => verdict !== first.verdict)) return { approved: false, reason: 'it gave verdicts that contradict each other' };
  return { approved: first.verdict === 'approve', reason: first.reason === '' ? 'no reason given' : first.reason };
}

/** Refuses settings that could never be fulfilled or that make no sense. */
export function assertCouncil({ reviewers, required }: CouncilSpec): void {
  const refuse = (found: string): LokiError => new LokiError('config.invalid', { attempted: 'use runs.council', found });
  if (new Set(reviewers).size !== reviewers.length) throw refuse('a reviewer is named twice');
  if (!Number.isSafeInteger(required) || required < 0 || required > reviewers.length) throw refuse(`${required} approvals are required of ${reviewers.length} reviewers`);
  if (reviewers.includes('agent')) throw refuse('a reviewer cannot be named "agent": that is who does the work');
}
