/** The library as a program that embeds it uses it. */
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { recordingTracer } from '../support/recording-tracer.ts';
import { openAuditLog, type OpenedAuditLog } from '../../lib/entry/audit.ts';
import { openGate } from '../../lib/entry/gate.ts';
import { loadPolicy } from '../../lib/entry/policy.ts';
import { scanSecrets, redact } from '../../lib/entry/scan.ts';
import { analyzeCommand } from '../../lib/entry/shell.ts';
import { parseYaml, LokiError } from '../../lib/entry/yaml.ts';

const root = realpathSync(mkdtempSync(join(tmpdir(), 'loki entry ')));
after(() => rmSync(root, { recursive: true, force: true }));
// What a program that embeds the library is surrounded by.
process.env['LOKI_HOME'] = join(root, 'home');

function folder(...parts: readonly string[]): string {
  const path = join(root, ...parts);
  mkdirSync(path, { recursive: true });
  return path;
}

const text = 'version: 1\npolicies:\n  pre_execution:\n    - name: boundary\n      rule: "file_path must start with project_dir"\n      action: deny\n';

describe('loadPolicy', () => {
  test('of a text judges contexts, and says why when asked', async () => {
    const policy = await loadPolicy({ text, filename: 'mine.yaml' });
    assert.deepEqual(policy.problems, []);
    const inside = policy.evaluate('pre_execution', { kind: 'fs.write', file_path: join(root, 'a'), project_dir: root });
    assert.deepEqual([inside.decision, inside.allowed, inside.requiresApproval], ['ALLOW', true, false]);
    const outside = policy.evaluate('pre_execution', { kind: 'fs.write', file_path: '/etc/passwd', project_dir: root }, { explain: true });
    assert.deepEqual([outside.decision, outside.violations.map(({ name, place }) => `${name} ${place}`)], ['DENY', ['boundary mine.yaml:4:7']]);
    assert.deepEqual(outside.explain?.rules.map(({ name, result }) => [name, result]), [['boundary', 'violated']]);
    assert.match(outside.policy_digest, /^[0-9a-f]{64}$/);
  });

  test('with mistakes gives them all with their places, and denies everything', async () => {
    const policy = await loadPolicy({ text: text.replace('rule:', 'rul:').replace('deny', 'dney') });
    assert.deepEqual(policy.problems.map(({ file, line }) => [file, line]), [['policy', 5], ['policy', 6], ['policy', 4]].sort((a, b) => Number(a[1]) - Number(b[1])));
    assert.equal(policy.evaluate('pre_execution', { kind: 'other' }).decision, 'DENY');
    assert.equal((await loadPolicy({ text: '' })).evaluate('data', { content: '' }).decision, 'DENY');
  });

  test('of a project reads its files, once', async () => {
    const projectDir = folder('policy project');
    writeFileSync(join(folder('policy project', '.loki'), 'policies.yaml'), text);
    const policy = await loadPolicy({ projectDir });
    assert.equal(policy.evaluate('pre_execution', { kind: 'fs.write', file_path: '/etc/passwd', project_dir: projectDir }).decision, 'DENY');
    assert.equal(policy.evaluate('nonsense', {}).decision, 'DENY');
    writeFileSync(join(projectDir, '.loki/policies.json'), '{}');
    const two = await loadPolicy({ projectDir });
    assert.match(two.problems[0]?.message ?? '', /policies\.yaml and policies\.json/);
    assert.equal(two.evaluate('pre_execution', { kind: 'other' }).decision, 'DENY');
  });

  test('of a project that does not exist is an error', async () => {
    await assert.rejects(loadPolicy({ projectDir: join(root, 'gone') }), (error) => error instanceof LokiError && error.code === 'project.unknown');
  });
});

