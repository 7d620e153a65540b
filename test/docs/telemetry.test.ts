/** docs/telemetry.md says what the tables of names and variables say, and nothing else. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseYaml } from '../../lib/entry/yaml.ts';
import { attribute, spanNames } from '../../lib/telemetry/names.ts';
import { isDropReason } from '../../lib/app/telemetry/handover-names.ts';
import { table } from '../../lib/config/config.ts';
import { startCollector } from '../support/fake-collector.ts';
import { blocks, page } from '../support/page.ts';
import { endOf } from '../support/child.ts';
import { packageRoot } from '../support/root.ts';
import { variableTable } from '../support/telemetry-table.ts';

const name = 'docs/telemetry.md';
const start = 'LOKI_UPDATE_DOCS=1 writes it -->\n';
const end = '<!-- end -->';

/** Rows of the tables under a heading: the code words of their first cells. */
function words(text: string, heading: string): readonly string[] {
  const section = text.split(/^## /m).find((one) => one.startsWith(`${heading}\n`)) ?? '';
  const cells = [...section.matchAll(/^\| (.*?) \|/gm)].map(([, cell]) => cell ?? '');
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, word]) => word ?? ''));
}

/** What stands for a part of a name that is known only then. */
const placeholders: Readonly<Record<string, readonly string[]>> = {
  phase: ['REASON'], qualityGate: ['<name>'], agent: ['<type>', '<action>'], tool: ['<tool>'], council: ['<reviewer>'], request: ['<METHOD>', '<route>'], command: ['<command>'],
};

test('every span is in the table', (t) => {
  const text = page(t, name);
  if (text === undefined) return;
  const shown = words(text, 'Spans');
  for (const [key, made] of Object.entries(spanNames)) {
    const [one = '', other = ''] = placeholders[key] ?? [];
    const span = typeof made === 'string' ? made : made(one, other);
    assert.ok(shown.includes(span), `${span} is in the table`);
  }
});

test('every attribute is in the table, and no other', (t) => {
  const text = page(t, name);
  if (text === undefined) return;
  const known = Object.values(attribute) as readonly string[];
  const shown = words(text, 'Spans').filter((word) => /^(loki|gen_ai|http|url|server|error|process)\.[a-z_.]+$/.test(word));
  assert.deepEqual([...new Set(shown)].sort(), [...known].sort());
});

test('every variable is in the table, as it is read', (t) => {
  const text = page(t, name);
  if (text === undefined) return;
  const from = text.indexOf(start) + start.length;
  const to = text.indexOf(end);
  if (process.env['LOKI_UPDATE_DOCS'] === '1') writeFileSync(join(packageRoot, name), `${text.slice(0, from)}${variableTable()}\n${text.slice(to)}`);
  else assert.equal(text.slice(from, to), `${variableTable()}\n`);
});

test('reasons for drops are those that are counted', (t) => {
  const text = page(t, name);
  if (text === undefined) return;
  const listed = /The reasons: (.*)$/m.exec(text)?.[1] ?? '';
  const reasons = [...listed.matchAll(/`([a-z_]+)`/g)].map(([, reason]) => reason);
  assert.equal(reasons.length, 8);
  assert.deepEqual(reasons.filter((reason) => !isDropReason(reason)), []);
});

test('settings that it names are settings', (t) => {
  const text = page(t, name);
  if (text === undefined) return;
  const keys = new Set(table.map(({ key }) => key));
  const files = blocks(text, 'yaml').map((yaml) => parseYaml(yaml) as { readonly enterprise: { readonly telemetry: Readonly<Record<string, unknown>> } });
  const used = [...files.flatMap(({ enterprise }) => Object.keys(enterprise.telemetry).map((key) => `enterprise.telemetry.${key}`)), ...[...text.matchAll(/`((?:enterprise|residency)\.[a-z_.]+)(?:: \w+)?`/g)].map(([, key]) => key ?? '')];
  assert.deepEqual(used.filter((key) => !keys.has(key) && key !== 'enterprise.telemetry'), []);
});

test('the program of the page tells what it does', async (t) => {
  const text = page(t, name);
  if (text === undefined) return;
  const collector = await startCollector(t);
  const folder = mkdtempSync(join(tmpdir(), 'loki-telemetry-page-'));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(packageRoot, join(folder, 'node_modules/loki-enterprise'));
  writeFileSync(join(folder, 'bakery.mjs'), blocks(text, 'js')[0] ?? '');
  const run = (env: Readonly<Record<string, string>>): ReturnType<typeof endOf> => endOf(spawn(process.execPath, ['bakery.mjs'], { cwd: folder, env: { PATH: process.env['PATH'], ...env } }));
  assert.deepEqual(await run({ ENDPOINT: collector.url }), { exit: 0, signal: null, stdout: '', stderr: '' });
  const [span] = collector.spans();
  assert.deepEqual([span?.name, span?.attributes, span?.resource['service.name']], ['bake', { 'bread.kind': 'rye' }, 'bakery']);
  assert.deepEqual(collector.metrics().map((metric) => [metric.name, metric.unit, metric.points[0]?.value, metric.points[0]?.attributes]), [['bakery.loaves', '{loaf}', 12, { shelf: 'top' }]]);
  assert.deepEqual(collector.logs().map((record) => [record.eventName, record.body, record.spanId]), [['bakery.sold_out', 'No rye is left', span?.spanId]]);
  const asked = collector.received.length;
  assert.deepEqual(await run({}), { exit: 0, signal: null, stdout: '', stderr: '' }, 'without an endpoint it does nothing');
  assert.equal(collector.received.length, asked);
});
