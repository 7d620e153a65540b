/** docs/telemetry.md says what the tables of names and variables say, and nothing else. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseYaml } from '../../lib/entry/yaml.ts';
import { attribute, spanNames } from '../../lib/telemetry/names.ts';
import { isDropReason } from '../../lib/app/telemetry/handover.ts';
import { table } from '../../lib/config/config.ts';
import { blocks, page } from '../support/page.ts';
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
  const [yaml = ''] = blocks(text, 'yaml');
  const { enterprise } = parseYaml(yaml) as { readonly enterprise: { readonly telemetry: Readonly<Record<string, unknown>> } };
  const used = [...Object.keys(enterprise.telemetry).map((key) => `enterprise.telemetry.${key}`), ...[...text.matchAll(/`((?:enterprise|residency)\.[a-z_.]+)(?:: \w+)?`/g)].map(([, key]) => key ?? '')];
  assert.deepEqual(used.filter((key) => !keys.has(key) && key !== 'enterprise.telemetry'), []);
});
