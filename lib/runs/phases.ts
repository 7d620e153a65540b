/**
 * The four phases. Each calls the provider or the checks and returns the move it earned together with the step that
 * completes it, so that a phase's results and the move to the next phase are one transaction: a phase that did not
 * complete has left nothing behind but what it showed on the way.
 */
import { newId } from '../base/ids.ts';
import type { AgentMessage } from './answer.ts';
import { answerLimits } from './answer.ts';
import { callProvider } from './call.ts';
import { changesOf, judgeChanges } from './changes.ts';
import { auditOf, type PhaseResult, type RunContext } from './context.ts';
import { actPrompt, reasonPrompt, reflectPrompt, type PromptMaterial } from './prompts.ts';
import type { Phase } from './run.ts';
import type { Task } from './task.ts';
import { verify } from './verify.ts';

/** What each phase does. */
export const phaseWork: Readonly<Record<Phase, (context: RunContext) => Promise<PhaseResult>>> = { REASON: reason, ACT: act, REFLECT: reflect, VERIFY: verify };

/** What every prompt draws on. */
export function materialOf(context: RunContext): PromptMaterial {
  const { progress } = context.timeline;
  return { prd: context.prd.text, iteration: progress.iteration, maxIterations: context.settings.max_iterations, tasks: context.tasks, feedback: progress.feedback };
}

/** Plans: tasks the agent names and that the run does not have yet are made. */
async function reason(context: RunContext): Promise<PhaseResult> {
  const { messages } = await callProvider(context, { phase: 'REASON', role: 'agent', prompt: reasonPrompt(materialOf(context)) });
  const created = newTasks(context, messages);
  context.tasks = [...context.tasks, ...created];
  const missing = context.tasks.length === 0
    ? [{ event_type: 'log', details: { level: 'warning', message: 'The agent named no task; it goes on with the document alone' } } as const]
    : [];
  return {
    move: 'done',
    step: {
      audit: created.map((task) => taskEntry(context, 'task.create', task)),
      events: [...missing, ...created.map(({ id, title, priority }) => ({ event_type: 'log', details: { level: 'info', message: `Task: ${title}`, task_id: id, priority } } as const))],
      tasks: created,
      progress: (before) => ({ ...before, task_ids: [...before.task_ids, ...created.map(({ id }) => id)] }),
    },
  };
}

function newTasks(context: RunContext, messages: readonly AgentMessage[]): readonly Task[] {
  const { deps, place } = context;
  const known = new Set(context.tasks.map(({ title }) => title.toLowerCase()));
  const created: Task[] = [];
  for (const message of messages) {
    if (message.type !== 'task' || known.has(message.title.toLowerCase())) continue;
    if (context.tasks.length + created.length >= answerLimits.tasks) break;
    known.add(message.title.toLowerCase());
    const now = deps.clock.now();
    const at = new Date(now).toISOString();
    created.push({
      id: newId('task', now, deps.random.bytes(10)), project_id: place.project.id, title: deps.redact(message.title), description: deps.redact(message.description),
      status: 'pending', priority: message.priority, created_at: at, updated_at: at,
    });
  }
  return created;
}

/** Works: open tasks are begun, then the agent acts through the gate. */
async function act(context: RunContext): Promise<PhaseResult> {
  const begun = moveTasks(context, 'in_progress', ({ status }) => status === 'pending');
  if (begun.length > 0) {
    await context.timeline.write({ audit: begun.map((task) => taskEntry(context, 'task.start', task)), tasks: begun });
  }
  await callProvider(context, { phase: 'ACT', role: 'agent', prompt: actPrompt(materialOf(context)) });
  return { move: 'done', step: {} };
}

/** Reviews: the agent sees its own changes. Changes that the data policy refuses are not put into the prompt. */
async function reflect(context: RunContext): Promise<PhaseResult> {
  const changes = await changesOf(context);
  const refusals = changes === undefined ? [] : (await judgeChanges(context, changes, 'take as refused')).refusals;
  const diff = changes === undefined ? '(the project is in no git repository: no diff)'
    : refusals.length === 0 ? changes.text
    : `(withheld by data policy: ${refusals.join('; ')})`;
  await callProvider(context, { phase: 'REFLECT', role: 'agent', prompt: reflectPrompt(materialOf(context), diff) });
  return { move: 'done', step: {} };
}

/** Sets the status of those tasks that `which` picks, in the context and as returned for the store. */
export function moveTasks(context: RunContext, status: Task['status'], which: (task: Task) => boolean): readonly Task[] {
  const at = new Date(context.deps.clock.now()).toISOString();
  const moved = context.tasks.filter(which).map((task) => ({ ...task, status, updated_at: at > task.updated_at ? at : task.updated_at }));
  const byId = new Map(moved.map((task) => [task.id, task]));
  context.tasks = context.tasks.map((task) => byId.get(task.id) ?? task);
  return moved;
}

export function taskEntry(context: RunContext, event: 'task.create' | 'task.start' | 'task.complete' | 'task.fail', task: Task): ReturnType<typeof auditOf> {
  return auditOf(context, event, { resource: `task:${task.id}`, details: { title: task.title, status: task.status, run_id: context.timeline.run.id } });
}
