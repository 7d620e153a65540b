/** The resource point put together: residency, rules, budgets and their ledger, over real files. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { judgeResource, openLedger, withViolations } from '../../lib/app/budgets.ts';
import { budgetsOf, budgetsOfProjects, nothingUsed } from '../../lib/app/budget-overview.ts';
import { forwardOnce } from '../../lib/app/audit/forwarding.ts';
import { openRecord } from '../../lib/app/audit/record.ts';
import { createPolicySource } from '../../lib/app/policy.ts';
import { assertMaySend, refusedHost } from '../../lib/app/residency.ts';
import { reachable } from '../../lib/audit/forward/receiver.ts';
import type { PolicyDecision } from '../../lib/base/action.ts';
import { newId } from '../../lib/base/ids.ts';
import { sockets as realSockets } from '../../lib/host/sockets.ts';
import type { ResourceContext, ResourceJudgement } from '../../lib/runs/deps.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { makeGround, type Ground } from '../support/ground.ts';
import { sessionId, usage } from '../support/usage.ts';

const policy = (...rules: readonly string[]): string => `version: 1\npolicies:\n  resource:\n${rules.map((rule) => `    - ${rule}\n`).join('')}`;

interface Scene { readonly ground: Ground; judge(context?: Partial<ResourceContext>): Promise<ResourceJudgement>; use(tokens: number, model?: string): Promise<void> }

/** A project with a policy and a configuration; every judgement reads both anew. */
function scene(t: { after(undo: () => void): void }, text: string, files: { readonly user?: string; readonly project?: string } = {}): Scene {
  const ground = makeGround(t);
  ground.write('project/.loki/policies.yaml', text);
  if (files.user !== undefined) ground.write('home/config.yaml', files.user);
  if (files.project !== undefined) ground.write('project/.loki/config.yaml', files.project);
  const store = createMemoryStore();
  const id = ground.installation().project?.id ?? '';
  return {
    ground,
    judge(context = {}) {
      const here = ground.installation();
      return judgeResource(here, openLedger(here, store), createPolicySource(here)(), { provider: 'command', tokens_consumed: 0, cost_usd: 0, agent: 'agent', project: id, session_id: sessionId, ...context });
    },
    use: (tokens, model) => openLedger(ground.installation(), store).count(usage({ output: tokens }, { projectId: id, provider: 'command', at: Date.now(), ...(model === undefined ? {} : { model }) })),
  };
}

const told = ({ decision }: ResourceJudgement): readonly string[] => [decision.decision, decision.reason.replace(/\/.*\/(?=[\w.]+:\d)/, '')];