describe('openAuditLog', () => {
  const entriesOf = async (log: OpenedAuditLog): Promise<readonly string[]> => {
    const found: string[] = [];
    for await (const { seq, event } of log.query()) found.push(`${seq} ${event}`);
    return found;
  };

  test('touches nothing before the first entry; then writes, reads, verifies and closes', async () => {
    const dir = join(folder('log'), 'audit');
    const log = openAuditLog({ dir, metadata: { deployment_id: 'blue' } });
    assert.equal((await log.verify()).verdict, 'ok', 'nothing is not damaged');
    assert.deepEqual(await entriesOf(log), []);
    assert.deepEqual(readdirSync(join(root, 'log')), []);
    const receipts = await Promise.all([1, 2, 3].map((n) => log.append({ event: 'agent.action', actor: 'agent:test', details: { n } })));
    assert.deepEqual(receipts.map(({ seq }) => seq), [2, 3, 4]);
    assert.deepEqual(await entriesOf(log), ['4 agent.action', '3 agent.action', '2 agent.action', '1 audit.open']);
    const { verdict, entries_checked, last_hash } = await log.verify();
    assert.deepEqual([verdict, entries_checked, last_hash], ['ok', 4, receipts[2]?.chain_hash]);
    const [name = ''] = readdirSync(dir);
    assert.match(name, /^audit-\d{4}-\d{2}-\d{2}\.jsonl$/);
    assert.deepEqual([statSync(join(dir, name)).mode & 0o777, statSync(dir).mode & 0o777], [0o600, 0o700]);
    assert.match(readFileSync(join(dir, name), 'utf8'), /"metadata":\{"hostname":"[^"]+","pid":\d+,"version":"[^"]+","deployment_id":"blue"\}/);
    await log.close();
  });

  test('goes on where the log stood, and two logs opened on one directory write one chain', async () => {
    const dir = join(folder('two'), 'audit');
    const [one, two] = [openAuditLog({ dir }), openAuditLog({ dir })];
    await Promise.all(Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? one : two).append({ event: 'agent.action', actor: 'agent:test', details: { n } })));
    await one.close();
    await two.close();
    const again = openAuditLog({ dir });
    assert.equal((await again.append({ event: 'agent.action', actor: 'agent:test' })).seq, 22);
    assert.deepEqual(await again.verify().then(({ verdict, entries_checked }) => [verdict, entries_checked]), ['ok', 22]);
    await again.close();
  });

  test('tells tampering by its place', async () => {
    const dir = join(folder('edited'), 'audit');
    const log = openAuditLog({ dir });
    for (const n of [1, 2, 3]) await log.append({ event: 'agent.action', actor: 'agent:test', details: { n } });
    const file = join(dir, readdirSync(dir)[0] ?? '');
    writeFileSync(file, readFileSync(file, 'utf8').replace('"n":2', '"n":7'));
    const report = await log.verify();
    assert.deepEqual([report.verdict, report.breaks.map(({ line, seq, cause }) => [line, seq, cause])], ['tampered', [[3, 3, 'edited']]]);
    appendFileSync(file, '{"torn":');
    assert.equal((await log.verify()).breaks.at(-1)?.cause, 'torn tail');
    await log.close();
  });

  test('splits a day at the size that was given', async () => {
    const dir = join(folder('split'), 'audit');
    const log = openAuditLog({ dir, maxFileBytes: 1000 });
    for (const n of [1, 2, 3, 4, 5, 6]) await log.append({ event: 'agent.action', actor: 'agent:test', details: { n } });
    assert.ok(readdirSync(dir).length > 1);
    assert.equal((await log.verify()).verdict, 'ok');
    await log.close();
  });

  test('reached through a symlink is the real one; a directory that is a symlink is refused', async () => {
    folder('real');
    symlinkSync(join(root, 'real'), join(root, 'link'));
    const log = openAuditLog({ dir: join(root, 'link/audit') });
    await log.append({ event: 'agent.action', actor: 'agent:test' });
    assert.equal(existsSync(join(root, 'real/audit')), true);
    await log.close();
    symlinkSync(join(root, 'real/audit'), join(root, 'real/shown'));
    const refused = openAuditLog({ dir: join(root, 'real/shown') });
    await assert.rejects(refused.append({ event: 'agent.action', actor: 'agent:test' }), { code: 'audit.unwritable', message: /is a symlink, not a directory/ });
    await refused.close();
  });

  test('whose parent does not exist says so', async () => {
    const log = openAuditLog({ dir: join(root, 'nowhere/audit') });
    await assert.rejects(log.append({ event: 'agent.action', actor: 'agent:test' }), { code: 'audit.unwritable', message: /^Cannot record agent\.action: Cannot create directory ".*\/nowhere\/run"/ });
    await log.close();
  });
});

