/**
 * Every event from its place: a session that goes well, one that runs out of budget, one that is steered, a hook, approvals, a
 * control plane and a few commands, all through the command line, leave in their logs every event that this version has a
 * feature for. What needs a fault or a long wait is shown by the test that the table names. Nothing given as a secret is there.
 */
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { openRecord } from '../../lib/app/audit/record.ts';
import { eventNames } from '../../lib/audit/events.ts';
import type { JsonObject } from '../../lib/base/json.ts';
import { endOf } from '../support/child.ts';
import { makeGround, until, type Ground } from '../support/ground.ts';
import { fixture, packageRoot } from '../support/root.ts';

/** Features that are to come; nothing records these yet. */
const later: readonly string[] = [
  'auth.token.revoke', 'auth.token.rotate', 'task.update', 'approval.override', 'run.replay', 'tenant.create', 'tenant.update', 'tenant.delete',
  'project.create', 'project.update', 'project.delete', 'webhook.accept', 'webhook.reject', 'integration.deliver', 'integration.fail', 'telemetry.drop',
];

/** Events that need a fault or a wait, or are seldom: the test that shows each. */
const elsewhere: Readonly<Record<string, string>> = {
  'api.error': 'test/server/streams.test.ts',
  'approval.expire': 'test/approvals/approvals.test.ts',
  'audit.gap': 'test/audit/durability.test.ts',
  'audit.disk_full': 'test/audit/full-disk.test.ts',
  'auth.oidc.success': 'test/server/auth/routes.test.ts',
  'auth.oidc.fail': 'test/server/auth/routes.test.ts',
  'hooks.install': 'test/app/hooks/install.test.ts',
  'hooks.disable': 'test/app/hooks/install.test.ts',
};

const secrets = { key: 'AKIAZ7TQ4PLM2XWERBN5', slack: 'xoxb-' + '2871634501-Kq8mZt7Wv3Lp', wrong: 'loki_wrongwrongwrongwrongwrongwrong0000AB' } as const;
const debug = { LOKI_AUDIT_LEVEL: 'debug', LOKI_SLACK_BOT_TOKEN: secrets.slack };

const policy = `version: 1
policies:
  pre_execution:
    - name: no-force
      when: 'command matches "git push --force*"'
      action: deny
    - name: publishing
      when: 'command matches "npm publish*"'
      action: require_approval
    - name: mind-the-notes
      when: 'file_path matches "**/notes.txt"'
      action: warn
`;

const seen = new Map<string, JsonObject>();

/** Takes in what a ground's log holds, and looks for secrets in everything that lies there but the token itself. */
function gather(here: Ground): void {
  for (const entry of here.entries()) seen.set(String(entry['event']), entry);
  const token = join(here.home, 'run/token');
  const given = [...Object.values(secrets), ...(existsSync(token) ? [readFileSync(token, 'utf8').trim()] : [])];
  for (const file of filesBelow(here.home)) {
    if (file === token) continue;
    const text = readFileSync(file, 'latin1');
    for (const secret of given) assert.ok(!text.includes(secret), `${file} holds a secret`);
  }
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder).map((name) => join(folder, name)).flatMap((path) => (statSync(path).isDirectory() ? filesBelow(path) : statSync(path).isFile() ? [path] : []));
}

function ground(t: { after(undo: () => void): void }, config: string, script?: unknown): Ground {
  const here = makeGround(t);
  here.write('project/prd.md', '# Make it\n');
  here.write('project/.loki/policies.yaml', policy);
  here.write('home/config.yaml', config);
  if (script !== undefined) here.write('project/script.json', JSON.stringify({ version: 1, title: 'every event', rounds: script }));
  return here;
}

const start = ['start', 'prd.md', '--provider', 'scripted', '--script', 'script.json'];
const usage = (tokens: number): JsonObject => ({ usage: { input_tokens: tokens, output_tokens: 0 } });

async function run(here: Ground, args: readonly string[], exit: number, call: Parameters<Ground['loki']>[1] = {}): Promise<string> {
  const end = await here.loki(args, call);
  assert.equal(end.exit, exit, `loki ${args.join(' ')}\n${end.stdout}${end.stderr}`);
  return end.stdout;
}

