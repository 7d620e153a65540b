/**
 * The predecessor's manual of audit logging, typed: every command and every setting that it shows does here what it says
 * there. What belongs to other programs (Splunk, Datadog, Filebeat) is left out, but for the files they read.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { makeGround, until, type Ground } from '../support/ground.ts';

const settings = `enterprise:
  audit:
    enabled: true # Audit logging enabled (default)
    level: info # Minimum level: debug, info, warning, error
    retention_days: 90 # Days to keep logs
    max_file_size: 100 # MB per file before rotation
    compress: true # Compress rotated files
    integrity_check: true # Enable SHA-256 chain hashing
    syslog_enabled: false # Forward to external syslog
    exclude_events: # Events to exclude
      - api.request
    include_metadata: # Additional metadata fields
      - environment
      - deployment_id
`;

const action = '{"kind":"exec","command":"ls"}';

/** A log with a few entries. */
async function begun(t: { after(undo: () => void): void }, config = ''): Promise<Ground> {
  const here = makeGround(t);
  here.write('project/.loki/policies.yaml', 'version: 1\npolicies:\n  pre_execution:\n    - name: no-force\n      when: \'command matches "git push --force*"\'\n      action: deny\n');
  if (config !== '') here.write('home/config.yaml', config);
  for (const command of ['ls', 'git push --force']) await here.loki(['hook', 'generic'], { input: JSON.stringify({ kind: 'exec', command }), env: { LOKI_ENVIRONMENT: 'production', LOKI_DEPLOYMENT_ID: 'd-7' } });
  return here;
}

