import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadCommands, referenceText } from '../../cli/reference.ts';
import { packageRoot } from '../support/root.ts';

const file = join(packageRoot, 'docs', 'cli.md');

test('docs/cli.md is what the tables say: every command and flag, and nothing else', async (t) => {
  const text = referenceText(await loadCommands());
  if (process.env['LOKI_UPDATE_GOLDEN'] === '1') writeFileSync(file, text);
  // A vendored copy of dist/ comes without docs/.
  if (!existsSync(join(packageRoot, 'docs'))) return t.diagnostic('there is no docs folder here');
  assert.equal(readFileSync(file, 'utf8'), text, 'write it anew with LOKI_UPDATE_GOLDEN=1');
});

test('the reference has a section for each command, and its list links to it', async () => {
  const commands = await loadCommands();
  const text = referenceText(commands);
  const sections = [...text.matchAll(/^## loki (.+)$/gm)].map(([, name]) => name);
  assert.deepEqual(sections, commands.map(({ row }) => row.name));
  for (const name of sections) assert.ok(text.includes(`(#loki-${(name ?? '').replaceAll(' ', '-')})`), name);
});
