/** docs/architecture.md and docs/reading-order.md say what is so: the import table, the levels, and files that exist. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { hasSources, page } from '../support/page.ts';
import { packageRoot } from '../support/root.ts';

const name = 'docs/architecture.md';

type Table = ReadonlyMap<string, readonly string[]>;

/** The rows of the page's table of rooms. */
function roomsIn(text: string): Table {
  const rows = [...text.slice(text.indexOf('## Rooms'), text.indexOf('## Who owns')).matchAll(/^\| `(\w+)` \|.*\| ([^|]*) \|$/gm)];
  return new Map(rows.map(([, room = '', cell = '']) => [room, cell === '–' ? [] : cell.split(' ')]));
}

/** The table that test/architecture.test.ts holds against the sources. */
function mayImport(): Table {
  const source = readFileSync(join(packageRoot, 'test', 'architecture.test.ts'), 'utf8');
  const table = source.slice(source.indexOf('const mayImport'), source.indexOf('};', source.indexOf('const mayImport')));
  return new Map([...table.matchAll(/^ {2}'(\w+)': \[([^\]]*)\],$/gm)].map(([, room = '', list = '']) => [room, [...list.matchAll(/'(\w+)'/g)].map(([, each = '']) => each)]));
}

test('the table of rooms is the one that the architecture test enforces', (t) => {
  const text = page(t, name);
  if (text === undefined || !hasSources(t)) return;
  const enforced = mayImport();
  assert.ok(enforced.size >= 15, String(enforced.size));
  assert.deepEqual(Object.fromEntries(roomsIn(text)), Object.fromEntries(enforced));
});

test('every folder of lib/ is a room of the table', (t) => {
  const text = page(t, name);
  if (text === undefined || !hasSources(t)) return;
  const rooms = roomsIn(text);
  const names = readdirSync(join(packageRoot, 'lib')).map((each) => each.replace(/\.ts$/, ''));
  assert.deepEqual([...names, 'cli'].sort(), [...rooms.keys()].sort());
});

test('in the line of levels every arrow of the table goes down', (t) => {
  const text = page(t, name);
  if (text === undefined) return;
  const line = /^As levels, .*$/m.exec(text)?.[0] ?? '';
  const levels = [...line.matchAll(/`([a-z ]+)`(?= <|\.)/g)].map(([, group = '']) => group.split(' '));
  assert.equal(levels.length, 11);
  const levelOf = new Map(levels.flatMap((group, at) => group.map((room) => [room, at] as const)));
  for (const [room, targets] of roomsIn(text)) {
    const level = levelOf.get(room);
    if (level === undefined) continue;
    for (const target of targets) assert.ok((levelOf.get(target) ?? -1) < level, `${room} imports ${target}`);
  }
});

for (const document of [name, 'docs/reading-order.md', 'docs/threat-model.md', 'docs/operations.md', 'docs/formats/audit.md']) {
  test(`files and links that ${document} names exist`, (t) => {
    const text = page(t, document);
    if (text === undefined) return;
    for (const [, target = ''] of text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)) {
      if (/^https?:/.test(target) || (/^(?:\.\.\/)+lib\//.test(target) && !existsSync(join(packageRoot, 'lib', 'errors.ts')))) continue;
      assert.ok(existsSync(join(packageRoot, document, '..', target)), `the link ${target} leads nowhere`);
    }
    if (!hasSources(t)) return;
    for (const [, path = ''] of text.matchAll(/`((?:lib|cli|test|fixtures)\/[\w./-]+)`/g)) assert.ok(existsSync(join(packageRoot, path)), `${path} does not exist`);
  });
}

test('the reading order names twenty files, and each opens with what it is', (t) => {
  const text = page(t, 'docs/reading-order.md');
  if (text === undefined || !hasSources(t)) return;
  const files = [...text.matchAll(/^\d+\. `(lib\/[\w./-]+\.ts)`/gm)].map(([, file = '']) => file);
  assert.equal(files.length, 20);
  assert.equal(new Set(files).size, 20);
  for (const file of files) {
    assert.ok(statSync(join(packageRoot, file)).isFile(), file);
    assert.match(readFileSync(join(packageRoot, file), 'utf8'), /^\/\*\*/, `${file} has no opening comment`);
  }
});
