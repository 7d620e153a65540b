import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseArgs } from '../../cli/args.ts';
import { findCommand } from '../../cli/find-command.ts';
import { loadCommands, referenceText } from '../../cli/reference.ts';
import { commandTable, groupTable } from '../../cli/table.ts';
import { roleScopes } from '../../lib/server/principal.ts';
import { blocks, page } from '../support/page.ts';
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

/** `loki …` wherever it stands in a line of shell, as words. */
function commandsIn(script: string): readonly (readonly string[])[] {
  return script.split('\n').flatMap((line) => [...line.matchAll(/(?:^|[\s(])loki ((?:"[^"]*"|[^\s"#|)>])(?:"[^"]*"|[^#|)>"])*)/g)].map(([, rest = '']) => (rest.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll('"', ''))));
}

for (const name of ['docs/authentication.md', 'README.md']) {
  test(`each command of ${name} is one, with flags that it has`, async (t) => {
    const text = page(t, name);
    if (text === undefined) return;
    const typed = blocks(text, 'console').map((block) => block.split('\n').filter((line) => line.startsWith('$ ')).join('\n'));
    const commands = [...blocks(text, 'sh'), ...typed].flatMap(commandsIn);
    assert.ok(commands.length >= 8, String(commands.length));
    for (const argv of commands) {
      const found = findCommand(argv, commandTable, groupTable);
      assert.equal(found.kind, 'command', argv.join(' '));
      if (found.kind !== 'command') continue;
      const { command } = await found.row.load();
      assert.doesNotThrow(() => parseArgs(found.rest, { called: `loki ${found.row.name}`, flags: command.flags, operands: command.operands }), argv.join(' '));
    }
    for (const [, named = ''] of text.matchAll(/`loki ((?:tenants|projects|tasks|runs|keys|enterprise token) [a-z]+)[^`]*`/g)) assert.ok(commandTable.some((row) => row.name === named), named);
  });
}

test('roles have the scopes that the page gives them', (t) => {
  const text = page(t, 'docs/authentication.md');
  if (text === undefined) return;
  const rows = [...text.matchAll(/^\| `(admin|operator|viewer|auditor)` \| `([a-z ]+)` \|/gm)].map(([, role, scopes = '']) => [role, scopes.split(' ')]);
  assert.deepEqual(rows, Object.entries(roleScopes));
});
