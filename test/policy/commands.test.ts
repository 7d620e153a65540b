/** The first policy on whole lists of commands: what people do every day goes on, and no known trick passes unseen. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { initialJudge, scoreShell, shellVectors } from '../scorecard/shell.ts';

const root = new URL('../../../', import.meta.url);
const judge = initialJudge();

/** The commands of a fixture, its escapes replaced. */
function commands(name: string): readonly string[] {
  const text = readFileSync(new URL(`fixtures/policy/${name}`, root), 'utf8');
  return text.split('\n').filter((line) => line !== '' && !/^#(?: |$)/.test(line)).map((line) => line.replace(/\\(n|r|0|u[\da-f]{4})/g, (_, body: string) => ({ n: '\n', r: '\r', 0: '\0' } as Readonly<Record<string, string>>)[body] ?? String.fromCharCode(Number.parseInt(body.slice(1), 16))));
}

describe('what developers and agents run every day', () => {
  const ordinary = commands('ordinary-commands.txt').map((command) => ({ command, decision: judge(command).decision }));
  const told = (list: typeof ordinary): string => list.map(({ command }) => JSON.stringify(command)).join('\n');

  test('is never denied', () => {
    assert.ok(ordinary.length >= 300);
    const denied = ordinary.filter(({ decision }) => decision === 'DENY');
    assert.equal(denied.length, 0, told(denied));
  });

  test('is hardly ever asked about', () => {
    const asked = ordinary.filter(({ decision }) => decision === 'REQUIRE_APPROVAL');
    assert.ok(asked.length <= ordinary.length * 0.03, told(asked));
  });
});

describe('tricks', () => {
  for (const command of commands('attacks.txt')) test(JSON.stringify(command), () => assert.notEqual(judge(command).decision, 'ALLOW'));
});

describe('the public corpus of commands', () => {
  const corpus = new URL('../shared/corpora/shell-commands-sample.jsonl', root);
  const there = existsSync(corpus);
  test('is stopped where it destroys, and never denied where it does not', { skip: there ? false : `${corpus.pathname} is not there` }, () => {
    const score = scoreShell(shellVectors(readFileSync(corpus, 'utf8')), judge);
    assert.deepEqual(score.crashed, []);
    assert.deepEqual(score.overblocked.map(({ text }) => text), []);
    assert.ok(score.deny > 100);
    assert.deepEqual(score.missed.map(({ text }) => text), []);
    // The sources know no project; here a folder in it is the agent's to delete.
    assert.ok(score.stated.length <= score.deny * 0.04, score.stated.map(({ text, why }) => `${text}: ${why}`).join('\n'));
    assert.ok(score.asked.length <= score.allow * 0.13, score.asked.map(({ text }) => text).join('\n'));
  });
});
