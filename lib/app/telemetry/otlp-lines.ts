/**
 * Lines of OTLP files, ours or a collector's: which signal a line is of, and how many items it holds, or what is wrong with it. Whoever wrote
 * them is not trusted: a line is parsed whole before it is sent on, its length and depth are bounded, and words about it never quote it.
 */
import type { ReadFile } from '../../ports.ts';
import { isPlainObject, jsonIn } from '../../base/json.ts';
import { envelopeNames } from '../../formats/otlp/envelope.ts';
import { signals, type Batch } from '../../telemetry/batch.ts';

/** A request larger than that is taken by no receiver that keeps to the specification's default (64 MiB). */
export const longestLine: number = 64 << 20;
const chunkBytes = 1 << 18;
const lineFeed = 10;

/** A line with its number, from 1; `text` is undefined when it is longer than is read. */
export interface NumberedLine {
  readonly number: number;
  readonly text: string | undefined;
  /** Bytes of the file up to its end. */
  readonly end: number;
}

/** Every line that is not empty. A last one without line feed counts. */
export function* readLines(file: ReadFile): Generator<NumberedLine> {
  let [number, at, pending, pendingBytes] = [0, 0, [] as Uint8Array[], 0];
  const take = (end: number): NumberedLine => {
    number += 1;
    const text = pendingBytes > longestLine ? undefined : Buffer.concat(pending).toString('utf8').trim();
    [pending, pendingBytes] = [[], 0];
    return { number, text, end };
  };
  const keep = (bytes: Uint8Array): void => {
    pendingBytes += bytes.length;
    if (pendingBytes <= longestLine) pending.push(Uint8Array.from(bytes));
    else pending = [];
  };
  for (;;) {
    const bytes = file.read(at, chunkBytes);
    if (bytes.length === 0) break;
    let start = 0;
    for (let end = bytes.indexOf(lineFeed); end >= 0; end = bytes.indexOf(lineFeed, start)) {
      keep(bytes.subarray(start, end));
      const line = take(at + end + 1);
      if (line.text !== '') yield line;
      start = end + 1;
    }
    keep(bytes.subarray(start));
    at += bytes.length;
  }
  if (pendingBytes > 0) {
    const line = take(at);
    if (line.text !== '') yield line;
  }
}

const pointKinds = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'] as const;

/** What a line is. An empty message is one of no items. */
export function batchIn(text: string): Batch | { readonly wrong: string } {
  const value = jsonIn(text);
  if (value === undefined) return { wrong: 'it is no JSON' };
  if (!isPlainObject(value)) return { wrong: 'it is no JSON object' };
  const found = signals.filter((one) => value[envelopeNames[one].resources] !== undefined);
  const [signal] = found;
  if (signal === undefined) return { wrong: 'it has neither resourceSpans nor resourceMetrics nor resourceLogs' };
  if (found.length > 1) return { wrong: `it has ${found.map((one) => envelopeNames[one].resources).join(' and ')}; a line is of one signal` };
  try {
    const { resources, scopes, items: name } = envelopeNames[signal];
    const items = lists(value, [resources, scopes, name]);
    // A message spread over lines cannot be a line; what JSON.parse has read has no line feed but between its tokens.
    return { signal, body: text, items: signal === 'metrics' ? items.reduce((sum, metric) => sum + pointsOf(metric), 0) : items.length };
  } catch (error) {
    return { wrong: error instanceof WrongShape ? error.message : 'it cannot be read' };
  }
}

class WrongShape extends Error {}

/** Everything at the end of a way through lists of objects. */
function lists(from: Record<string, unknown>, [name = '', ...rest]: readonly string[]): readonly Record<string, unknown>[] {
  const list = from[name] ?? [];
  if (!Array.isArray(list) || !list.every(isPlainObject)) throw new WrongShape(`${name} is no list of objects`);
  return rest.length === 0 ? list : list.flatMap((each) => lists(each, rest));
}

function pointsOf(metric: Record<string, unknown>): number {
  return pointKinds.reduce((sum, kind) => sum + (isPlainObject(metric[kind]) ? lists(metric[kind], ['dataPoints']).length : 0), 0);
}
