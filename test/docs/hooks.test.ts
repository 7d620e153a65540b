/** docs/hooks.md names the files, checks, commands and flags that the program has. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentNames, hookFile, scopes, type SettingsPlaces } from '../../lib/agents/settings/places.ts';
import { agentChecks } from '../../lib/app/hooks/checks.ts';
import { loadCommands } from '../../cli/reference.ts';
import { page } from '../support/page.ts';

const name = 'docs/hooks.md';
const places: SettingsPlaces = { project: '/p', home: '/h', claudeHome: '/h/.claude', codexHome: '/h/.codex', configHome: '/h/.config', machine: '', platform: 'linux' };

test('the table of settings files is the program\'s', (t) => {
  const text = page(t, name);
  if (text === undefined) return;
  for (const agent of agentNames) {
    const cells = scopes.map((scope) => hookFile(agent, scope, places)?.replace(/^\/p\//, '').replace(/^\/h\//, '~/'));
    const row = `| \`${agent}\` | ${cells.map((cell) => (cell === undefined ? '–' : `\`${cell}\``)).join(' | ')} |`;
    assert.ok(text.includes(row), row);
  }
});

test('every check of hooks is told, in its order', (t) => {
  const text = page(t, name);
  if (text === undefined) return;
  const section = text.slice(text.indexOf('### Whether they are in force'), text.indexOf('### Taking them out'));
  assert.deepEqual([...section.matchAll(/^\| `(\w+)` \| /gm)].map(([, check]) => check), agentChecks.map((check) => check.name));
});

test('commands and flags on the page exist', async (t) => {
  const text = page(t, name);
  if (text === undefined) return;
  const commands = await loadCommands();
  for (const [, called = ''] of text.matchAll(/`loki (hooks? \w+|init|doctor hooks)/g)) {
    const words = called.split(' ');
    assert.ok(commands.some(({ row }) => row.name === called || row.name === words[0]) || called === 'doctor hooks', called);
  }
  const install = commands.find(({ row }) => row.name === 'hooks install')?.command.flags.map((flag) => flag.name) ?? [];
  for (const flag of ['scope', 'wait', 'approval']) assert.ok(install.includes(flag) && text.includes(`--${flag}`), flag);
});
