/** docs/scan.md and docs/formats/scan.md: every kind is listed, every command line on the page is one, every member is there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseArgs } from '../../cli/args.ts';
import { command } from '../../cli/commands/scan.ts';
import { scanDocument } from '../../cli/scan-words.ts';
import type { Found } from '../../lib/app/scan/scan.ts';
import { noTotals } from '../../lib/app/scan/totals.ts';
import { sha256Hex } from '../../lib/base/digest.ts';
import { piiKinds } from '../../lib/policy/scan/pii/kinds.ts';
import { blocks, page } from '../support/page.ts';

test('the kinds on the page are those that are looked for', (t) => {
  const text = page(t, 'docs/scan.md');
  if (text === undefined) return;
  const section = text.slice(text.indexOf('## Kinds of personal data'));
  const listed = [...section.matchAll(/^\| `([a-z-]+)` \| (.+) \|$/gm)].map(([, rule, about]) => `${rule}: ${about}`);
  assert.deepEqual(listed, [...new Set(piiKinds.map(({ rule, about }) => `${rule}: ${about}`))]);
});

test('the command lines on the page are understood', (t) => {
  const text = page(t, 'docs/scan.md');
  if (text === undefined) return;
  const lines = [...blocks(text, 'sh'), ...blocks(text, 'yaml')].flatMap((block) => [...block.matchAll(/\bloki scan\b([^#>\n]*)/g)].map(([, rest = '']) => rest.trim().split(/\s+/).filter((word) => word !== '')));
  assert.ok(lines.filter((words) => words.length > 0).length >= 6);
  for (const words of lines) parseArgs(words, { called: 'loki scan', flags: command.flags, operands: command.operands });
});

test('the JSON result has the members of the page, and the fingerprint is what the page says', (t) => {
  const text = page(t, 'docs/formats/scan.md');
  if (text === undefined) return;
  const [shown = ''] = blocks(text, 'json');
  const found: Found = { path: '/p/src/config.txt', line: 1, column: 8, endLine: 1, endColumn: 25, type: 'pii', rule: 'email', confidence: 'high', fingerprint: sha256Hex('jane@firma.de').slice(0, 16) };
  const totals = { ...noTotals(), files: 12, bytes: 48213 };
  totals.skipped.binary = 1;
  assert.deepEqual(JSON.parse(shown), JSON.parse(JSON.stringify(scanDocument([found], totals, '/p'))));
});
