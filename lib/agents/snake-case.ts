/** Hook inputs in the form that Claude Code began and others took over: `hook_event_name` and members in snake case. */
import type { Action } from '../base/action.ts';
import type { EventBase, HookEvent, HookSurroundings, ToolCall, Worker } from './hook.ts';
import { invalid, Payload, shortTexts } from './payload.ts';
import type { Call } from './tools.ts';

/** Readers of an agent's events by their names. */
export type EventReaders = Readonly<Record<string, (input: Payload, base: EventBase) => HookEvent>>;

/** Reads one input. Throws `action.invalid` for an event that is not in the table, or another than the command was installed for. */
export function readEvent(value: unknown, { event: installed }: HookSurroundings, events: EventReaders): HookEvent {
  const input = new Payload('the hook input', value);
  const event = input.name('hook_event_name');
  const reader = Object.hasOwn(events, event) ? events[event] : undefined;
  if (reader === undefined) throw invalid(`nobody knows the event ${JSON.stringify(event.slice(0, 64))}`);
  if (installed !== undefined && installed !== event) throw invalid(`the event is ${JSON.stringify(event)}, and the command was installed for ${installed}`);
  return reader(input, baseOf(input, event));
}

/** Subagents and the end of a turn, as Claude Code and Codex tell of them. */
export const lifeEvents: EventReaders = {
  SubagentStart: (input, base) => ({ ...base, does: 'spawn', worker: workerIn(input) ?? nobody }),
  SubagentStop: (input, base) => {
    const transcript = input.maybeName('agent_transcript_path');
    return { ...base, does: 'complete', worker: workerIn(input) ?? nobody, ...(transcript === undefined ? {} : { transcript }) };
  },
  Stop: (_input, base) => ({ ...base, does: 'turn' }),
  SessionStart: (input, base) => ({ ...base, does: 'session.start', details: shortTexts(input, ['source', 'model']) }),
  SessionEnd: (input, base) => ({ ...base, does: 'session.stop', details: shortTexts(input, ['reason']) }),
};

const nobody: Worker = { id: 'unknown', type: 'unknown' };

function baseOf(input: Payload, event: string): EventBase {
  const worker = workerIn(input);
  const texts = { sessionId: 'session_id', cwd: 'cwd', model: 'model', mode: 'permission_mode', transcript: 'transcript_path' } as const;
  const told = Object.entries(texts).flatMap(([name, member]) => (input.maybeName(member) === undefined ? [] : [[name, input.name(member)] as const]));
  return { event, ...Object.fromEntries(told), ...(worker === undefined ? {} : { worker }) };
}

/** The call of a tool, and what it would do. */
export function toolCallIn(input: Payload, { cwd }: EventBase, actionOf: (call: Call) => Action): ToolCall {
  const tool = input.name('tool_name');
  const id = input.maybeName('tool_use_id');
  return { tool, action: actionOf({ tool, input: input.object('tool_input'), cwd }), ...(id === undefined ? {} : { id }) };
}

/** The subagent that the event comes from. */
function workerIn(input: Payload): Worker | undefined {
  const id = input.maybeName('agent_id');
  return id === undefined ? undefined : { id, type: input.maybeName('agent_type') ?? 'unknown' };
}