describe('typed from the manual', { concurrency: 2 }, () => {
  test('the settings, and where they are shown', async (t) => {
    const here = await begun(t, settings);
    const { exit, stdout } = await here.loki(['enterprise', 'status'], { env: { LOKI_ENVIRONMENT: 'production' } });
    assert.equal(exit, 0);
    assert.match(stdout, /^Audit {4}on, entry 3 of /m);
    assert.match(stdout, /^enterprise\.audit\.retention_days +90 +from .*config\.yaml:5$/m);
    const { metadata } = here.entries()[1] ?? {};
    assert.deepEqual(Object.entries(Object(metadata)).filter(([name]) => ['environment', 'deployment_id'].includes(name)), [['environment', 'production'], ['deployment_id', 'd-7']]);
  });

  const variables: readonly (readonly [string, string, RegExp])[] = [
    ['LOKI_AUDIT_DISABLED', 'true', /^enterprise\.audit\.enabled +false/m], ['LOKI_ENTERPRISE_AUDIT', 'true', /^enterprise\.audit\.enabled +true/m], ['LOKI_AUDIT_LEVEL', 'debug', /^enterprise\.audit\.level +debug/m],
    ['LOKI_AUDIT_RETENTION', '365', /^enterprise\.audit\.retention_days +365/m], ['LOKI_AUDIT_SYSLOG_HOST', 'syslog.example.com', /^enterprise\.siem\.syslog\.host +syslog\.example\.com/m],
    ['LOKI_AUDIT_SYSLOG_PORT', '1514', /^enterprise\.siem\.syslog\.port +1514/m], ['LOKI_AUDIT_SYSLOG_PROTO', 'tcp', /^enterprise\.siem\.syslog\.protocol +tcp/m],
    ['LOKI_AUDIT_NO_INTEGRITY', 'true', /^enterprise\.audit\.integrity_check +false/m], ['LOKI_AUDIT_COMPRESS', 'true', /^enterprise\.audit\.compress +true/m],
  ];
  test('each variable', async (t) => {
    const here = makeGround(t);
    for (const [name, value, shown] of variables) {
      const { exit, stdout } = await here.loki(['enterprise', 'status'], { env: { [name]: value } });
      assert.deepEqual([exit, shown.test(stdout)], [0, true], `${name}\n${stdout}`);
    }
  });

  const commands: readonly (readonly [string, RegExp])[] = [
    ['enterprise audit summary', /^Audit Log Summary \(Last 24 Hours\)\n\nEvents by Type:\n(?: {2}[a-z._]+: \d+\n)+\nEvents by Level:\n(?: {2}[a-z]+: \d+\n)+\nEvents by Actor:\n(?: {2}\S+: \d+\n)+$/],
    ['enterprise audit tail', /policy\.deny/],
    ['enterprise audit tail --event policy.deny', /policy\.deny/],
    ['enterprise audit tail --level warning', /policy\.deny/],
    ['enterprise audit search --event policy.deny', /policy\.deny/],
    ['enterprise audit search --from 2026-02-01 --to 2199-02-15', /audit\.open/],
    ['enterprise audit search --actor generic', /policy\.allow/],
    ['enterprise audit search --event policy.deny --from 2026-02-15 --level warning', /policy\.deny/],
    ['enterprise audit export --output audit-export.json', /audit-export\.json/],
    ['enterprise audit export --from 2026-01-01 --level error --output errors.json', /errors\.json/],
    ['enterprise audit export --format csv --output audit.csv', /audit\.csv/],
    ['audit verify', /ok/],
    ['audit help', /loki audit COMMAND/],
  ];
  test('each command', async (t) => {
    const here = await begun(t);
    for (const [line, shown] of commands) {
      const { exit, stdout, stderr } = await here.loki(line.split(' '));
      assert.deepEqual([exit, shown.test(stdout)], [0, true], `loki ${line}\n${stdout}${stderr}`);
    }
    assert.equal(JSON.parse(readFileSync(join(here.project, 'audit-export.json'), 'utf8'))[0].event, 'audit.open');
    assert.match(readFileSync(join(here.project, 'audit.csv'), 'utf8').split('\n')[0] ?? '', /seq.*timestamp.*event/);
    const [name = ''] = readdirSync(join(here.home, 'dashboard/audit'));
    assert.match(name, /^audit-\d{4}-\d\d-\d\d\.jsonl$/, 'and nothing else lies there that a shipper would take');
    assert.deepEqual([statSync(join(here.home, 'dashboard/audit')).mode & 0o777, statSync(join(here.home, 'dashboard/audit', name)).mode & 0o777], [0o700, 0o600]);
  });

  test('what agents did: log, count, one action', async (t) => {
    const here = await begun(t);
    await here.loki(['hook', 'generic'], { input: '{"phase":"post","kind":"fs.write","file_path":"a.txt","outcome":{"ok":true}}' });
    const lines = readFileSync(join(here.project, '.loki/logs/agent-audit.jsonl'), 'utf8');
    assert.deepEqual(Object.keys(JSON.parse(lines)).filter((member) => ['timestamp', 'action', 'agent', 'branch', 'details'].includes(member)), ['timestamp', 'action', 'agent', 'branch', 'details']);
    assert.match((await here.loki(['audit', 'log'])).stdout, /file_write/);
    assert.match((await here.loki(['audit', 'count'])).stdout, /^1 action\n/);
    const none = await here.loki(['audit', 'log', '--action', 'git_commit']);
    assert.deepEqual([none.exit, none.stdout], [0, '']);
  });

  test('following new entries', async (t) => {
    const here = await begun(t);
    const child = here.start(['enterprise', 'audit', 'tail', '--follow']);
    let text = '';
    child.stdout?.on('data', (bytes) => { text += String(bytes); });
    await until('it shows what is there', () => text.includes('policy.deny'));
    await here.loki(['hook', 'generic'], { input: '{"kind":"exec","command":"echo new"}' });
    await until('it shows what comes', () => text.includes('echo new'));
    child.kill('SIGINT');
    await once(child, 'exit');
  });

  test('the API', async (t) => {
    const here = await begun(t);
    const child = here.start(['dashboard', '--port', '0']);
    const address = join(here.home, 'run/address');
    await until('it listens', () => existsSync(address));
    const get = async (path: string): Promise<unknown> => (await fetch(`${readFileSync(address, 'utf8').trim()}/api/audit${path}`)).json();
    const eventsOf = (entries: unknown): readonly unknown[] => (Array.isArray(entries) ? entries.map((entry) => Reflect.get(Object(entry), 'event')) : ['no list']);
    assert.ok(eventsOf(await get('?limit=50')).includes('policy.deny'));
    assert.deepEqual(eventsOf(await get('?event=policy.deny&limit=100')), ['policy.deny']);
    assert.ok(eventsOf(await get('?start=2026-02-01&end=2199-02-15')).includes('policy.allow'));
    assert.deepEqual(eventsOf(await get('?actor=generic&level=info&offset=0')), ['policy.allow']);
    const summary = Object(await get('/summary'));
    assert.deepEqual(Object.keys(summary), ['period', 'total_events', 'by_type', 'by_level', 'by_actor']);
    assert.deepEqual([summary.period, summary.by_type['policy.deny']], ['24h', 1]);
    child.kill('SIGINT');
    await once(child, 'exit');
  });

  const regimes: readonly (readonly [string, string])[] = [
    ['SOC2', 'retention_days: 365\n    integrity_check: true\n    syslog_enabled: true'],
    ['HIPAA', 'retention_days: 2190\n    encrypt: true\n    integrity_check: true\n    syslog_enabled: true'],
    ['GDPR', 'retention_days: 365\n    gdpr_compliance: true\n    log_data_access: true'],
  ];
  for (const [regime, lines] of regimes) {
    test(`the configuration for ${regime}: entries are written and verify`, async (t) => {
      const here = makeGround(t);
      here.write('home/config.yaml', `enterprise:\n  audit:\n    enabled: true\n    ${lines}\n`);
      const env = lines.includes('syslog') ? { LOKI_AUDIT_SYSLOG_HOST: '127.0.0.1', LOKI_AUDIT_SYSLOG_PORT: '9' } : {};
      const asked = await here.loki(['hook', 'generic'], { input: action, env });
      assert.equal(asked.exit, 0, asked.stdout);
      assert.doesNotMatch((await here.loki(['enterprise', 'status'], { env })).stderr, /does not act on it/);
      assert.equal((await here.loki(['audit', 'verify'], { env })).exit, 0);
      if (regime !== 'SOC2') assert.equal((await here.loki(['enterprise', 'audit', 'search', '--event', 'policy.allow'], { env })).stdout.includes('exec ls'), true, 'with the keys at hand, entries read as they were');
      if (regime === 'HIPAA') assert.equal(JSON.stringify(here.entries()).includes('"command":"ls"'), false, 'and not without');
    });
  }
});