describe('budgets', () => {
  test('are held against the ledger, and tell what they have to tell once', async (t) => {
    const { judge, use } = scene(t, policy('{ name: b, max_tokens: 100, period: total, alerts: [50], on_exceed: shutdown }'));
    assert.deepEqual((await judge({ tokens_consumed: 1e9 })).decision.decision, 'ALLOW');
    await use(101);
    const first = await judge();
    assert.deepEqual(told(first), ['DENY', 'Rule "b" (policies.yaml:4:7): 101 tokens consumed of 100 by the project in all']);
    assert.deepEqual(first.budgets, ['b']);
    assert.deepEqual(first.tellings.map(({ event, message }) => [event, message]), [
      ['budget.alert', '50% of budget b is used: 101 of 100 tokens by the project in all'], ['budget.exceeded', 'Budget b is exceeded: 101 of 100 tokens by the project in all'],
    ]);
    const { place, ...details } = first.tellings[1]?.details ?? {};
    assert.match(String(place), /policies\.yaml:4:7$/);
    assert.deepEqual(details, { rule: 'b', percent: 101, within: 'by the project in all', limit: 100, tokens_consumed: 101, cost_usd: 0, on_exceed: 'shutdown' });
    await first.told();
    assert.deepEqual((await judge()).tellings, []);
  });

  test('a person raises them', async (t) => {
    const { judge, use } = scene(t, policy('{ name: b, max_tokens: 100, on_exceed: require_approval }', '{ name: c, max_tokens: 120, on_exceed: require_approval }'));
    await use(150);
    const judgement = await judge();
    assert.deepEqual([judgement.decision.decision, judgement.budgets], ['REQUIRE_APPROVAL', ['b', 'c']]);
    await judgement.allow();
    assert.deepEqual((await judge()).decision.decision, 'ALLOW');
    await use(101);
    assert.deepEqual((await judge()).budgets, ['b']);
  });

  test('without a price, a rule about cost denies, and a budget of money asks', async (t) => {
    const { ground, judge, use } = scene(t, policy('{ name: cost, rule: "cost_usd <= 5", action: warn }', '{ name: b, max_usd: 5, on_exceed: shutdown }'));
    await use(1000, 'm-9');
    const without = await judge();
    assert.deepEqual(told(without), ['DENY', 'Rule "cost" (policies.yaml:4:7) cannot be evaluated: cost_usd is missing (and 1 more)']);
    assert.match(without.decision.violations[1]?.reason ?? '', /no price for prices\.m-9; /);
    ground.write('home/config.yaml', 'prices:\n  m-9: {output: 15}\n');
    assert.equal((await judge()).decision.decision, 'ALLOW');
  });

  test('a project cannot make its models cheap where somebody lists prices', async (t) => {
    const { judge, use } = scene(t, policy('{ name: b, max_usd: 0.01, on_exceed: shutdown }'), { user: 'prices: {m-1: {output: 15}}\n', project: 'prices: {m-1: {output: 0}, m-2: {output: 0}}\n' });
    await use(1000, 'm-1');
    assert.deepEqual(told(await judge()), ['DENY', `Rule "b" (policies.yaml:4:7): 0.015 USD consumed of 0.01 USD in the session ${sessionId}`]);
    assert.match((await judge({ model: 'm-2', session_id: newId('session', 77, new Uint8Array(10)) })).decision.reason, /no price for prices\.m-2; /);
  });
});

describe('residency at the resource point', () => {
  test('is a decision beside the policy\'s, and the stricter one stands', async (t) => {
    const { judge } = scene(t, policy('{ name: any, rule: \'provider != "x"\', action: deny }'), { user: 'residency: {allowed_providers: [claude]}\n' });
    const { decision } = await judge();
    assert.equal(decision.decision, 'DENY');
    assert.match(decision.reason, /^Rule "builtin:residency" \(built in\): provider is "command", and residency\.allowed_providers \(.*home\/config\.yaml:1\) names only claude$/);
    assert.equal((await judge({ provider: 'claude' })).decision.decision, 'ALLOW');
  });

  test('a project can tighten it and nothing else', async (t) => {
    const { judge } = scene(t, policy('{ name: any, rule: \'provider != "x"\', action: deny }'), {
      user: 'residency: {allowed_providers: [claude, command], air_gapped: true}\n', project: 'residency: {allowed_providers: [claude, command, codex], air_gapped: false}\n',
    });
    for (const [provider, decision] of [['command', 'ALLOW'], ['claude', 'DENY'], ['codex', 'DENY']] as const) assert.equal((await judge({ provider })).decision.decision, decision, provider);
  });

  test('a policy that cannot be used still denies', () => {
    const broken: PolicyDecision = { decision: 'DENY', allowed: false, requiresApproval: false, reason: 'it cannot be used', violations: [], policy_digest: '', duration_us: 1 };
    assert.deepEqual(withViolations(broken, []), broken);
    const { decision, reason } = withViolations(broken, [{ name: 'x', action: 'warn', reason: 'odd', place: 'built in' }]);
    assert.deepEqual([decision, reason], ['DENY', 'it cannot be used']);
  });
});

