/** Telemetry in words: counts by signal, drops by reason, moments as so long ago. */
import { dropRows, signals, type DropCounts, type Signal } from '../lib/app/telemetry/account.ts';

/** What items of a signal are called, one and many. */
const nouns: Readonly<Record<Signal, readonly [one: string, many: string]>> = { traces: ['span', 'spans'], metrics: ['data point', 'data points'], logs: ['log record', 'log records'] };

export function count(number: number, one: string, many: string = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** `12 spans, 3 log records`; `nothing`. */
export function itemsInWords(items: { readonly [signal in Signal]?: number }): string {
  const told = signals.flatMap((signal) => ((items[signal] ?? 0) > 0 ? [count(items[signal] ?? 0, ...nouns[signal])] : []));
  return told.length === 0 ? 'nothing' : told.join(', ');
}

const reasonWords: Readonly<Record<string, string>> = {
  queue_full: 'more than memory holds', spool_full: 'more than the disk may hold', rejected: 'rejected by the receiver, which took the rest', refused: 'refused by the receiver',
  too_large: 'too large to send', damaged: 'damaged on disk', disk: 'could not be written', shutdown: 'the process ended',
};

/** A line for each signal and reason. */
export function dropsInWords(dropped: DropCounts): readonly string[] {
  return dropRows(dropped).map(([signal, reason, items]) => `${count(items, ...nouns[signal])}: ${reasonWords[reason] ?? reason} (${reason})`);
}

const units: readonly (readonly [ms: number, name: string])[] = [[86_400_000, 'd'], [3_600_000, 'h'], [60_000, 'min'], [1000, 's']];

/** `3 min ago`; `just now` for less than a second, or for what lies ahead. */
export function ago(at: number, now: number): string {
  const passed = now - at;
  const [ms, name] = units.find(([size]) => passed >= size) ?? [0, ''];
  return ms === 0 ? 'just now' : `${Math.floor(passed / ms)} ${name} ago`;
}
