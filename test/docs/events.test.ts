/** docs/events.md is held against the program: the same events in the same order, each with its level, each with a place or a feature to come. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventNames, isEventName, usualLevel } from '../../lib/audit/events.ts';
import { hasSources, page } from '../support/page.ts';
import { packageRoot } from '../support/root.ts';

const name = 'docs/events.md';

interface Row {
  readonly event: string;
  readonly level: string;
  readonly when: string;
  readonly details: string;
}

function rowsOf(text: string): readonly Row[] {
  return [...text.matchAll(/^\| `([a-z._]+)` \| (\w+) \| (.*?) \| ?(.*?) ?\|$/gm)].map(([, event = '', level = '', when = '', details = '']) => ({ event, level, when, details }));
}

test('every event stands on the page once, in the program\'s order, with its level', (t) => {
  const text = page(t, name);
  if (text === undefined) return;
  const rows = rowsOf(text);
  assert.deepEqual(rows.map(({ event }) => event), eventNames);
  for (const { event, level } of rows) assert.ok(isEventName(event) && usualLevel(event) === level, `${event} is ${level}`);
});

/** Files that name events without recording them. */
const onlySpeakOf = /^lib\/audit\/(?:events|export\/.*|query.*|summary)\.ts$|^lib\/app\/doctor\//;

function filesBelow(folder: string): readonly string[] {
  return readdirSync(join(packageRoot, folder)).map((each) => `${folder}/${each}`)
    .flatMap((path) => (statSync(join(packageRoot, path)).isDirectory() ? filesBelow(path) : path.endsWith('.ts') ? [path] : []));
}

test('an event is recorded somewhere in the program, or the page says what it waits for, and never both', (t) => {
  const text = page(t, name);
  if (text === undefined || !hasSources(t)) return;
  const sources = [...filesBelow('lib'), ...filesBelow('cli')].filter((path) => !onlySpeakOf.test(path)).map((path) => readFileSync(join(packageRoot, path), 'utf8'));
  for (const { event, when, details } of rowsOf(text)) {
    const isRecorded = sources.some((source) => source.includes(`'${event}'`));
    const isLater = when.startsWith('later: ');
    assert.equal(isRecorded, !isLater, `${event}: the page says "${when}", and the program ${isRecorded ? 'names it' : 'never names it'}`);
    assert.equal(details === '', isLater, `${event} has details on the page when it is recorded`);
  }
});

test('the page of the format leads to it', (t) => {
  const format = page(t, 'docs/formats/audit.md');
  if (format === undefined) return;
  assert.match(format, /\(\.\.\/events\.md\)/);
  assert.ok(existsSync(join(packageRoot, name)));
});
