/**
 * What readers of agents' streams share. Lines are hostile: an agent prints what a model wrote, and a model may have been told
 * what to write. So a line that is no object is counted and left, every text is cut, every number checked, every list bounded.
 */
import { isPlainObject } from '../../base/json.ts';
import type { StreamEvent, StreamReader } from './headless.ts';

/** Bounds of one event. */
export const streamLimits: Readonly<Record<'text' | 'target' | 'error' | 'id' | 'list' | 'remembered' | 'tokens', number>> = { text: 256 * 1024, target: 300, error: 1000, id: 200, list: 1000, remembered: 100_000, tokens: 1e12 };

export type Line = Readonly<Record<string, unknown>>;

/** A reader out of what is done with each object; `undefined` is no line of this agent. */
export function lineReader(handle: (line: Line) => readonly StreamEvent[] | undefined): StreamReader {
  let strange = 0;
  return {
    read(line) {
      const value = parsed(line);
      const events = value === undefined ? undefined : handle(value);
      if (events === undefined && line.trim() !== '') strange += 1;
      return events ?? [];
    },
    get strange() { return strange; },
  };
}

function parsed(line: string): Line | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return isPlainObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The object under a name; an empty one when there is none. */
export function objectAt(from: Line, name: string): Line {
  const value = from[name];
  return isPlainObject(value) ? value : {};
}

/** The objects in the list under a name. */
export function objectsAt(from: Line, name: string): readonly Line[] {
  const value = from[name];
  return Array.isArray(value) ? value.slice(0, streamLimits.list).filter(isPlainObject) : [];
}

/** The text under a name, cut; empty when there is none. */
export function textAt(from: Line, name: string, most: number = streamLimits.text): string {
  const value = from[name];
  return typeof value === 'string' ? value.slice(0, most) : '';
}

/** A count; what is none is 0. */
export function countAt(from: Line, name: string): number {
  const value = from[name];
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= streamLimits.tokens ? value : 0;
}

/** Members that say what a call is about, the most telling first. */
const telling = ['command', 'cmd', 'file_path', 'filePath', 'notebook_path', 'path', 'url', 'dir_path', 'pattern', 'query', 'prompt', 'description'];

/** What a call is about, in a line. */
export function targetOf(input: Line): string {
  const name = telling.find((one) => typeof input[one] === 'string');
  return name === undefined ? '' : oneLine(textAt(input, name, streamLimits.target * 4));
}

/** Text as it fits into a line that is shown. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, streamLimits.target);
}

/** All text in what a tool gave: a text, or a list of parts with text. */
export function textIn(value: unknown): string {
  if (typeof value === 'string') return value.slice(0, streamLimits.error);
  if (!Array.isArray(value)) return '';
  return value.slice(0, streamLimits.list).filter(isPlainObject).map((part) => textAt(part, 'text', streamLimits.error)).join('\n').slice(0, streamLimits.error);
}

/** Whether trying again after such an HTTP status ends the same way: the request itself is refused. */
export function isLastingStatus(status: unknown): boolean {
  return typeof status === 'number' && status >= 400 && status < 500 && status !== 408 && status !== 409 && status !== 429;
}
