/**
 * One call of the provider as the run sees it: allowed first, recorded before the agent starts, its lines put into the
 * timeline in batches while it works, its end recorded, and tried again a bounded number of times when it failed. What an
 * agent says about itself is marked as its own word; decisions come from the log of record.
 */
import type { JsonObject } from '../base/json.ts';
import { toldContext, type Span } from '../base/trace.ts';
import { addTokens, noTokens } from '../budgets/usage.ts';
import { systemCode, LokiError, messageOf } from '../errors.ts';
import { attribute, spanNames } from '../telemetry/names.ts';
import { Answer, answerLimits, type AgentMessage } from './answer.ts';
import { assertNotHalted, auditOf, type RunContext } from './context.ts';
import { settleDecision } from './decisions.ts';
import type { CallEnd } from './provider.ts';
import { assertResources } from './resources.ts';
import { Feed } from './feed.ts';
import { tokensIn } from './meter.ts';
import type { Phase } from './run.ts';
import { RunEnd } from './run-end.ts';
import { agentAttributes, callError, usageAttributes } from './spans.ts';

/** What the run wants of a call. */
export interface CallRequest {
  readonly phase: Phase;
  readonly role: string;
  readonly prompt: string;
  readonly review?: string;
}

/** A usable answer. */
export interface CallAnswer {
  readonly text: string;
  readonly messages: readonly AgentMessage[];
}

/** Pause before the second try; doubled for each further one. */
const firstPauseMs = 500;

/** The answer. Throws `RunEnd` when the run must end: stopped, forbidden, budget spent, or every try failed. */
export async function callProvider(context: RunContext, request: CallRequest): Promise<CallAnswer> {
  await assertPromptAllowed(context, request);
  let failure = '';
  let tried = 0;
  for (let tries = 0; tries <= context.settings.retries; tries += 1) {
    if (tries > 0) await pause(context, firstPauseMs * 2 ** (tries - 1));
    assertNotHalted(context);
    await assertResources(context, request.role, 'before a call');
    const { end, answer, messages } = await callOnce(context, request, tries + 1);
    assertNotHalted(context);
    if (end.failure === null) return { text: answer.text, messages };
    failure = end.failure.message;
    tried += 1;
    if (end.failure.lasting === true) break;
  }
  throw new RunEnd('provider_failed', `provider "${context.provider.name}" failed in ${request.phase}: ${failure} (${tried} tries)`);
}

async function assertPromptAllowed(context: RunContext, request: CallRequest): Promise<void> {
  const decision = await context.deps.judgeData(request.prompt, undefined, 'prompt');
  const { allowed, reason } = await settleDecision(context, 'data', `prompt for ${request.role} in ${request.phase}`, decision);
  if (!allowed) throw new RunEnd('denied', `the prompt for ${request.phase} is not allowed: ${reason}`);
}

interface Called {
  readonly end: CallEnd;
  readonly answer: Answer;
  readonly messages: readonly AgentMessage[];
}

/** One try, and its span. */
function callOnce(context: RunContext, request: CallRequest, tries: number): Promise<Called> {
  const { provider } = context;
  const action = request.role === 'agent' ? request.phase.toLowerCase() : 'review';
  return context.trace.within(spanNames.agent(provider.name, action), agentAttributes(context, request.phase, action, tries), async (span) => {
    const called = await callWithin(context, request, span);
    const error = callError(called.end);
    span.setAttribute(attribute.exitCode, called.end.exit ?? undefined);
    if (error !== undefined) span.setAttribute(attribute.errorType, error[0]).setStatus('error', error[1]);
    return called;
  });
}

