/** docs/authentication.md, and what README.md says of the control plane, against the program: commands that parse, roles as they are. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseArgs } from '../../cli/args.ts';
import { findCommand } from '../../cli/find-command.ts';
import { commandTable, groupTable } from '../../cli/table.ts';
import { roleScopes } from '../../lib/server/principal.ts';
import { blocks, page } from '../support/page.ts';

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
