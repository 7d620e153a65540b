/**
 * Names of spool files: `1771165800000-0000000a3f9c2d1e-512.traces.jsonl` is when the batch was made (milliseconds since 1970), a text that
 * no other file has, how many items it holds, and of which signal. Sorted as text they are sorted by time. A name is a claim: it is counted
 * by, and nothing else is decided by it.
 */
import type { Random } from '../../ports.ts';
import { signals, type Signal } from '../batch.ts';

export interface SpoolName {
  readonly madeMs: number;
  readonly items: number;
  readonly signal: Signal;
}

const form = /^(\d{13})-[0-9a-z]{1,40}-(\d{1,9})\.([a-z]+)\.jsonl$/;

/** What a name says; undefined when it is none of ours. */
export function readSpoolName(name: string): SpoolName | undefined {
  const [, made = '', items = '', word] = form.exec(name) ?? [];
  const signal = signals.find((each) => each === word);
  return signal === undefined ? undefined : { madeMs: Number(made), items: Number(items), signal };
}

/** Makes names: each sorts behind the one before, also while the clock goes back. */
export function createSpoolNames(random: Random): (nowMs: number, signal: Signal, items: number) => string {
  const own = Buffer.from(random.bytes(4)).toString('hex');
  let count = 0;
  let last = 0;
  return (nowMs, signal, items) => {
    last = Math.max(last, Math.min(Math.max(0, Math.floor(nowMs)), 9_999_999_999_999));
    count += 1;
    return `${String(last).padStart(13, '0')}-${count.toString(16).padStart(8, '0')}${own}-${items}.${signal}.jsonl`;
  };
}
