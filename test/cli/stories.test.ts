/** Every story of fixtures/cli: some against the real program, all of them in the long suite, the others in this process. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { inProcesses } from '../support/in-process.ts';
import { fixture } from '../support/root.ts';
import { parseStory, playStory } from '../support/story.ts';

/** Where it is the process that counts: what reaches an agent, and what each process leaves in the log. */
const inTheirOwn: readonly string[] = ['hook-generic.txt', 'tampered-log.txt'];

describe('stories', { concurrency: 4 }, () => {
  for (const name of readdirSync(fixture('cli')).filter((each) => each.endsWith('.txt')).sort()) {
    const story = parseStory(readFileSync(fixture('cli', name), 'utf8'));
    test(`${name}: ${story.title}`, async () => {
      assert.ok(story.parts.length > 0, 'the story is empty');
      await playStory(story, inProcesses || inTheirOwn.includes(name) ? 'processes' : 'here');
    });
  }
});

test('a story with a line that means nothing is refused', () => {
  assert.throws(() => parseStory('title\n$ loki\nnonsense'), /line 3 is not understood: nonsense/);
});

test('a story fails on another exit code, on an unexpected line and on a missing one', async () => {
  await assert.rejects(playStory(parseStory('t\n$ loki version\n1~ loki .*\nexit 1')), /--- exit/);
  await assert.rejects(playStory(parseStory('t\n$ loki version')), /not expected: "loki /);
  await assert.rejects(playStory(parseStory('t\n$ loki version\n1~ loki .*\n1> more')), /found "the end"/);
});