describe('scenes', { concurrency: 2 }, () => {
  test('a session that goes well, in its second round', async (t) => {
    const verify = { '*': [{ verdict: 'approve', reason: 'well made' }, usage(1)] };
    const here = ground(t, 'runs:\n  branch_protection: false\n  council: {reviewers: [quality], required: 1}\n  gates: [{name: made, command: "test -e made.txt"}]\n', [
      { REASON: [{ task: 'Make it', description: `with ${secrets.key}`, priority: 'low' }, usage(600)], ACT: [{ run: 'git push --force' }, { write: 'notes.txt', lines: ['a'] }], VERIFY: verify },
      { ACT: [{ write: 'made.txt', lines: ['b'] }, { run: `echo ${secrets.key} > /dev/null` }], VERIFY: verify },
    ]);
    await run(here, [...start, '--budget', '1000', '--max-iterations', '3'], 0, { env: debug });
    gather(here);
    const end = here.entries().findLast(({ event }) => event === 'audit.close');
    const pidOf = ({ metadata }: JsonObject): unknown => (metadata as JsonObject)['pid'];
    const own = here.entries().filter((entry) => pidOf(entry) === pidOf(end ?? {}) && !String(entry['event']).startsWith('audit.'));
    assert.deepEqual(end?.['details'], { process: 'session', entries: own.length, reason: 'session completed' });
  });

  test('a session whose budget is spent', async (t) => {
    const here = ground(t, 'runs:\n  branch_protection: false\n  council: {reviewers: [], required: 0}\n', [{ REASON: [{ task: 'Make it', description: 'x', priority: 'low' }], ACT: [usage(5000)] }]);
    await run(here, [...start, '--budget', '1000'], 1);
    gather(here);
  });

  test('a session that is paused, goes on, and is stopped', async (t) => {
    const here = ground(t, 'runs:\n  branch_protection: false\n  council: {reviewers: [], required: 0}\n', [{ REASON: [{ wait: 1500 }], ACT: [{ wait: 30_000 }] }]);
    const session = endOf(here.start(start));
    await until('the session runs', () => existsSync(join(here.home, 'dashboard/audit')) && here.entries().some(({ event }) => event === 'agent.spawn'));
    await run(here, ['pause'], 0);
    await until('it has paused', () => here.entries().some(({ event }) => event === 'session.pause'));
    await run(here, ['resume'], 0);
    await until('it goes on', () => here.entries().some(({ event }) => event === 'session.resume'));
    await run(here, ['stop'], 0);
    assert.equal((await session).exit, 1);
    gather(here);
  });

  test('an agent that fails', async (t) => {
    const here = ground(t, `runs:\n  provider: {name: command, command: ${JSON.stringify(`'${process.execPath}' '${fixture('support', 'agent.mjs')}' exit`)}}\n  branch_protection: false\n  council: {reviewers: [], required: 0}\n`);
    await run(here, ['start', 'prd.md'], 1);
    gather(here);
  });

  test('a hook, approvals, an enrolment that changes, commands that are confirmed, a torn tail', async (t) => {
    const here = ground(t, '');
    await run(here, ['init', '--yes'], 0);
    await run(here, ['hook', 'generic'], 2, { input: `{"kind":"exec","command":"curl -u admin:${secrets.key}` });
    const asked = JSON.parse(await run(here, ['hook', 'generic'], 5, { input: '{"kind":"exec","command":"npm publish"}' }));
    await run(here, ['approve', asked.approval_id, '--reason', 'it is time', '--yes'], 0);
    const again = JSON.parse(await run(here, ['hook', 'generic'], 5, { input: '{"kind":"exec","command":"npm publish --tag next"}' }));
    await run(here, ['reject', again.approval_id, '--reason', 'not yet', '--yes'], 0);
    here.write('project/.loki/policies.yaml', policy.replace('--force*', '-f*'));
    await run(here, ['init', '--yes'], 0);
    here.write('project/.loki/config.yaml', 'runs:\n  gates: [{name: unit, command: npm test}]\n');
    await run(here, ['trust', '--yes'], 0);
    const folder = join(here.home, 'dashboard/audit');
    appendFileSync(join(folder, readdirSync(folder).at(-1) ?? ''), '{"seq":99,"half a li');
    await run(here, ['hook', 'generic'], 0, { input: '{"kind":"exec","command":"ls"}' });
    gather(here);
    const details = (event: string): JsonObject => here.entries().find((entry) => entry['event'] === event)?.['details'] as JsonObject;
    assert.deepEqual(Object.keys(details('policy.change')), ['path', 'changed', 'proof']);
    assert.equal(details('config.change')['what'], 'confirmed commands');
  });

  test('a control plane that is asked, by those who may and those who may not, and begins with other settings the next time', async (t) => {
    const here = ground(t, 'enterprise:\n  audit:\n    retention_days: 100\n');
    for (const days of [100, 200]) {
      here.write('home/config.yaml', `enterprise:\n  audit:\n    retention_days: ${days}\n`);
      const child = here.start(['dashboard', '--port', '0'], { env: debug });
      await until('it listens', () => existsSync(join(here.home, 'run/address')));
      const url = readFileSync(join(here.home, 'run/address'), 'utf8').trim();
      const token = readFileSync(join(here.home, 'run/token'), 'utf8').trim();
      const ask = async (method: string, bearer?: string): Promise<number> => (await fetch(`${url}/api/runs`, { method, ...(bearer === undefined ? {} : { headers: { Authorization: `Bearer ${bearer}` } }) })).status;
      assert.deepEqual([await ask('GET'), await ask('GET', token), await ask('GET', secrets.wrong), await ask('POST')], [200, 200, 401, 401]);
      child.kill('SIGINT');
      await once(child, 'exit');
    }
    gather(here);
    const changes = here.entries().filter(({ event }) => event === 'config.change').map(({ details }) => details);
    assert.deepEqual(changes, [{ what: 'settings', process: 'control plane', changed: [{ key: 'enterprise.audit.retention_days', from: '100', to: '200', by: join(here.home, 'config.yaml') }] }]);
    assert.equal(here.entries().filter(({ event }) => event === 'audit.close').length, 2);
    assert.equal(here.entries().filter(({ event }) => event === 'auth.token.create').length, 1);
  });

  test('the records themselves: kept, read, exported, erased, verified, forwarded to nobody', async (t) => {
    const here = ground(t, 'enterprise:\n  audit:\n    gdpr_compliance: true\n    log_data_access: true\n    retention_days: 7\n');
    const installation = here.installation();
    const monthAgo = Date.now() - 30 * 86_400_000;
    const log = openRecord({ ...installation, host: { ...installation.host, clock: { ...installation.host.clock, now: () => monthAgo } } });
    await log.record({ event: 'session.start', actor: 'user:alice', details: {} });
    await log.close();
    await run(here, ['hook', 'generic'], 0, { input: '{"kind":"exec","command":"ls"}' });
    await run(here, ['enterprise', 'audit', 'search', '--event', 'session.start'], 0);
    await run(here, ['enterprise', 'audit', 'export', '--output', 'all.json'], 0);
    await run(here, ['audit', 'erase', 'user:alice', '--request', 'R-1', '--refuse', '--ground', 'Art 17(3)(e)', '--yes'], 0);
    await run(here, ['audit', 'erase', 'user:alice', '--request', 'R-2', '--yes'], 0);
    await run(here, ['audit', 'verify'], 0);
    await run(here, ['audit', 'keep'], 0);
    await run(here, ['audit', 'prune', '--yes'], 0);
    await here.loki(['syslog', 'test'], { env: { LOKI_AUDIT_SYSLOG_HOST: '127.0.0.1', LOKI_AUDIT_SYSLOG_PORT: '1', LOKI_AUDIT_SYSLOG_PROTO: 'tcp' } });
    await here.loki(['audit', 'keep'], { env: { LOKI_AUDIT_SYSLOG_HOST: '127.0.0.1', LOKI_AUDIT_SYSLOG_PORT: '1', LOKI_AUDIT_SYSLOG_PROTO: 'tcp' } });
    gather(here);
    await run(here, ['audit', 'verify'], 0);
  });
});

test('together they leave every event that has a feature, and none that has not', () => {
  const expected = eventNames.filter((name) => !later.includes(name) && !Object.hasOwn(elsewhere, name));
  assert.deepEqual(expected.filter((name) => !seen.has(name)), []);
  assert.deepEqual([...seen.keys()].filter((name) => later.includes(name)), []);
});

test('each event that is shown elsewhere stands in the test that is said to show it', { skip: existsSync(join(packageRoot, 'test')) ? false : 'the sources are not here' }, () => {
  for (const [event, file] of Object.entries(elsewhere)) assert.ok(readFileSync(join(packageRoot, file), 'utf8').includes(event), `${file} shows ${event}`);
});
