import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { completionScript, shells } from '../../cli/completion.ts';
import { loadCommands } from '../../cli/reference.ts';

const commands = await loadCommands();
const hasBash = spawnSync('bash', ['-c', 'exit 0']).status === 0;

/** What bash would offer after these words, the last of which is being typed. */
function offered(...typed: string[]): readonly string[] {
  const words = ['loki', ...typed].map((word) => `'${word}'`).join(' ');
  const script = `${completionScript('bash', commands)}\nCOMP_WORDS=(${words})\nCOMP_CWORD=${typed.length}\n_loki\nprintf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-c', script], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout.split('\n').filter(Boolean);
}

test('bash offers commands, subcommands, flags and choices', { skip: hasBash ? false : 'there is no bash on this machine' }, () => {
  assert.ok(offered('').includes('start') && offered('').includes('help') && !offered('').includes('play'));
  assert.deepEqual(offered('aud'), ['audit']);
  assert.deepEqual(offered('audit', ''), ['verify', 'checkpoint', 'prove', 'verify-proof', 'keep', 'prune', 'log', 'count', 'erase', 'rekey']);
  assert.deepEqual(offered('enterprise', 'audit', 't'), ['tail']);
  assert.deepEqual(offered('enterprise', 'audit', 'tail', '--fo'), ['--follow']);
  assert.deepEqual(offered('enterprise', 'audit', 'tail', '--follow', '--level', 'w'), ['warning']);
  assert.deepEqual(offered('completion', ''), ['bash', 'zsh', 'fish', '--project', '--json', '--quiet', '--no-color', '--help']);
});

test('every script names every command and every flag', () => {
  for (const shell of shells) {
    const script = completionScript(shell, commands);
    for (const { row, command } of commands) {
      for (const word of row.name.split(' ')) assert.ok(script.includes(word), `${shell}: ${row.name}`);
      for (const { name } of command.flags) assert.ok(script.includes(name), `${shell}: ${row.name} --${name}`);
    }
  }
});

test('quotes in a summary cannot end a string of the fish script', () => {
  const [first] = commands;
  assert.ok(first !== undefined);
  const script = completionScript('fish', [{ row: { ...first.row, name: 'odd', summary: `it's \\ odd` }, command: { ...first.command, flags: [] } }]);
  assert.ok(script.includes(`-a odd -d 'it\\'s \\\\ odd'`));
});
