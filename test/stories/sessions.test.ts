/** Sessions that go wrong, through the command line: each ends in a clear message, the right exit code, and a whole record. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { endOf, type ChildEnd } from '../support/child.ts';
import { makeGround, until, type Ground } from '../support/ground.ts';
import { fixture } from '../support/root.ts';

const agent = fixture('support', 'agent.mjs');
const policy = 'version: 1\npolicies:\n  pre_execution:\n    - name: no-force\n      when: \'command matches "git push --force*"\'\n      action: deny\n';

/** A project with a document, and an agent of the `command` kind that behaves as told. Not enrolled. */
function ground(t: { after(undo: () => void): void }, ...behaviour: readonly string[]): Ground {
  const made = makeGround(t);
  made.write('project/PRD.md', '# Make it work\n');
  made.write('project/.loki/policies.yaml', policy);
  const command = [process.execPath, agent, ...behaviour].map((word) => `'${word}'`).join(' ');
  made.write('home/config.yaml', `runs:\n  provider: {name: command, command: ${JSON.stringify(command)}}\n  council: {reviewers: [], required: 0}\n  max_iterations: 1\n  branch_protection: false\n`);
  return made;
}

/** What the session left is whole: the run has ended, nobody is at work, the chains hold. */
async function assertWhole({ loki }: Ground, status: string): Promise<void> {
  const told = JSON.parse((await loki(['status', '--json'])).stdout);
  assert.deepEqual([told.session, told.last_run?.status], [null, status]);
  const verified = await loki(['audit', 'verify', '--json']);
  assert.deepEqual([verified.exit, JSON.parse(verified.stdout).verdict], [0, 'ok']);
}

describe('an agent that', { concurrency: 2 }, () => {
  const rows: readonly (readonly [string, string, RegExp])[] = [
    ['exit', 'ends with another exit code than 0', /ended with exit code 3/],
    ['garbage', 'prints what is no text', /printed \d+ bytes that are not UTF-8 text/],
    ['flood', 'prints 100 MB', /printed \d+ bytes; an answer has at most 8388608/],
  ];
  for (const [behaviour, words, reason] of rows) {
    test(`${words}: the run fails with the reason, exit code 1`, async (t) => {
      const here = ground(t, behaviour);
      const { exit, stdout, stderr } = await here.loki(['start', 'PRD.md']);
      assert.equal(exit, 1, stderr);
      assert.match(stdout, new RegExp(`\nfailed: .*${reason.source}.* \\(run_[0-9A-Z]{26}\\)\n`));
      assert.ok(stdout.length < 20_000, 'what it printed is not repeated');
      await assertWhole(here, 'failed');
      const events = here.entries().map(({ event }) => event);
      assert.ok(events.includes('agent.fail') && events.includes('run.fail'), events.join(' '));
    });
  }

  test('hangs and does not hear: loki stop ends it and everything it started', async (t) => {
    const here = ground(t, 'hang', '.');
    const session = here.start(['start', 'PRD.md']);
    const end = endOf(session);
    const pidFile = join(here.project, 'pid');
    await until('the agent is at work', () => existsSync(pidFile) && readFileSync(pidFile, 'utf8') !== '');
    const second = await here.loki(['start', 'PRD.md']);
    assert.equal(second.exit, 2, second.stdout);
    assert.match(second.stderr, /error: Cannot .*process \d+.*\nhint: Wait for the session to end, or run: loki stop/);
    const stopped = await here.loki(['stop']);
    assert.deepEqual([stopped.exit, stopped.stdout], [0, 'The session is stopped.\n']);
    const { exit, stdout } = await end;
    assert.equal(exit, 1);
    assert.match(stdout, /\ncancelled: .*\n/);
    const pid = Number(readFileSync(pidFile, 'utf8'));
    await until('the agent is gone', () => {
      try {
        process.kill(pid, 0);
        return false;
      } catch {
        return true;
      }
    });
    await assertWhole(here, 'cancelled');
  });

  test('hangs and is interrupted with Ctrl-C: the run is cancelled, exit code 130', async (t) => {
    const here = ground(t, 'hang', '.');
    const session = here.start(['start', 'PRD.md']);
    const end = endOf(session);
    await until('the agent is at work', () => existsSync(join(here.project, 'pid')));
    session.kill('SIGINT');
    assert.equal((await end).exit, 130);
    await assertWhole(here, 'cancelled');
  });
});

test('of two sessions that are started at once in one project one works, the other says who does', async (t) => {
  const here = ground(t, 'hang', '.');
  const ends = [1, 2].map(() => endOf(here.start(['start', 'PRD.md'])));
  const first = await Promise.race(ends);
  assert.equal(first.exit, 2, first.stdout);
  assert.match(first.stderr, /error: Cannot .*\nhint: Wait for the session to end, or run: loki stop/);
  await until('the agent is at work', () => existsSync(join(here.project, 'pid')));
  assert.equal((await here.loki(['stop'])).exit, 0);
  assert.deepEqual((await Promise.all(ends)).map(({ exit }) => exit).toSorted(), [1, 2]);
  await assertWhole(here, 'cancelled');
  const begun = here.entries().filter(({ event }) => event === 'run.start');
  assert.equal(begun.length, 1, 'one run was begun');
});

