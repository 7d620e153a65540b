/** Approver keys in an installation: how they come into force, what then takes a passphrase, and what the log says of it. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { openApprovals } from '../../lib/app/approvals.ts';
import { approverPlace, approversOf, changePassphrase, createApproverKey, passphraseProblem, proven, unlock } from '../../lib/app/approver.ts';
import { verifyProofs } from '../../lib/app/approver-verify.ts';
import { openRecord } from '../../lib/app/audit/record.ts';
import { performInit, planInit } from '../../lib/app/enrol.ts';
import { openGate } from '../../lib/app/gate.ts';
import { projectOf, type Installation } from '../../lib/app/installation.ts';
import { openStore } from '../../lib/app/store.ts';
import { approvalKeys } from '../../lib/approvals/approval.ts';
import { readEveryApprover } from '../../lib/approvals/approver-key.ts';
import { atTerminal, isSignedBy, type ApproverProof, type Prove } from '../../lib/approvals/proof.ts';
import { entryText } from '../../lib/approvals/statement.ts';
import { textOfDecision } from '../../lib/approvals/steps.ts';
import { isPlainObject, type JsonObject } from '../../lib/base/json.ts';
import { parseArgs } from '../../cli/args.ts';
import { createOutput } from '../../cli/output.ts';
import { askPassphrase, askProof, asFlag } from '../../cli/proof.ts';
import { askNewPassphrase } from '../../cli/passphrase.ts';
import { yesFlag } from '../../cli/confirm.ts';
import { leastCost, makeApprover, passphrase } from '../support/approver.ts';
import { fakeTerminal, type FakeOptions } from '../support/fake-terminal.ts';
import { makeGround, type Ground } from '../support/ground.ts';
import { hasPty, runInPty } from '../support/pty.ts';
import { lokiProgram } from '../support/story.ts';

const asking = 'version: 1\npolicies:\n  pre_execution:\n    - name: publishing\n      when: \'command matches "npm publish*"\'\n      action: require_approval\n';
const publish = { kind: 'exec', command: 'npm publish' } as const;

async function recorded<T>(installation: Installation, work: (record: ReturnType<typeof openRecord>['record']) => Promise<T>): Promise<T> {
  const log = openRecord(installation);
  try {
    return await work(log.record);
  } finally {
    await log.close();
  }
}

/** The signer of a key that `makeApprover` made. */
async function proverOf(installation: Installation): Promise<Prove> {
  const [approver] = approversOf(installation);
  assert.ok(approver !== undefined);
  const prove = await recorded(installation, (record) => unlock(installation, record, approver, passphrase));
  assert.ok(prove !== undefined);
  return prove;
}

const owner = (installation: Installation): string => `user:${installation.host.facts.username}`;

/** As an auditor does it: from the line of the log and the public key alone. */
function isProven(ground: Ground, entry: JsonObject): boolean {
  const { proof, ...details } = entry['details'] as JsonObject & { readonly proof?: ApproverProof };
  const { event, actor, resource } = entry as unknown as { readonly event: string; readonly actor: string; readonly resource?: string };
  if (proof?.kind !== 'approver_key') return false;
  return isSignedBy(readEveryApprover(approverPlace(ground.installation())), proof, actor, (at) => entryText({ event, actor, details, ...(resource === undefined ? {} : { resource }) }, at));
}

test('the first key is made at the terminal, recorded before it counts; further ones are let in by an approver, who signs that', async (t) => {
  const ground = makeGround(t);
  const here = ground.installation();
  const alice = await makeApprover(here, 'user:alice');
  const [created] = ground.entries().filter(({ event }) => event === 'auth.token.create');
  assert.deepEqual([created?.['actor'], created?.['resource'], (created?.['details'] as JsonObject)['proof']], ['user:alice', `key:${alice.key}`, { kind: 'terminal' }]);
  await assert.rejects(makeApprover(here, 'user:mallory'), { code: 'auth.proof' });
  await assert.rejects(makeApprover(here, 'user:mallory', 'user:mallory', await proverOf(here)), { code: 'auth.proof' });
  const bob = await makeApprover(here, 'user:bob', 'user:alice', await proverOf(here));
  assert.deepEqual(approversOf(here).map(({ key }) => key), [alice.key, bob.key]);
  const second = await makeApprover(here, 'user:alice', 'user:alice', await proverOf(here));
  assert.deepEqual(approversOf(here).map(({ key }) => key).sort(), [second.key, bob.key].sort());
  const rows = ground.entries().filter(({ event }) => String(event).startsWith('auth.token.'));
  assert.deepEqual(rows.map((entry) => [entry['event'], (entry['details'] as JsonObject)['replaces'] ?? null, isProven(ground, entry)]), [['auth.token.create', null, false], ['auth.token.create', null, true], ['auth.token.rotate', alice.key, true]]);
});

