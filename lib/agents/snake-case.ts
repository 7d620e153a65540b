/** Hook inputs in the form that Claude Code began and others took over: `hook_event_name` and members in snake case. */
import type { EventBase, HookEvent, HookSurroundings, Worker } from './hook.ts';
import { invalid, Payload } from './payload.ts';

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

function baseOf(input: Payload, event: string): EventBase {
  const worker = workerIn(input);
  const texts = { sessionId: 'session_id', cwd: 'cwd', model: 'model', mode: 'permission_mode', transcript: 'transcript_path' } as const;
  const told = Object.entries(texts).flatMap(([name, member]) => (input.maybeName(member) === undefined ? [] : [[name, input.name(member)] as const]));
  return { event, ...Object.fromEntries(told), ...(worker === undefined ? {} : { worker }) };
}

/** The subagent that the event comes from. */
export function workerIn(input: Payload): Worker | undefined {
  const id = input.maybeName('agent_id');
  return id === undefined ? undefined : { id, type: input.maybeName('agent_type') ?? 'unknown' };
}
