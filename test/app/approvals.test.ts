/** Approvals between processes, through the command line: one asks and waits, another decides. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { GateReply } from '../../lib/gate/reply.ts';
import { endOf } from '../support/child.ts';
import { makeGround, until, type Ground } from '../support/ground.ts';

const asking = 'version: 1\npolicies:\n  pre_execution:\n    - name: publishing\n      when: \'command matches "npm publish*"\'\n      action: require_approval\n';
const publish = '{"kind":"exec","command":"npm publish --tag next"}';

function ground(t: { after(undo: () => void): void }): Ground {
  const made = makeGround(t);
  made.write('project/.loki/policies.yaml', asking);
  return made;
}

/** Starts a hook that waits, and gives the id of the approval it waits for. */
async function ask({ start, entries, home }: Ground, before: number): Promise<{ readonly id: string; readonly answer: Promise<{ readonly exit: number | null; readonly reply: GateReply; readonly at: number }> }> {
  const child = start(['hook', 'generic', '--wait', '30s'], { env: { LOKI_SESSION_ID: 'ses_1' } });
  const answer = endOf(child, publish).then(({ exit, stdout, stderr }) => {
    assert.equal(stderr, '');
    return { exit, reply: JSON.parse(stdout) as GateReply, at: Date.now() };
  });
  const requests = (): readonly string[] => entries().filter(({ event }) => event === 'approval.request').map(({ resource }) => String(resource));
  await until(`an approval is asked for in ${home}`, () => tried(() => requests().length) > before);
  return { id: /apr_[0-9A-Z]{26}/.exec(requests().at(-1) ?? '')?.[0] ?? '', answer };
}

/** The log's folder appears with the first entry. */
function tried(count: () => number): number {
  try {
    return count();
  } catch {
    return 0;
  }
}

describe('a hook that waits for a person', { concurrency: 2 }, () => {
  test('is answered within a third of a second of the yes given in another process; the yes holds once', async (t) => {
    // A crowded machine can spoil one look; what is really late is late in every one.
    const seen: number[] = [];
    for (let look = 0; look < 4 && !seen.some((late) => late < 333); look += 1) seen.push(await answered(ground(t)));
    assert.ok(seen.some((late) => late < 333), `the answer was recorded ${seen.join(', ')} ms after the decision`);
  });

  /** Asks, approves, and asks again: how many milliseconds after the decision the answer was recorded. */
  async function answered(here: Ground): Promise<number> {
    const { id, answer } = await ask(here, 0);
    const decided = await here.process(['approve', id, '--yes', '--reason', 'reviewed']);
    assert.deepEqual([decided.exit, decided.stdout], [0, `${id}: approved\n`]);
    const { exit, reply, at } = await answer;
    assert.deepEqual([exit, reply.decision, reply.allowed, reply.approval_id], [0, 'ALLOW', true, id]);
    assert.match(reply.reason, new RegExp(`^Approved \\(${id}\\): user:.*: reviewed$`));
    const events = here.entries().filter(({ event }) => String(event).startsWith('approval.') || String(event).startsWith('policy.'));
    assert.deepEqual(events.map(({ event }) => event), ['approval.request', 'approval.approve', 'policy.allow']);
    const [, yes, allow] = events.map(({ timestamp }) => Date.parse(String(timestamp)));
    assert.ok(at - (allow ?? 0) < 20_000);

    const again = await here.loki(['hook', 'generic', '--wait', '1ms'], { input: publish, env: { LOKI_SESSION_ID: 'ses_1' } });
    const second: GateReply = JSON.parse(again.stdout);
    assert.deepEqual([again.exit, second.decision, second.allowed], [5, 'REQUIRE_APPROVAL', false]);
    assert.notEqual(second.approval_id, id, 'the first approval is used up');
    const late = await here.loki(['approve', id, '--yes']);
    assert.equal(late.exit, 5);
    assert.match(late.stderr, new RegExp(`error: Cannot approve ${id}: `));
    return (allow ?? 0) - (yes ?? 0);
  }

  test('is refused at once when the person says no', async (t) => {
    const here = ground(t);
    const { id, answer } = await ask(here, 0);
    const decided = await here.loki(['reject', id, '--yes', '--reason', 'not on a Friday', '--json']);
    assert.equal(decided.exit, 0);
    assert.equal(JSON.parse(decided.stdout).status, 'rejected');
    const { exit, reply } = await answer;
    assert.deepEqual([exit, reply.decision, reply.approval_id], [3, 'DENY', id]);
    assert.match(reply.reason, /was rejected: user:.*: not on a Friday$/);
    const events = here.entries().map(({ event }) => event);
    assert.deepEqual(events.slice(-2), ['approval.reject', 'policy.deny']);
  });

  test('is refused when nobody decides in time', async (t) => {
    const here = makeGround(t);
    here.write('project/.loki/policies.yaml', `${asking}  approval_gates:\n    - name: quick\n      phase: none\n      timeout_minutes: 0.05\n`);
    const { exit, stdout } = await here.loki(['hook', 'generic', '--wait', '30s'], { input: publish });
    const reply: GateReply = JSON.parse(stdout);
    assert.deepEqual([exit, reply.decision], [3, 'DENY']);
    assert.match(reply.reason, /Approval apr_[0-9A-Z]{26} was not given in time: nobody decided by /);
    assert.deepEqual(here.entries().map(({ event }) => event), ['audit.open', 'approval.request', 'approval.expire', 'policy.deny']);
    const late = await here.loki(['approve', reply.approval_id ?? '', '--yes']);
    assert.equal(late.exit, 5);
  });

  test('that is killed while it waits leaves the question, and its answer counts when it is asked again', async (t) => {
    const here = ground(t);
    const child = here.start(['hook', 'generic', '--wait', '30s'], { env: { LOKI_SESSION_ID: 'ses_1' } });
    child.stdin?.end(publish);
    let id: string | undefined;
    await until('an approval is listed', async () => {
      id = /apr_[0-9A-Z]{26}/.exec((await here.loki(['approvals'])).stdout)?.[0];
      return id !== undefined;
    });
    child.kill('SIGKILL');
    const approved = await here.loki(['approve', id ?? '', '--yes']);
    assert.equal(approved.exit, 0, approved.stderr);
    const { exit, stdout } = await here.loki(['hook', 'generic'], { input: publish, env: { LOKI_SESSION_ID: 'ses_1' } });
    assert.deepEqual([exit, JSON.parse(stdout).approval_id], [0, id]);
  });

  test('another action, another session and another policy do not get the yes', async (t) => {
    const here = ground(t);
    const first: GateReply = JSON.parse((await here.loki(['hook', 'generic', '--wait', '1ms'], { input: publish, env: { LOKI_SESSION_ID: 'ses_1' } })).stdout);
    assert.equal((await here.loki(['approve', first.approval_id ?? '', '--yes'])).exit, 0);
    const idOf = async (input: string, session: string): Promise<readonly [number | null, string | undefined]> => {
      const { exit, stdout } = await here.loki(['hook', 'generic', '--wait', '1ms'], { input, env: { LOKI_SESSION_ID: session } });
      return [exit, (JSON.parse(stdout) as GateReply).approval_id];
    };
    for (const [input, session] of [['{"kind":"exec","command":"npm publish --tag latest"}', 'ses_1'], [publish, 'ses_2']] as const) {
      const [exit, id] = await idOf(input, session);
      assert.deepEqual([exit, id === first.approval_id], [5, false], `${input} ${session}`);
    }
    here.write('project/.loki/policies.yaml', `${asking}# another policy\n`);
    const [exit, id] = await idOf(publish, 'ses_1');
    assert.deepEqual([exit, id === first.approval_id], [5, false]);
    here.write('project/.loki/policies.yaml', asking);
    assert.deepEqual(await idOf(publish, 'ses_1'), [0, first.approval_id], 'the action it was given for gets it');
  });
});