describe('openGate', () => {
  test('judges and records the actions of a program, and says what became of them', async () => {
    const projectDir = folder('gate project');
    writeFileSync(join(folder('gate project', '.loki'), 'policies.yaml'), text);
    const gate = await openGate({ projectDir, agent: 'indexer', sessionId: 'ses_1' });
    const yes = await gate.decide({ kind: 'fs.write', file_path: 'a.txt', cwd: projectDir });
    const no = await gate.decide({ kind: 'fs.write', file_path: '../b.txt', cwd: projectDir });
    assert.deepEqual([yes.decision, no.decision, no.rule], ['ALLOW', 'DENY', 'boundary']);
    await gate.report({ action: { kind: 'fs.write', file_path: 'a.txt' }, ref: yes.audit_seq ?? -1, ok: true, bytes: 5 });
    await gate.close();
    const log = openAuditLog({ dir: join(root, 'home/dashboard/audit') });
    const seen: string[] = [];
    for await (const { event, actor } of log.query({ after: 1 })) seen.push(`${event} ${actor}`);
    assert.deepEqual(seen, ['agent.action agent:indexer', 'policy.deny agent:indexer', 'policy.allow agent:indexer']);
    assert.match(readFileSync(join(projectDir, '.loki/logs/agent-audit.jsonl'), 'utf8'), /"action":"file_write","agent":"indexer"/);
    await log.close();
  });

  test('a relative path starts where the action says, else where the program itself is', async () => {
    const projectDir = folder('gate project');
    const gate = await openGate({ projectDir });
    assert.equal((await gate.decide({ kind: 'fs.write', file_path: 'a.txt' })).decision, 'DENY', process.cwd());
    assert.equal((await gate.decide({ kind: 'fs.write', file_path: 'a.txt', cwd: projectDir })).decision, 'ALLOW');
    assert.equal((await gate.decide({ kind: 'fs.write', file_path: 'gate project/a.txt', cwd: root })).decision, 'ALLOW');
    await gate.close();
  });

  test('makes its spans in the trace of the program', async () => {
    const tracer = recordingTracer();
    const own = { traceId: '1'.repeat(32), spanId: '2'.repeat(16), sampled: true };
    const gate = await openGate({ projectDir: folder('gate project'), agent: 'indexer', tracer, parent: () => own });
    await gate.decide({ kind: 'exec', command: 'ls' });
    await gate.close();
    const action = tracer.span('execute_tool exec');
    assert.deepEqual([action.context.traceId, action.options.parent?.spanId, action.ended, action.attributes['gen_ai.agent.name']], [own.traceId, own.spanId, true, 'indexer']);
    assert.deepEqual(tracer.spans.map(({ name }) => name), ['execute_tool exec', 'policy.evaluate', 'audit.append']);
  });

  test('of a project that does not exist is an error', async () => {
    await assert.rejects(openGate({ projectDir: join(root, 'gone') }), (error) => error instanceof LokiError && error.code === 'project.unknown');
  });
});

test('parseYaml gives plain values, and places in its errors', () => {
  assert.deepEqual(parseYaml('a: [1, no, on]'), { a: [1, 'no', 'on'] });
  assert.throws(() => parseYaml('a: 1\na: 2', { filename: 'x.yaml' }), (error) => error instanceof LokiError && error.code === 'yaml.invalid' && error.line === 2);
});

test('scanSecrets, redact and analyzeCommand answer', () => {
  const key = `AKIA${'QYLPMN5HHHFPZAM2'}`;
  const findings = scanSecrets(`key: ${key}`);
  assert.deepEqual(findings.map(({ rule, line, column, length }) => [rule, line, column, length]), [['aws-access-key-id', 1, 6, 20]]);
  assert.ok(!redact(`key: ${key}`, findings).includes(key));
  assert.ok(analyzeCommand('rm a.txt', { cwd: '/p' }).actions.some(({ kind, file_path }) => kind === 'fs.delete' && file_path?.endsWith('a.txt') === true));
});