test('a key that cannot be recorded is not made', async (t) => {
  const here = makeGround(t).installation();
  await assert.rejects(createApproverKey(here, () => Promise.reject(new Error('disk full')), { owner: 'user:alice', passphrase, by: 'user:alice', prove: atTerminal, cost: leastCost }), /disk full/);
  assert.ok(!existsSync(join(here.home.keys, 'approver.pub')));
});

test('a passphrase that could be guessed is not taken', async (t) => {
  const here = makeGround(t).installation();
  for (const bad of ['', 'short', 'elevenchars', 'aaaaaaaaaaaaaaaaaaaa', 'abababababababab', 'x'.repeat(2000)]) {
    assert.notEqual(passphraseProblem(bad), undefined, bad.slice(0, 20));
    await assert.rejects(createApproverKey(here, () => Promise.resolve({ seq: 1, chain_hash: null }), { owner: 'user:a', passphrase: bad, by: 'user:a', prove: atTerminal, cost: leastCost }), { code: 'usage' });
  }
  for (const good of ['twelve chars', 'four words of a test', '\u{1F600}\u{1F601}\u{1F602}\u{1F603}\u{1F604}\u{1F605}\u{1F606}\u{1F607}\u{1F608}\u{1F609}\u{1F60A}\u{1F60B}']) assert.equal(passphraseProblem(good), undefined, good);
});

test('another passphrase opens the same key; the old one does no longer, and that it was tried is recorded', async (t) => {
  const ground = makeGround(t);
  const here = ground.installation();
  const approver = await makeApprover(here, 'user:alice');
  await recorded(here, async (record) => {
    assert.equal(await changePassphrase(here, record, approver, { from: 'wrong wrong wrong', to: 'another passphrase', cost: leastCost }), undefined);
    assert.ok(await changePassphrase(here, record, approver, { from: passphrase, to: 'another passphrase', cost: leastCost }));
    assert.equal(await unlock(here, record, approver, passphrase), undefined);
    assert.ok(await unlock(here, record, approver, 'another passphrase'));
  });
  assert.deepEqual(approversOf(here).map(({ key, owner: whose }) => [key, whose]), [[approver.key, 'user:alice']]);
  assert.deepEqual(ground.entries().map(({ event }) => event).slice(2), ['auth.fail', 'auth.token.rotate', 'auth.fail']);
  assert.ok(!JSON.stringify(ground.entries()).includes('passphrase of a') && !JSON.stringify(ground.entries()).includes('another passphrase'));
});