async function callWithin(context: RunContext, request: CallRequest, span: Span): Promise<Called> {
  const { deps, provider, timeline } = context;
  const actor = `agent:${provider.name}`;
  const about = { phase: request.phase, role: request.role, iteration: timeline.progress.iteration };
  await timeline.write({
    audit: [auditOf(context, 'agent.spawn', { actor, resource: `run:${timeline.run.id}`, details: { ...about, provider: provider.name, prompt_bytes: new TextEncoder().encode(request.prompt).length } })],
    progress: (before) => ({ ...before, provider_calls: before.provider_calls + 1 }),
  });
  const spent = new AbortController();
  const messages: AgentMessage[] = [];
  const feed = new Feed(context, request.role, () => spent.abort());
  let used = noTokens;
  const answer = new Answer((message) => {
    if (message.type === 'usage') {
      used = addTokens(used, tokensIn(message));
      feed.use(message);
    } else messages.push(message);
    feed.show(message);
  });
  const began = deps.clock.monotonic();
  const signal = AbortSignal.any([context.halt.signal, spent.signal]);
  let end: CallEnd;
  try {
    end = await provider.invoke({
      phase: request.phase, iteration: timeline.progress.iteration, role: request.role, prompt: request.prompt, signal,
      ...(request.review === undefined ? {} : { review: request.review }), span: toldContext(deps.tracer, span.context), onLine: (line) => answer.accept(line), onWords: (line) => answer.hear(line),
      onMessage: (message) => answer.take(message), onTool: (use) => feed.saw(use),
    });
  } catch (error) {
    end = brokenEnd(error, deps.clock.monotonic() - began);
  }
  await feed.close(answer.usageReports > 0);
  if (answer.usageReports > 0) span.setAttributes(usageAttributes(used));
  await recordEnd(context, request, end, answer);
  feed.assertAllowed();
  return { end, answer, messages };
}

/** A provider that could not even be started: found again by `assertReady` next time, tried again now. */
function brokenEnd(error: unknown, durationMs: number): CallEnd {
  const missing = error instanceof LokiError || systemCode(error) !== undefined;
  if (!missing) throw error;
  return { failure: { cause: 'exit', message: messageOf(error) }, exit: null, stdoutBytes: 0, stderrBytes: 0, stderrTail: '', durationMs };
}

async function recordEnd(context: RunContext, request: CallRequest, end: CallEnd, answer: Answer): Promise<void> {
  const { timeline, provider, deps } = context;
  const stopped = context.halted !== undefined;
  const details: JsonObject = {
    phase: request.phase, role: request.role, iteration: timeline.progress.iteration, exit: end.exit, duration_ms: Math.round(end.durationMs),
    stdout_bytes: end.stdoutBytes, stderr_bytes: end.stderrBytes, lines: answer.lines, metered: answer.usageReports > 0,
    ...(end.failure === null ? {} : { cause: stopped ? 'stopped' : end.failure.cause, message: stopped ? 'it was stopped' : end.failure.message }),
  };
  const dropped = answer.droppedMessages + answer.droppedText;
  await timeline.write({
    audit: [auditOf(context, end.failure === null ? 'agent.complete' : 'agent.fail', { actor: `agent:${provider.name}`, resource: `run:${timeline.run.id}`, details })],
    events: [
      ...(dropped === 0 ? [] : [{ event_type: 'log', details: { level: 'warning', message: `${answer.droppedMessages} messages and ${answer.droppedText} characters of text beyond the bounds were dropped`, messages_kept: answerLimits.messages, text_kept: answerLimits.text } } as const]),
      end.failure === null
        ? { event_type: 'log', details: { level: 'info', message: `${request.role} answered`, text: shown(deps.redact(answer.text)), duration_ms: Math.round(end.durationMs), metered: answer.usageReports > 0 } }
        : { event_type: 'error', details: { ...details, stderr: deps.redact(end.stderrTail) } },
    ],
    progress: (before) => ({ ...before, unmetered_calls: before.unmetered_calls + (answer.usageReports > 0 ? 0 : 1) }),
  });
}

/** The end of an answer is what it comes to. */
function shown(text: string): string {
  return text.length <= answerLimits.member ? text : `…${text.slice(-answerLimits.member)}`;
}

/** Waits, but not longer than the run goes on. */
async function pause(context: RunContext, milliseconds: number): Promise<void> {
  const { signal } = context.halt;
  if (signal.aborted) return;
  const aborted = new Promise<void>((resolve) => { signal.addEventListener('abort', () => resolve(), { once: true }); });
  await Promise.race([context.deps.timers.sleep(milliseconds), aborted]);
}
