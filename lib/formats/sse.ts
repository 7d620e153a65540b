/**
 * Server-sent events as text (HTML Living Standard, section 9.2). Refuses what would end a field early: a line break or NUL
 * in an id or an event name. Data may hold any line breaks; each of its lines becomes a field of its own.
 */
import { LokiError } from '../errors.ts';

/** One event. Without a name the browser calls it `message`; without an id the last id stays. */
export interface ServerSentEvent {
  readonly id?: string;
  readonly event?: string;
  readonly data: string;
}

/** One event, ended by the empty line that dispatches it. */
export function sseEvent({ id, event, data }: ServerSentEvent): string {
  const fields: string[] = [];
  if (event !== undefined) fields.push(`event: ${oneLine('name', event)}`);
  if (id !== undefined) fields.push(`id: ${oneLine('id', id)}`);
  for (const line of data.split(/\r\n|\r|\n/)) fields.push(`data: ${line}`);
  return `${fields.join('\n')}\n\n`;
}

/** A comment: ignored by every reader, and so fit to keep a quiet connection open. */
export function sseComment(text: string): string {
  return `: ${oneLine('comment', text)}\n\n`;
}

/** Tells the reader how long to wait before it connects again. */
export function sseRetry(milliseconds: number): string {
  return `retry: ${Math.max(0, Math.round(milliseconds))}\n\n`;
}

function oneLine(what: string, text: string): string {
  if (!/[\r\n\0]/.test(text)) return text;
  throw new LokiError('internal', { attempted: 'write a server-sent event', found: `its ${what} holds a line break or NUL` });
}
