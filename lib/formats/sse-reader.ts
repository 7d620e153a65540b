/**
 * Server-sent events out of lines (HTML Living Standard, section 9.2.6). Comments and fields that are not known are left out, as
 * is an event that breaks off before its empty line. Refuses events larger than what a reader would hold.
 */
import { LokiError } from '../errors.ts';

/** One event. `id` is the last one that was given, as a reader sends it to go on. */
export interface ReadEvent {
  readonly event: string;
  readonly data: string;
  readonly id: string | undefined;
}

const mostData = 16 * 1024 * 1024;

/** The events in the lines; `lastId` is the one that the reader went on from. */
export async function* readEvents(lines: AsyncIterable<string>, lastId?: string): AsyncGenerator<ReadEvent> {
  let [event, id]: [string, string | undefined] = ['', lastId];
  let data: string[] = [];
  let size = 0;
  for await (const line of lines) {
    if (line === '') {
      if (data.length > 0) yield { event: event === '' ? 'message' : event, data: data.join('\n'), id };
      [event, data, size] = ['', [], 0];
      continue;
    }
    const [, name = '', value = ''] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (name === 'event') event = value;
    else if (name === 'id' && !value.includes('\0')) id = value;
    else if (name === 'data') {
      size += value.length;
      if (size > mostData) throw new LokiError('request.large', { attempted: 'read an event stream', found: `one event has more than ${mostData} characters` });
      data.push(value);
    }
  }
}