test('an approval that does not exist, or is no id, is told so', async (t) => {
  const here = ground(t);
  for (const id of ['apr_01J8Z3K4M5N6P7Q8R9S0T1V2W3', 'nonsense', '../../etc/passwd']) {
    const { exit, stderr } = await here.loki(['approve', id, '--yes']);
    assert.equal(exit, 2, stderr);
    assert.match(stderr, /there is no such approval\nhint: List them with: loki approvals/);
  }
});

test('a hook that waits gets exactly one outcome from eight processes that decide at once', { timeout: 60_000 }, async (t) => {
  const here = ground(t);
  const { id, answer } = await ask(here, 0);
  const ends = await Promise.all(Array.from({ length: 8 }, (_, n) => here.loki([n % 2 === 0 ? 'approve' : 'reject', id, '--yes', '--reason', `process ${n}`])));
  const won = ends.map(({ exit }, n) => ({ exit, n })).filter(({ exit }) => exit === 0);
  assert.equal(won.length, 1, JSON.stringify(ends));
  assert.deepEqual(ends.filter(({ exit }) => exit !== 0).map(({ exit }) => exit), [5, 5, 5, 5, 5, 5, 5]);
  const { exit, reply } = await answer;
  const isYes = (won[0]?.n ?? 0) % 2 === 0;
  assert.deepEqual([exit, reply.decision], isYes ? [0, 'ALLOW'] : [3, 'DENY']);
  assert.match(reply.reason, new RegExp(`process ${won[0]?.n}$`));
  // On a slow machine another process may finish what the winner is still at, and record the same decision once more.
  const recorded = new Set(here.entries().filter(({ event }) => /^approval\.(?:approve|reject)$/.test(String(event))).map(({ event, actor, details }) => JSON.stringify([event, actor, details])));
  assert.deepEqual([recorded.size, [...recorded][0]?.includes(isYes ? 'approval.approve' : 'approval.reject')], [1, true]);
});
