import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Disk } from '../../lib/ports.ts';
import { levels } from '../../lib/audit/events.ts';
import { queryLog } from '../../lib/audit/query.ts';
import { summarize, type AuditSummary } from '../../lib/audit/summary.ts';
import { summaryOf } from '../support/summary-of.ts';
import { createFaultFiles, faultDisk } from '../support/fault-files.ts';
import { forAll } from '../support/property.ts';
import { directory, home } from './support.ts';

function diskWith(text: string | Uint8Array, name = 'audit-2026-02-15.jsonl'): Disk {
  const files = createFaultFiles();
  files.makeDirectory(home, 0o700);
  const disk = faultDisk(files);
  disk.ensureDirectory(home, directory, 0o700);
  disk.replace(home, `${directory}/${name}`, Buffer.from(text), 0o600);
  return disk;
}

function line(seq: number, members: Readonly<Record<string, unknown>> = {}): string {
  return `${JSON.stringify({ seq, timestamp: '2026-02-15T14:30:00.000Z', event: 'policy.allow', level: 'info', actor: 'agent:claude', details: {}, metadata: {}, ...members, chain_hash: 'a'.repeat(64) })}\n`;
}

/** What parsing every line gives. */
function slowly(disk: Disk, range: { readonly from?: string; readonly to?: string } = {}): Pick<AuditSummary, 'total_events' | 'by_type' | 'by_level' | 'by_actor'> {
  const entries = [...queryLog(disk, directory, range)];
  const counts = (of: (entry: (typeof entries)[number]) => string): Readonly<Record<string, number>> => {
    const found = new Map<string, number>();
    for (const entry of entries) found.set(of(entry), (found.get(of(entry)) ?? 0) + 1);
    return Object.fromEntries(found);
  };
  return { total_events: entries.length, by_type: counts(({ event }) => event), by_level: counts(({ level }) => level), by_actor: counts(({ actor }) => (typeof actor === 'string' ? actor : '(encrypted)')) };
}

test('counting by bytes gives what parsing every line gives, whatever the lines are', () => {
  forAll<readonly string[]>({ runs: 60, show: (lines) => lines.join('') }, (draw) => draw.list(0, 60, () => {
    const members = {
      timestamp: draw.pick(['2026-02-15T14:30:00.000Z', '2026-02-15T14:30:00.001Z', '2026-02-15T15:00:00.000Z']), event: draw.pick(['policy.allow', 'policy.deny', 'x', '']), level: draw.pick(levels),
      actor: draw.pick<unknown>(['agent:claude', 'user:"q"', 'user:\\', 'ü', '', 'a","details":{"x":"', { $enc: 1, kid: 'k' }, 'system']),
    };
    const text = line(draw.integer(1, 9999), members);
    return draw.pick([text, text, text, text, text.replace('"event":', '"event": '), text.replace('user', 'us\\u0065r'), text.replace('"level"', '"Level"'), text.slice(0, 60), `${text.slice(0, -3)}\n`, 'none\n', '\n', `${' '.repeat(70)}${text}`]);
  }), (lines) => {
    const disk = diskWith(lines.join(''));
    for (const range of [{}, { from: '2026-02-15T14:30:00.001Z' }, { to: '2026-02-15T14:30:00.001Z' }, { from: '2026-02-15T14:30:00.001Z', to: '2026-02-15T14:30:00.001Z' }]) {
      assert.deepEqual(summaryOf(disk, directory, range), { ...slowly(disk, range) });
    }
  });
});

test('counts are sorted, the largest first, and by name where they are equal', () => {
  const disk = diskWith([line(1, { actor: 'b' }), line(2, { actor: 'c' }), line(3, { actor: 'c' }), line(4, { actor: 'a' })].join(''));
  assert.deepEqual(Object.entries(summaryOf(disk, directory, {}).by_actor), [['c', 2], ['a', 1], ['b', 1]]);
});

test('a log of any number of names is counted in bounded memory, and the total is right', () => {
  const disk = diskWith(Array.from({ length: 30_000 }, (_, at) => line(at + 1, { actor: `user:${at}` })).join(''));
  const { total_events, by_actor } = summaryOf(disk, directory, {});
  assert.equal(total_events, 30_000);
  assert.equal(Object.keys(by_actor).length, 10_001);
  assert.equal(by_actor['(others)'], 20_000);
});

test('protected actors are counted under what the reader of their keys says', () => {
  const disk = diskWith([line(1, { actor: { $enc: 1, kid: 'a' } }), line(2, { actor: { $enc: 1, kid: 'b' } }), line(3)].join(''));
  assert.deepEqual(summaryOf(disk, directory, {}).by_actor, { '(encrypted)': 2, 'agent:claude': 1 });
  const actorOf = (entry: { readonly seq: number }): string => (entry.seq === 1 ? 'user:alice' : '(erased)');
  assert.deepEqual(summaryOf(disk, directory, {}, { actorOf }).by_actor, { '(erased)': 1, 'agent:claude': 1, 'user:alice': 1 });
});

test('others have a turn while a large log is counted', () => {
  const disk = diskWith(Array.from({ length: 20_000 }, (_, at) => line(at + 1)).join(''));
  const counting = summarize(disk, directory, {});
  assert.deepEqual(counting.next(), { done: false, value: undefined });
});