describe('an air gap', () => {
  const syslog = (host: string): string => `residency: {air_gapped: true}\nenterprise:\n  siem: {syslog: {host: ${host}, port: 9, protocol: tcp}}\n`;

  test('keeps records from every receiver that is not listed, and does not even ask for its address', async (t) => {
    const ground = makeGround(t);
    ground.write('home/config.yaml', syslog('siem.example.com'));
    const here = ground.installation();
    const log = openRecord(here);
    await log.record({ event: 'policy.allow', actor: 'agent:a' });
    const [report] = await forwardOnce(here, log, { deadlineMs: 500 });
    await log.close();
    assert.deepEqual([report?.sent, report?.done], [0, false]);
    assert.match(report?.why ?? '', /Cannot send records to siem\.example\.com: residency\.air_gapped is true \(.*config\.yaml:1\), and "siem\.example\.com" is neither this machine nor listed/);
    const sockets = { resolve: () => assert.fail('it was resolved') };
    await assert.rejects(reachable({ sockets: { ...realSockets, ...sockets }, allowed: [], refused: refusedHost(here) }, 'siem.example.com'), { code: 'policy.denied' });
  });

  test('lets this machine and listed hosts through', async (t) => {
    const ground = makeGround(t);
    ground.write('home/config.yaml', syslog('127.0.0.1'));
    assert.equal(refusedHost(ground.installation())('127.0.0.1'), undefined);
    assert.deepEqual(await reachable({ sockets: realSockets, allowed: [], refused: refusedHost(ground.installation()) }, '127.0.0.1'), ['127.0.0.1']);
    assert.throws(() => assertMaySend(ground.installation(), 'deliver to Slack', 'hooks.slack.com'), { code: 'policy.denied', message: /^Cannot deliver to Slack: residency\.air_gapped is true / });
    assert.doesNotThrow(() => assertMaySend(ground.installation({ LOKI_ALLOWED_INTERNAL_HOSTS: 'hooks.slack.com' }), 'deliver to Slack', 'hooks.slack.com'));
  });
});

describe('the overview', () => {
  test('lists the budgets of every enrolled project, and says why one cannot be told', async (t) => {
    const { ground } = scene(t, policy('{ name: b, max_tokens: 100, period: day, on_exceed: warn }', '{ name: any, rule: "region exists", action: warn }', '{ name: c, max_usd: 1, on_exceed: warn, mode: monitor }'));
    await ground.enrol();
    const id = ground.installation().project?.id ?? '';
    const rows = await budgetsOfProjects(ground.installation(), () => nothingUsed, undefined);
    assert.deepEqual(rows.map(({ project_id, name, mode, percent, window }) => [project_id, name, mode, percent, window]), [[id, 'b', 'enforce', 0, new Date().toISOString().slice(0, 10)], [id, 'c', 'monitor', 0, null]]);
    assert.deepEqual(await budgetsOfProjects(ground.installation(), () => nothingUsed, newId('project', 5, new Uint8Array(10))), []);
    ground.write('project/.loki/policies.yaml', 'version: 2\n');
    assert.deepEqual(await budgetsOfProjects(ground.installation(), () => nothingUsed, id), [{ project_id: id, problem: `the policy cannot be used: ${ground.project}/.loki/policies.yaml: policies is missing` }]);
    assert.ok('problem' in await budgetsOf(ground.installation(), nothingUsed));
    ground.write('project/.loki/config.yaml', 'runs: {budget: none}\n');
    const [broken] = await budgetsOfProjects(makeInstallation(ground), () => nothingUsed, id);
    assert.match(String(broken?.['problem']), /^Cannot use the configuration: .*runs\.budget/);
  });
});

/** As the control plane has it: of no project. */
function makeInstallation(ground: Ground): ReturnType<Ground['installation']> {
  ground.write('elsewhere/.loki/.keep', '');
  return ground.installation({}, `${ground.root}/elsewhere`);
}
