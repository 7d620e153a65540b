/** Replaying ends where a receiver stops answering or a person stops it, and says from which line it goes on. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { batchIn, longestLine, readLines } from '../../../lib/app/telemetry/otlp-lines.ts';
import { replay, type ReplaySource } from '../../../lib/app/telemetry/replay.ts';
import type { ReadFile } from '../../../lib/ports.ts';
import type { Batch, CountDrops, Destination, Signal } from '../../../lib/telemetry/batch.ts';
import { fixture } from '../../support/root.ts';
import { telemetryRoom } from '../../support/telemetry-room.ts';
import { readFileSync } from 'node:fs';

const line = (name: string): string => JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [{ name }] }] }] });

function source(t: { after(undo: () => void): void }, lines: readonly string[], fromLine = 1): ReplaySource {
  const { home, disk } = telemetryRoom(t);
  const path = join(home, 'x.jsonl');
  writeFileSync(path, lines.join('\n'));
  const file = disk.openRead(path);
  assert.ok(file !== undefined);
  t.after(() => file.close());
  return { name: 'x.jsonl', file, fromLine };
}

interface Answering {
  readonly got: string[];
  make(countDrops: CountDrops): readonly Destination[];
}

/** Answers the first so many lines. */
function answering(times: number, signals: readonly Signal[] = ['traces']): Answering {
  const got: string[] = [];
  return {
    got,
    make: (countDrops) => [{
      name: 'r', signals, temporality: 'cumulative', offer: ({ body }: Batch) => { got.push(body); }, flush: () => Promise.resolve(got.length <= times),
      close: () => {
        if (got.length > times) countDrops('traces', 'shutdown', 1);
        return Promise.resolve();
      },
    }],
  };
}

test('a receiver that stops answering: what it has is not sent again, and nothing is called dropped', async (t) => {
  const lines = ['a', 'b', 'c', 'd'].map(line);
  const receiver = answering(2);
  const { signal } = new AbortController();
  const first = await replay([source(t, lines), source(t, lines)], { destinations: receiver.make, signal, patienceMs: 10 });
  assert.deepEqual([first.ended, first.files.length, first.files[0]?.lines, first.files[0]?.next_line, first.dropped.traces], ['unreachable', 1, 2, 3, {}]);
  const rest = answering(9);
  const second = await replay([source(t, lines, first.files[0]?.next_line ?? 0)], { destinations: rest.make, signal, patienceMs: 10 });
  assert.deepEqual([second.ended, second.files[0]?.next_line, rest.got], [null, null, lines.slice(2)]);
});

test('an interruption while a receiver is waited for ends it', async (t) => {
  const stop = new AbortController();
  const never: Destination = { name: 'r', signals: ['traces'], temporality: 'cumulative', offer: () => stop.abort(), flush: () => new Promise(() => undefined), close: () => Promise.resolve() };
  const report = await replay([source(t, [line('a')])], { destinations: () => [never], signal: stop.signal, patienceMs: 60_000 });
  assert.deepEqual([report.ended, report.files[0]?.next_line], ['interrupted', 1]);
});

test('lines of a signal that no receiver takes are told, and many bad ones are counted', async (t) => {
  const { signal } = new AbortController();
  const logs = JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [{}, {}] }] }] });
  const report = await replay([source(t, [logs, ...new Array<string>(30).fill('{'), line('a')])], { destinations: answering(9).make, signal, patienceMs: 10 });
  assert.deepEqual(report.files.map(({ lines, unwanted, bad_lines, bad, items }) => [lines, unwanted, bad_lines, bad.length, items]), [[1, 1, 30, 20, { traces: 1 }]]);
});

test('messages of every signal are told apart and counted', () => {
  for (const signal of ['traces', 'metrics', 'logs'] as const) {
    const found = batchIn(JSON.stringify(JSON.parse(readFileSync(fixture(`otlp/${signal}.json`), 'utf8'))));
    assert.ok('signal' in found && found.signal === signal && found.items > 0, signal);
  }
});

test('lines over the edges of what is read at once, of bytes beyond ASCII, and a last one without line feed', (t) => {
  const texts = ['a'.repeat((1 << 18) - 1), 'é'.repeat(200_000), '', '  ', 'x', 'z'.repeat(3 << 18)];
  const { file } = source(t, texts);
  assert.deepEqual([...readLines(file)].map(({ number, text }) => [number, text]), texts.map((text, at) => [at + 1, text.trim()]).filter(([, text]) => text !== ''));
});

test('a line longer than any receiver takes is not held in memory, and the next is read', () => {
  const [head, tail] = [longestLine + 10, Buffer.from('\nx')];
  const file: ReadFile = {
    stat: () => { throw new Error('not asked'); }, close: () => undefined,
    read: (position, length) => (position < head ? Buffer.alloc(Math.min(length, head - position), 97) : tail.subarray(position - head, position - head + length)),
  };
  assert.deepEqual([...readLines(file)].map(({ number, text }) => [number, text]), [[1, undefined], [2, 'x']]);
});