describe('a policy that changes under a running session', { concurrency: 2 }, () => {
  async function changed(t: { after(undo: () => void): void }, enrolled: boolean, text: string): Promise<{ readonly first: ChildEnd['exit']; readonly second: { readonly status: number; readonly reason: string } }> {
    const here = ground(t, 'ask', '.');
    if (enrolled) await here.enrol();
    const end = endOf(here.start(['start', 'PRD.md']));
    const answer = (name: string): { readonly status: number; readonly reason: string } => JSON.parse(readFileSync(join(here.project, name), 'utf8'));
    await until('the first answer', () => existsSync(join(here.project, 'answer-1')));
    writeFileSync(join(here.project, '.loki/policies.yaml.new'), text);
    renameSync(join(here.project, '.loki/policies.yaml.new'), join(here.project, '.loki/policies.yaml'));
    writeFileSync(join(here.project, 'again'), '');
    await until('the second answer', () => existsSync(join(here.project, 'answer-2')));
    await end;
    const verified = await here.loki(['audit', 'verify']);
    assert.equal(verified.exit, 0, verified.stdout);
    return { first: answer('answer-1').status, second: answer('answer-2') };
  }

  const noLists = policy.replace('git push --force*', 'ls*');

  test('is in force at once in a project that nobody enrolled', async (t) => {
    const { first, second } = await changed(t, false, noLists);
    assert.deepEqual([first, second.status], [0, 3]);
    assert.match(second.reason, /no-force/);
  });

  test('denies when it is not valid', async (t) => {
    const { first, second } = await changed(t, false, 'version: 1\npolices: {}\n');
    assert.deepEqual([first, second.status], [0, 3]);
    assert.match(second.reason, /The policy cannot be used until it is corrected: loki policy check/);
  });

  test('denies everything in an enrolled project, even when it would allow more', async (t) => {
    const { first, second } = await changed(t, true, 'version: 1\npolicies: {}\n');
    assert.deepEqual([first, second.status], [0, 3]);
    assert.match(second.reason, /differs from what was enrolled\. A person brings back what was enrolled with: loki policy restore; or accepts what is there with: loki init/);
  });
});

test('the managed policy that the environment names holds for what the agent does', async (t) => {
  const here = ground(t, 'ask', '.');
  const managed = here.write('managed.yaml', policy.replace('git push --force*', 'ls*').replace('no-force', 'no-lists'));
  here.write('project/again', '');
  await here.loki(['start', 'PRD.md'], { env: { LOKI_MANAGED_POLICY: managed } });
  const answer = JSON.parse(readFileSync(join(here.project, 'answer-1'), 'utf8'));
  assert.deepEqual([answer.decision, answer.rule], ['DENY', 'no-lists']);
});

test('what the run itself needs a person for is put to those whom the policy names, for as long as it says', async (t) => {
  const here = ground(t, 'spend');
  here.write('project/.loki/policies.yaml', [
    'version: 1', 'policies:', '  resource:', '    - {name: little, max_tokens: 100, on_exceed: require_approval}',
    '  approval_gates:', '    - {name: spending, phase: ACT, approvers: ["user:treasurer"], required: 1, timeout_minutes: 0.05}', '',
  ].join('\n'));
  const { exit, stdout, stderr } = await here.loki(['start', 'PRD.md']);
  assert.equal(exit, 1, stderr);
  assert.match(stdout, /\nfailed: .*nobody decided by /);
  const asked = here.entries().find(({ event }) => event === 'approval.request');
  assert.match(JSON.stringify(asked?.['details']), /"user:treasurer"/);
});

test('an agent sees none of our secrets', async (t) => {
  const here = ground(t, 'env');
  const { stdout } = await here.loki(['start', 'PRD.md', '--json'], {
    env: { LOKI_SLACK_BOT_TOKEN: 'x', LOKI_SPLUNK_HEC_TOKEN: 'x', LOKI_SPLUNK_HEC_URL: 'https://splunk.example.com', LOKI_AUDIT_LEVEL: 'info', GITHUB_TOKEN: 'x' },
  });
  assert.doesNotMatch(stdout, /LOKI_SLACK|LOKI_SPLUNK/);
});

test('a project reached through a symlink, with spaces in its path, is the same project', async (t) => {
  const here = ground(t, 'exit');
  mkdirSync(join(here.root, 'a b'));
  const link = join(here.root, 'a b', 'c d');
  symlinkSync(here.project, link);
  await here.enrol();
  const { exit, stdout } = await here.loki(['status', '--json'], { cwd: link });
  assert.equal(exit, 0);
  const { project, enrolled } = JSON.parse(stdout);
  assert.deepEqual([project.dir, typeof enrolled], [here.project, 'string']);
  assert.deepEqual(JSON.parse((await here.loki(['status', '--json', '--project', link], { cwd: here.root })).stdout).project, project);
  const inside = await here.loki(['hook', 'generic'], { cwd: link, input: JSON.stringify({ kind: 'fs.write', file_path: join(link, 'x.txt') }) });
  assert.equal(inside.exit, 0, inside.stdout);
  const run = await here.loki(['start', join(link, 'PRD.md'), '--project', link], { cwd: here.root });
  assert.match(run.stdout, /failed: /);
  await assertWhole(here, 'failed');
});