describe('once there is a key', { concurrency: 2 }, () => {
  test('nothing that needs a fresh proof is done without a terminal, --yes or not: exit code 4, and nothing has changed', { timeout: 60_000 }, async (t) => {
    const ground = makeGround(t);
    ground.write('project/.loki/policies.yaml', asking);
    await ground.enrol();
    ground.write('project/.loki/config.yaml', 'runs:\n  gates:\n    - { name: unit, command: "npm test" }\n');
    await makeApprover(ground.installation(), owner(ground.installation()));
    const asked = await ground.loki(['hook', 'generic'], { input: JSON.stringify(publish) });
    const id = /apr_[0-9A-Z]{26}/.exec(asked.stdout)?.[0] ?? '';
    ground.write('project/.loki/policies.yaml', `${asking}# changed\n`);
    const before = ground.entries().length;
    for (const args of [['init', '--yes'], ['approve', id, '--yes'], ['approve', id, '--yes', '--as', 'bob'], ['reject', id, '--override', '--yes'], ['approve', id, '--print-proof'], ['approver', 'create', '--replace'], ['approver', 'passwd'], ['webhooks', 'secret', '--yes'], ['audit', 'checkpoint', '--accept-loss']]) {
      const { exit, stderr } = await ground.loki(args);
      assert.equal(exit, 4, `${args.join(' ')}: ${stderr}`);
      assert.match(stderr, /^error: Cannot .*(?:approver key|passphrase)/m);
    }
    assert.deepEqual(ground.entries().slice(before).map(({ event }) => event), []);
    const status = await ground.loki(['status', '--json']);
    assert.equal(JSON.parse(status.stdout).proof, 'approver_key');
    const doctor = await ground.loki(['doctor', 'approvals', '--json']);
    assert.deepEqual(JSON.parse(doctor.stdout).checks.map(({ check, status: found }: { check: string; status: string }) => [check, found]), [['proof', 'ok'], ['sealed keys', 'ok'], ['recorded keys', 'ok'], ['webhooks', 'ok']]);
  });

  test('enrolling is refused in the library too, and with a proof its entries are signed', async (t) => {
    const ground = makeGround(t);
    const here = ground.installation();
    await makeApprover(here, 'user:alice');
    const plan = planInit(here, projectOf(here, ground.project), false);
    await assert.rejects(performInit(here, plan, 'user:alice'), { code: 'auth.proof', message: 'Cannot enrol the project: a confirmation at the terminal is no proof once an approver key exists' });
    assert.ok(!existsSync(here.home.projects) || readdirSync(here.home.projects).length === 0);
    await performInit(here, planInit(here, projectOf(here, ground.project), false), 'user:alice', await proverOf(here));
    const [enrolled] = ground.entries().filter(({ event }) => event === 'project.enrol');
    assert.ok(enrolled !== undefined && isProven(ground, enrolled));
    const details = enrolled['details'] as JsonObject;
    for (const changed of [{ ...details, path: '/elsewhere' }, { ...details, files: {} }, { ...details, more: 1 }]) assert.ok(!isProven(ground, { ...enrolled, details: changed }));
    assert.ok(!isProven(ground, { ...enrolled, actor: 'user:bob' }) && !isProven(ground, { ...enrolled, event: 'policy.change' }));
  });

  test('a person at the terminal decides with the passphrase, and the gate takes it; what is written into the store by hand is a no', { timeout: 60_000 }, async (t) => {
    const ground = makeGround(t);
    ground.write('project/.loki/policies.yaml', asking);
    const here = ground.installation();
    await makeApprover(here, 'user:alice');
    const gate = openGate(here, { agent: 'test', sessionId: 'ses_1', waitMs: 0 });
    const decide = async (): Promise<readonly [string, string]> => { const reply = await gate.decide(publish); return [reply.decision, reply.approval_id ?? '']; };
    const [, id] = await decide();
    const log = openRecord(here);
    const store = await openStore(here, log.record);
    const approvals = await openApprovals(here, log.record, store);
    const view = await approvals.room.get(id);
    assert.ok(view !== undefined);
    const said = { id, outcome: 'approve', by: 'user:alice' } as const;
    await approvals.room.decide({ ...said, proof: (await proverOf(here))((at) => textOfDecision(view, said, at)) });
    assert.deepEqual(await decide(), ['ALLOW', id]);
    const object = await store.get(approvalKeys.approval(id));
    assert.ok(isPlainObject(object?.value));
    const shown = object.value['shown'] as JsonObject;
    await store.transact([], [{ key: approvalKeys.approval(id), value: { sealed: null, shown: { ...shown, status: 'approved', used_at: null } } }]);
    const [again, newId] = await decide();
    assert.equal(again, 'REQUIRE_APPROVAL', 'used before, and put back');
    assert.notEqual(newId, id);
    const refusal = ground.entries().find(({ event, resource }) => event === 'approval.reject' && resource === `approval:${id}`);
    assert.equal((refusal?.['details'] as JsonObject)['cause'], 'it is kept as approved, and the log of record has the action that used it up');
    await approvals.close();
    await store.close();
    await log.close();
    await gate.close();
    assert.deepEqual(await verifyProofs(here), { signed: 1, confirmed: 1, wrong: [] });
    const file = join(here.home.audit, readdirSync(here.home.audit)[0] ?? '');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/("event":"approval\.approve".*?"policy_digest":")./, '$1x'));
    const { wrong } = await verifyProofs(here);
    assert.deepEqual(wrong.map(({ event, actor, found }) => [event, actor, found]), [['approval.approve', 'user:alice', 'the signature is not one over what the entry says']]);
    assert.match((await verifyProofs(here, [])).wrong[0]?.found ?? '', /^its key SHA256:\S+ is not known$/);
    const verified = await ground.loki(['approver', 'verify']);
    assert.deepEqual([verified.exit, verified.stdout.split('\n').at(-2)], [6, '0 signatures hold, 1 does not; 1 act was confirmed at the terminal, without a key']);
  });

  test('keys of which something is missing deny, and say so', async (t) => {
    const ground = makeGround(t);
    ground.write('project/.loki/policies.yaml', asking);
    const here = ground.installation();
    await makeApprover(here, 'user:alice');
    here.host.disk.remove(join(here.home.keys, 'approver.pub'));
    const asked = await ground.loki(['hook', 'generic'], { input: JSON.stringify(publish) });
    const id = /apr_[0-9A-Z]{26}/.exec(asked.stdout)?.[0] ?? '';
    const { exit, stderr } = await ground.loki(['approve', id, '--yes']);
    assert.equal(exit, 1);
    assert.match(stderr, /it is missing, and a sealed key is there/);
    assert.match((await ground.loki(['status'])).stdout, /the approver keys cannot be read: nothing can be decided/);
    assert.equal((await ground.loki(['doctor', 'approvals'])).exit, 1);
    assert.equal((await ground.loki(['reject', id, '--yes'])).exit, 0, 'a no is still a no');
  });

  test('a key that was removed altogether is missed by the doctor', async (t) => {
    const ground = makeGround(t);
    const here = ground.installation();
    await makeApprover(here, 'user:alice');
    for (const name of readdirSync(here.home.keys)) if (name.startsWith('approver')) here.host.disk.remove(join(here.home.keys, name));
    const { exit, stdout } = await ground.loki(['doctor', 'approvals']);
    assert.equal(exit, 1);
    assert.match(stdout, /FAIL {2}recorded keys +the log tells of the approver key SHA256:\S+, and there is none: somebody removed it/);
  });
});

function contextOf(options: FakeOptions, ...argv: string[]): Parameters<typeof askProof>[0] & { readonly terminal: ReturnType<typeof fakeTerminal> } {
  const terminal = fakeTerminal(options);
  return { terminal, args: parseArgs(argv, { called: 'loki do', flags: [yesFlag, asFlag], operands: [] }), output: createOutput(terminal, { json: false, quiet: false, plain: true }) };
}

describe('asking for the passphrase', () => {
  const ask = { question: 'Go ahead?', attempted: 'do it' };

  test('without a key a confirmation is asked for, and is the proof', async (t) => {
    const here = makeGround(t).installation();
    assert.deepEqual((await askProof(contextOf({ isTerminal: true, answers: ['y'] }), here, ask))?.prove(() => ''), { kind: 'terminal' });
    assert.equal(await askProof(contextOf({ isTerminal: true, answers: ['n'] }), here, ask), undefined);
    await assert.rejects(askProof(contextOf({ isTerminal: true, answers: ['y'] }, '--as', 'bob'), here, ask), { code: 'usage' });
  });

  test('with one it is the passphrase, three times at most, and each wrong one is recorded; nothing typed is ever shown', async (t) => {
    const ground = makeGround(t);
    const here = ground.installation();
    const me = owner(here);
    await makeApprover(here, me);
    const right = contextOf({ isTerminal: true, passphrases: ['wrong one', passphrase] }, '--yes');
    const given = await askProof(right, here, ask);
    assert.deepEqual([given?.by, given?.prove(() => 'x').kind], [me, 'approver_key']);
    assert.equal(right.terminal.printed.err, `Go ahead? Passphrase of ${me} (empty: no): \nwarning: That is not the passphrase; it is recorded that it was tried.\nGo ahead? Passphrase of ${me} (empty: no): \n`);
    await assert.rejects(askProof(contextOf({ isTerminal: true, passphrases: ['a', 'b', 'c', passphrase] }), here, ask), { code: 'auth.proof', message: 'Cannot do it: the passphrase was wrong 3 times' });
    assert.equal(await askProof(contextOf({ isTerminal: true, passphrases: [''] }), here, ask), undefined);
    assert.equal(await askProof(contextOf({ isTerminal: true }), here, ask), undefined);
    assert.equal(ground.entries().filter(({ event }) => event === 'auth.fail').length, 4);
  });

  test('whoever has no key of their own decides as nobody', async (t) => {
    const here = makeGround(t).installation();
    await makeApprover(here, 'user:alice');
    await assert.rejects(askProof(contextOf({ isTerminal: true, passphrases: [passphrase] }), here, ask), { code: 'auth.proof', hint: /Ask one of: user:alice/ });
    assert.equal((await askProof(contextOf({ isTerminal: true, passphrases: [passphrase] }, '--as', 'alice'), here, ask))?.by, 'user:alice');
  });

  test('a question that is withdrawn is no answer', async (t) => {
    const here = makeGround(t).installation();
    const approver = await makeApprover(here, 'user:alice');
    const context = contextOf({ isTerminal: true });
    const withdrawn = new AbortController();
    withdrawn.abort();
    assert.equal(await recorded(here, (record) => askPassphrase(context, { installation: here, record, approver, ask, withdrawn: withdrawn.signal })), undefined);
    assert.ok(!context.terminal.printed.err.includes('Nothing was changed'));
  });

  test('a new passphrase is typed twice, and asked for again when it is weak or the two differ', async () => {
    const tryWith = (...passphrases: string[]): ReturnType<typeof askNewPassphrase> => askNewPassphrase(contextOf({ isTerminal: true, passphrases }), 'a key', 'make a key');
    assert.equal(await tryWith('good passphrase', 'good passphrase'), 'good passphrase');
    assert.equal(await tryWith('weak', 'good passphrase', 'other passphrase', 'good passphrase', 'good passphrase'), 'good passphrase');
    assert.equal(await tryWith(''), undefined);
    await assert.rejects(tryWith('weak', 'weak', 'weak'), { code: 'usage' });
  });
});

test('in a real terminal a key is made and an approval decided, with the passphrase unseen', { timeout: 60_000 }, async (t) => {
  if (!hasPty(t)) return;
  const ground = makeGround(t);
  ground.write('project/.loki/policies.yaml', asking);
  const env = { ...ground.env, LOKI_PROJECT_DIR: ground.project };
  const secret = 'correct horse battery';
  const made = await runInPty([...lokiProgram, 'approver', 'create'], [{ after: 'or more: ', keys: `wrong\u007f\u007f\u007f\u007f\u007f${secret}\r` }, { after: 'Once more: ', keys: `x\u0015${secret}\r` }], env);
  assert.equal(made.exit, 0, made.screen);
  const asked = await ground.loki(['hook', 'generic', '--wait', '1ms'], { input: JSON.stringify(publish), env: { LOKI_SESSION_ID: 'ses_1' } });
  const id = /apr_[0-9A-Z]{26}/.exec(asked.stdout)?.[0] ?? '';
  // The passphrase of a line typed ahead, and of a key that sends a sequence, is not taken for one.
  const decided = await runInPty([...lokiProgram, 'approve', id, '--yes'], [{ after: '(empty: no): ', keys: `${secret}x\r` }, { after: '(empty: no): ', keys: `\u001b[A${secret}\r` }], env);
  assert.equal(decided.exit, 0, decided.screen);
  assert.match(decided.screen, new RegExp(`${id}: approved`));
  for (const { screen } of [made, decided]) assert.ok(!screen.includes('correct') && !screen.includes('horse'), screen);
  const given = await runInPty([...lokiProgram, 'approver', 'passwd'], [{ after: '(empty: no): ', keys: '\u0003' }], env);
  assert.equal(given.exit, 130, given.screen);
  const used = await ground.loki(['hook', 'generic', '--wait', '1ms'], { input: JSON.stringify(publish), env: { LOKI_SESSION_ID: 'ses_1' } });
  assert.deepEqual([used.exit, JSON.parse(used.stdout).approval_id], [0, id]);
});

test('an act that nobody proved is not told as proven', (t) => {
  const here = makeGround(t).installation();
  assert.deepEqual(proven(here, { event: 'audit.prune', actor: 'user:alice', details: { files: 1 } }, atTerminal, 'prune')['details'], { files: 1, proof: { kind: 'terminal' } });
});
