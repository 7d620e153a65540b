/** Layers, environment, and what follows from what. */
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { test } from 'node:test';
import { table } from '../../lib/config/config.ts';
import { initialConfigText } from '../../lib/config/initial.ts';
import { lokiHome } from '../../lib/config/resolve.ts';
import { configOf, errorOf, paths, yamlOf } from '../support/config.ts';

test('with nothing configured every value is its default', () => {
  const config = configOf({});
  assert.ok(config.explain().every((row) => row.from === 'default'));
  assert.deepEqual(config.explain().map((row) => row.key), table.map((setting) => setting.key));
  assert.deepEqual(config.warnings, []);
  assert.equal(config.home, '/home/u/.loki');
  assert.equal(config.audit.origin, 'box');
  assert.deepEqual([config.audit.enabled, config.audit.level, config.audit.retentionDays, config.audit.onFailure], [true, 'info', 90, 'block']);
  assert.deepEqual([config.server.host, config.server.port, config.auth.enabled], ['127.0.0.1', 57374, false]);
  assert.deepEqual(config.runs.council, { reviewers: ['requirements', 'quality', 'security'], required: 2 });
});

test('layers: each is beaten by every stronger one', () => {
  const key = 'runs.max_iterations';
  const weakestFirst = [
    { project: yamlOf(key, '2') }, { user: yamlOf(key, '3') }, { organisation: yamlOf(key, '4') }, { flags: { '--max-iterations': '5' } },
  ];
  const origins = [`${paths.project}:2`, `${paths.user}:2`, `${paths.organisation}:2`, 'flag --max-iterations'];
  for (let strongest = 0; strongest < weakestFirst.length; strongest += 1) {
    for (let weakest = 0; weakest <= strongest; weakest += 1) {
      const config = configOf(Object.assign({}, ...weakestFirst.slice(weakest, strongest + 1)));
      assert.equal(config.runs.maxIterations, strongest + 2);
      assert.equal(config.explain().find((row) => row.key === key)?.from, origins[strongest]);
    }
  }
});

test('layers: flag, environment, organisation, user, default on one key', () => {
  const port = (value: string): string => yamlOf('enterprise.server.port', value);
  const all = { flags: { '--port': '5' }, env: { LOKI_PORT: '4' }, organisation: port('3'), user: port('2') };
  assert.equal(configOf(all).server.port, 5);
  assert.equal(configOf({ ...all, flags: {} }).server.port, 4);
  assert.equal(configOf({ ...all, flags: {}, env: {} }).server.port, 3);
  assert.equal(configOf({ user: all.user }).server.port, 2);
  assert.deepEqual(configOf({ user: all.user }).origin('enterprise.server.port'), { layer: 'user', name: paths.user, line: 3, column: 5 });
  assert.deepEqual(configOf({}).origin('no.such.key'), { layer: 'default', name: '' });
});

test('a value that a stronger layer overrides is checked all the same', () => {
  const error = errorOf({ env: { LOKI_PORT: '80' }, user: yamlOf('enterprise.server.port', 'eighty') });
  assert.match(error.message, /^Cannot use the configuration: \/home\/u\/\.loki\/config\.yaml:3:11: enterprise\.server\.port in the user file is "eighty"/);
});

test('booleans take the words of the contract in any case and nothing else', () => {
  for (const word of ['true', '1', 'yes', 'on', 'TRUE', 'Yes', 'oN', ' on ']) assert.equal(configOf({ env: { LOKI_ENTERPRISE_AUTH: word } }).auth.enabled, true, word);
  for (const word of ['false', '0', 'no', 'off', 'FALSE', 'No', 'OFF']) assert.equal(configOf({ env: { LOKI_ENTERPRISE_AUTH: word } }).auth.enabled, false, word);
  for (const word of ['y', 'n', 'enabled', '2', '-1', 'null', 'tru', 'on off']) {
    const error = errorOf({ env: { LOKI_ENTERPRISE_AUTH: word } });
    assert.equal(error.message,
      `Cannot use the configuration: enterprise.auth.enabled in the environment variable LOKI_ENTERPRISE_AUTH is "${word}", accepted is true, 1, yes, on or false, 0, no, off`);
  }
  for (const word of ['yes', '"on"', '1', 'True']) assert.equal(configOf({ user: yamlOf('enterprise.auth.enabled', word) }).auth.enabled, true, word);
});

test('LOKI_AUDIT_DISABLED and LOKI_AUDIT_NO_INTEGRITY say the opposite of their keys', () => {
  const config = configOf({ env: { LOKI_AUDIT_DISABLED: 'yes', LOKI_AUDIT_NO_INTEGRITY: '1' } });
  assert.deepEqual([config.audit.enabled, config.audit.integrityCheck], [false, false]);
  assert.equal(configOf({ env: { LOKI_AUDIT_DISABLED: 'off' }, user: yamlOf('enterprise.audit.enabled', 'false') }).audit.enabled, true);
});

test('LOKI_ENTERPRISE_AUDIT=true forces audit on; false says nothing', () => {
  const disabled = { LOKI_AUDIT_DISABLED: 'true' };
  const file = yamlOf('enterprise.audit.enabled', 'false');
  const forced = configOf({ env: { ...disabled, LOKI_ENTERPRISE_AUDIT: 'true' }, organisation: file, user: file });
  assert.equal(forced.audit.enabled, true);
  assert.equal(forced.origin('enterprise.audit.enabled').name, 'LOKI_ENTERPRISE_AUDIT');
  assert.equal(configOf({ env: { ...disabled, LOKI_ENTERPRISE_AUDIT: 'false' } }).audit.enabled, false);
  assert.equal(configOf({ env: { LOKI_ENTERPRISE_AUDIT: 'false' } }).audit.enabled, true);
});

test('an empty variable counts as unset, with a warning', () => {
  const config = configOf({ env: { LOKI_PORT: '', LOKI_AUDIT_LEVEL: '  ', OTEL_SERVICE_NAME: '', LOKI_HOST: undefined } });
  assert.deepEqual([config.server.port, config.audit.level], [57374, 'info']);
  assert.deepEqual(config.warnings.map((warning) => warning.message).sort(), [
    'the environment variable LOKI_AUDIT_LEVEL is empty and counts as unset',
    'the environment variable LOKI_PORT is empty and counts as unset',
  ]);
});

test('an unknown LOKI_ variable is a warning with a suggestion, never an error', () => {
  const config = configOf({ env: { LOKI_AUDIT_LEVLE: 'debug', PATH: '/bin', LOKI: 'x', ['LOKI_\u001b[31m']: '1' } });
  assert.deepEqual(config.warnings.map((warning) => warning.message), [
    'unknown environment variable "LOKI_AUDIT_LEVLE" (did you mean "LOKI_AUDIT_LEVEL"?)', 'unknown environment variable "LOKI_\\u001b[31m"',
  ]);
});

test('a variable that other programs read too is left aside when it cannot be used', () => {
  const config = configOf({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318', OTEL_EXPORTER_OTLP_HEADERS: 'sesame', GITHUB_REPOSITORY: 'x' } });
  assert.deepEqual([config.telemetry.endpoint, config.telemetry.headers, config.integrations.github.repository], [undefined, undefined, undefined]);
  assert.equal(config.warnings.length, 3);
  assert.doesNotMatch(JSON.stringify(config.warnings), /sesame/);
  assert.match(config.warnings[0]?.message ?? '', /OTEL_EXPORTER_OTLP_ENDPOINT is "collector:4318", without http:\/\/ or https:\/\/ before it, accepted is an http or https URL .*; the variable is left aside$/);
});

test('LOKI_ variables win over OTEL_ variables', () => {
  const env = { LOKI_OTEL_ENDPOINT: 'http://a:4318', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://b:4318', OTEL_SERVICE_NAME: 'svc' };
  const { telemetry } = configOf({ env });
  assert.deepEqual([telemetry.endpoint, telemetry.serviceName], ['http://a:4318', 'svc']);
});

test('telemetry headers are read as the OTLP exporter specification writes them', () => {
  const { telemetry } = configOf({ env: { OTEL_EXPORTER_OTLP_HEADERS: 'Authorization=Basic%20YTpi==, x-a = 1' } });
  assert.deepEqual([...telemetry.headers ?? []].map(([name, value]) => [name, value.reveal()]), [['authorization', 'Basic YTpi=='], ['x-a', '1']]);
  assert.equal(configOf({ env: { OTEL_EXPORTER_OTLP_HEADERS: 'a=%zz' } }).telemetry.headers, undefined);
  assert.equal(configOf({ env: { OTEL_EXPORTER_OTLP_HEADERS: 'a=x%0d%0aEvil: 1' } }).telemetry.headers, undefined);
});

test('a syslog host means enabled, unless the same or a stronger layer says no', () => {
  const host = yamlOf('enterprise.siem.syslog.host', 'siem.example.com');
  const env = { LOKI_AUDIT_SYSLOG_HOST: 'siem.example.com' };
  const off = yamlOf('enterprise.audit.syslog_enabled', 'false');
  assert.equal(configOf({ env }).siem.syslog.enabled, true);
  assert.equal(configOf({ env, user: off }).siem.syslog.enabled, true);
  assert.equal(configOf({ user: host }).siem.syslog.enabled, true);
  assert.equal(configOf({ user: host, organisation: off }).siem.syslog.enabled, false);
  assert.equal(configOf({ user: `enterprise: {audit: {syslog_enabled: false}, siem: {syslog: {host: a}}}` }).siem.syslog.enabled, false);
  assert.equal(configOf({}).siem.syslog.enabled, false);
});

test('syslog enabled without a host is an error', () => {
  const error = errorOf({ user: yamlOf('enterprise.audit.syslog_enabled', 'true') });
  assert.match(error.message, /config\.yaml:3:5: enterprise\.audit\.syslog_enabled is true without enterprise\.siem\.syslog\.host/);
  assert.match(error.hint, /LOKI_AUDIT_SYSLOG_HOST/);
});

test('the syslog port follows the protocol unless it is given', () => {
  const env = { LOKI_AUDIT_SYSLOG_HOST: 'a' };
  assert.equal(configOf({ env }).siem.syslog.port, 514);
  assert.equal(configOf({ env: { ...env, LOKI_AUDIT_SYSLOG_PROTO: 'TLS' } }).siem.syslog.port, 6514);
  assert.equal(configOf({ env: { ...env, LOKI_AUDIT_SYSLOG_PROTO: 'tls', LOKI_AUDIT_SYSLOG_PORT: '514' } }).siem.syslog.port, 514);
});

test('settings that belong together are refused apart', () => {
  const apart: readonly (readonly [Record<string, string>, RegExp])[] = [
    [{ LOKI_TLS_CERT: '/c.pem' }, /enterprise\.server\.tls\.cert is set without enterprise\.server\.tls\.key \(env LOKI_TLS_CERT\)/],
    [{ LOKI_TLS_KEY: '/k.pem' }, /tls\.key is set without enterprise\.server\.tls\.cert/],
    [{ LOKI_SPLUNK_HEC_URL: 'https://s:8088' }, /hec_url is set without .*hec_token/],
    [{ LOKI_SPLUNK_HEC_TOKEN: 'sesame' }, /hec_token is set without .*hec_url/],
    [{ LOKI_OIDC_ISSUER: 'https://i' }, /issuer is set without .*client_id/],
    [{ LOKI_JIRA_URL: 'https://j' }, /url is set without integrations\.jira\.email and integrations\.jira\.token/],
    [{ LOKI_AUDIT_KEY: 'ab'.repeat(32), LOKI_AUDIT_KEY_FILE: '/k' }, /LOKI_AUDIT_KEY and LOKI_AUDIT_KEY_FILE are both set/],
  ];
  for (const [env, message] of apart) assert.match(errorOf({ env }).message, message);
  const { tls } = configOf({ env: { LOKI_TLS_CERT: '/c.pem', LOKI_TLS_KEY: '~/k.pem' } }).server;
  assert.deepEqual(tls, { cert: '/c.pem', key: '/home/u/k.pem' });
});

test('a value that cannot be used is not also reported as missing', () => {
  assert.equal(errorOf({ env: { LOKI_TLS_CERT: 'c.pem', LOKI_TLS_KEY: '/k' } }).problems.length, 1);
  assert.equal(errorOf({ user: 'enterprise: {server: {tls: {cert: [], key: /k}}}' }).problems.length, 1);
});

test('listening beyond loopback needs authentication', () => {
  for (const host of ['0.0.0.0', '::', '10.0.0.1', 'loki.example.com', '127.0.0.1.example.com', '128.0.0.1']) {
    const error = errorOf({ env: { LOKI_HOST: host } });
    assert.match(error.message, /which others can reach, without enterprise\.auth\.enabled \(env LOKI_HOST\)/);
    assert.equal(configOf({ env: { LOKI_HOST: host, LOKI_ENTERPRISE_AUTH: 'on' } }).server.host, host);
  }
  for (const host of ['127.0.0.1', '127.8.9.10', 'localhost', '::1', '[::1]']) assert.equal(configOf({ env: { LOKI_HOST: host } }).server.host, host.replace(/[[\]]/g, ''));
});

test('proxies are trusted only with authentication, and with them, or beyond loopback, there is time to notice the end', () => {
  assert.match(errorOf({ env: { LOKI_TRUSTED_PROXIES: '10.0.0.0/8' } }).message, /lets others in through a proxy, without enterprise\.auth\.enabled/);
  const { trustedProxies, drain } = configOf({ env: { LOKI_TRUSTED_PROXIES: '10.0.0.0/8,::1', LOKI_ENTERPRISE_AUTH: 'on' } }).server;
  assert.deepEqual([trustedProxies, drain], [['10.0.0.0/8', '::1'], 5000]);
  assert.equal(configOf({ env: { LOKI_HOST: '10.0.0.1', LOKI_ENTERPRISE_AUTH: 'on' } }).server.drain, 5000);
  assert.equal(configOf({ env: { LOKI_HOST: '10.0.0.1', LOKI_ENTERPRISE_AUTH: 'on' }, user: 'enterprise: {server: {drain: 20s}}' }).server.drain, 20_000);
  assert.equal(configOf({}).server.drain, 0);
});

test('a key in the environment switches encryption on', () => {
  const key = Buffer.alloc(32, 7);
  for (const text of [key.toString('hex'), key.toString('base64'), key.toString('base64url')]) {
    const { audit } = configOf({ env: { LOKI_AUDIT_KEY: text }, organisation: yamlOf('enterprise.audit.encrypt', 'off') });
    assert.equal(audit.encrypt, true);
    assert.equal(audit.key?.reveal(), text);
  }
  assert.equal(configOf({ env: { LOKI_AUDIT_KEY_FILE: '/k' } }).audit.encrypt, true);
  assert.equal(configOf({}).audit.encrypt, false);
  assert.match(errorOf({ env: { LOKI_AUDIT_KEY: 'short' } }).message, /enterprise\.audit\.key in the environment variable LOKI_AUDIT_KEY is \*\*\*, accepted is 32 bytes in base64 or hex/);
});

test('a key of the environment only is refused in every file, with the variable to use', () => {
  for (const layer of ['organisation', 'user', 'project'] as const) {
    const error = errorOf({ [layer]: yamlOf('enterprise.audit.key', 'sesame') });
    assert.match(error.message, /enterprise\.audit\.key cannot stand in a file/);
    assert.equal(error.hint, 'Set it in the environment: LOKI_AUDIT_KEY');
    assert.equal(error.problems[0]?.excerpt, undefined);
  }
});

test('include_metadata takes its values from LOKI_ variables of those names', () => {
  const project = yamlOf('enterprise.audit.include_metadata', '[environment, deployment_id]');
  const config = configOf({ env: { LOKI_ENVIRONMENT: 'prod' }, project });
  assert.deepEqual([...config.metadata], [['environment', 'prod']]);
  assert.deepEqual(config.warnings, []);
  assert.match(errorOf({ env: { LOKI_ENVIRONMENT: 'x'.repeat(257) }, project }).message, /LOKI_ENVIRONMENT has 257 characters/);
});

test('include_metadata cannot copy a setting or a secret into the log', () => {
  const env = { LOKI_TOKEN: 'sesame', LOKI_SLACK_WEBHOOK_URL: 'https://hooks.example.com/sesame', LOKI_MY_SECRET: 'sesame', LOKI_PORT: '8080' };
  for (const name of ['token', 'slack_webhook_url', 'my_secret', 'port', '../x', 'A', '__proto__']) {
    const error = errorOf({ env, project: yamlOf('enterprise.audit.include_metadata', `[${name}]`) });
    assert.match(error.message, /enterprise\.audit\.include_metadata/);
    assert.doesNotMatch(JSON.stringify(error), /sesame/);
  }
});

test('decisions, approvals, auth and audit events cannot be excluded, and unknown events are named', () => {
  const exclude = (list: string): { user: string; eventNames: readonly string[] } =>
    ({ user: yamlOf('enterprise.audit.exclude_events', list), eventNames: ['api.request', 'policy.deny'] });
  assert.deepEqual(configOf(exclude('[api.request]')).audit.excludeEvents, ['api.request']);
  for (const event of ['policy.deny', 'approval.request', 'auth.fail', 'audit.open', 'auth.*', '"*"']) {
    assert.match(errorOf(exclude(`[${event}]`)).message, /exclude_events\[0\] in the user file is ".*", accepted is an event name/);
  }
  assert.match(errorOf(exclude('[api.reqest]')).message, /unknown event "api\.reqest" \(did you mean "api\.request"\?\)/);
});

test('the role map is read from a text and from a map', () => {
  const grant = (role: string, approve = false, tenant: string | null = null): object => ({ role, approve, tenant });
  const env = { LOKI_OIDC_ROLE_MAP: 'cn=ops,dc=x=operator' };
  assert.match(errorOf({ env }).message, /role_map\[0\].* is "ops", accepted is admin, operator, viewer or auditor, with \+approve and @TENANT where wanted/);
  assert.deepEqual([...configOf({ env: { LOKI_OIDC_ROLE_MAP: 'dc=ops=operator, all=Viewer' } }).auth.oidc.roleMap], [['dc=ops', grant('operator')], ['all', grant('viewer')]]);
  assert.deepEqual([...configOf({ user: yamlOf('enterprise.auth.oidc.role_map', '{ops: admin}') }).auth.oidc.roleMap], [['ops', grant('admin')]]);
  const tenant = 'tnt_01ARZ3NDEKTSV4RRFFQ69G5FAV';
  const scoped = configOf({ user: yamlOf('enterprise.auth.oidc.role_map', `{leads: operator+approve@${tenant}, staff: "viewer@${tenant}", owners: admin+approve}`) }).auth.oidc.roleMap;
  assert.deepEqual([...scoped], [['leads', grant('operator', true, tenant)], ['staff', grant('viewer', false, tenant)], ['owners', grant('admin', true)]]);
  for (const wrong of ['operator@', 'operator@tnt_x', 'operator+audit', '+approve', 'operator@tnt_01arz3ndektsv4rrffq69g5fav', 'operator+approve+approve']) {
    assert.match(errorOf({ user: yamlOf('enterprise.auth.oidc.role_map', `{ops: "${wrong}"}`) }).message, /role_map\.ops/, wrong);
  }
  assert.match(errorOf({ env: { LOKI_OIDC_ROLE_MAP: 'a=viewer,a=admin' } }).message, /has "a" twice, accepted is each name once/);
});

test('a trusted machine needs an issuer, an audience of its own and at least one claim', () => {
  const machines = (entry: string): { user: string } => ({ user: yamlOf('enterprise.auth.machines', `[${entry}]`) });
  const github = 'issuer: https://token.actions.githubusercontent.com';
  const good = `{${github}, audience: loki.example.com, claims: {repository: acme/shop, environment: production}, role: operator}`;
  assert.deepEqual(configOf(machines(good)).auth.machines.map(({ issuer, audience, claims, grant }) => [issuer, audience, [...claims], grant]), [[
    'https://token.actions.githubusercontent.com', 'loki.example.com', [['repository', 'acme/shop'], ['environment', 'production']], { role: 'operator', approve: false, tenant: null },
  ]]);
  for (const [wrong, words] of [
    [`{${github}, claims: {repository: acme/shop}, role: operator}`, /has no audience/],
    [`{${github}, audience: x, role: operator}`, /has no claims/],
    [`{${github}, audience: x, claims: {}, role: operator}`, /has no claim/],
    [`{${github}, audience: https://github.com/acme, claims: {repository: acme/shop}, role: operator}`, /audience/],
    [`{${github}, audience: x, claims: {ref: refs\/heads\/main}, role: operator}`, /repository/],
    [`{${github}, audience: x, claims: {repository: "acme/*"}, role: operator}`, /exact/],
    [`{issuer: "http://ci.example.com", audience: x, claims: {sub: a}, role: operator}`, /https/],
    [`{${github}, audience: x, claims: {repository: a/b}, role: operator+approve}`, /admin, operator, viewer or auditor/],
  ] as const) assert.match(errorOf(machines(wrong)).message, words, wrong);
});

test('no secret is ever printed: not by explain, not by JSON, not by inspect', () => {
  const secrets = table.filter((setting) => setting.secret === true);
  const env: Record<string, string> = { LOKI_SPLUNK_HEC_URL: 'https://splunk:8088' };
  for (const setting of secrets) {
    const name = setting.env?.at(-1)?.name ?? '';
    const isUrl = name.endsWith('URL');
    env[name] = setting.key === 'enterprise.audit.key' ? '5e5a3e'.padEnd(64, '0') : isUrl ? 'https://h/sesame' : name.includes('HEADERS') ? 'a=sesame' : 'sesame';
  }
  const config = configOf({ env });
  for (const text of [JSON.stringify(config.explain()), JSON.stringify(config), inspect(config, { depth: 9, showHidden: true }), String(config.integrations.slack.botToken)]) {
    assert.doesNotMatch(text, /sesame|5e5a3e/);
  }
  const hidden = config.explain().filter((row) => row.value === 'set (hidden)').map((row) => row.key);
  assert.deepEqual(hidden.sort(), secrets.map((setting) => setting.key).sort());
  assert.equal(config.integrations.slack.botToken?.reveal(), 'sesame');
});

test('no secret is in a message when its value cannot be used', () => {
  for (const setting of table.filter((each) => each.secret === true)) {
    const variable = setting.env?.at(-1);
    if (variable === undefined || variable.shared === true) continue;
    const error = errorOf({ env: { [variable.name]: 'sesame\u0001' } });
    assert.doesNotMatch(`${error.message}${JSON.stringify(error.problems)}`, /sesame/, setting.key);
    assert.match(error.message, /is \*\*\*, accepted is/);
  }
});

test('a password in an address is not repeated', () => {
  const error = errorOf({ env: { LOKI_SPLUNK_HEC_URL: 'https://u:sesame@h:4318' } });
  assert.doesNotMatch(error.message, /sesame/);
  assert.match(error.message, /is "https:\/\/\*\*\*@h:4318"/);
});

test('explain shows values as people write them', () => {
  const user = 'runs: {gates: [{name: t, command: npm test, timeout: 90}]}\nprices: {m-1: {input: 0.5}}\n';
  const rows = new Map(configOf({ user }).explain().map((row) => [row.key, row.value]));
  assert.equal(rows.get('runs.gates'), '[{"name":"t","command":"npm test","timeout":"90s"}]');
  assert.equal(rows.get('prices'), '{"m-1":{"input":0.5}}');
  assert.equal(rows.get('enterprise.audit.checkpoint_interval'), '1m');
  assert.equal(rows.get('enterprise.audit.max_files'), 'unset');
  assert.equal(rows.get('enterprise.audit.level'), 'info');
});

test('lokiHome() is LOKI_HOME, or .loki in the home directory', () => {
  assert.equal(lokiHome({}, { homeDir: '/home/u' }), '/home/u/.loki');
  assert.equal(lokiHome({ LOKI_HOME: '' }, { homeDir: '/home/u' }), '/home/u/.loki');
  assert.equal(lokiHome({ LOKI_HOME: '/var/lib/loki' }, { homeDir: '/home/u' }), '/var/lib/loki');
  assert.equal(lokiHome({ LOKI_HOME: '~/l' }, { homeDir: '/home/u' }), '/home/u/l');
  assert.throws(() => lokiHome({ LOKI_HOME: 'relative' }, { homeDir: '/home/u' }), {
    code: 'config.invalid', message: /LOKI_HOME is "relative", accepted is an absolute path, or one that begins with ~\// });
});

test('what loki init writes changes nothing and warns of nothing', () => {
  const config = configOf({ project: initialConfigText });
  assert.deepEqual(config.warnings, []);
  assert.deepEqual(config.explain().map((row) => row.value), configOf({}).explain().map((row) => row.value));
});

test('what loki init writes is valid with every comment that holds a setting taken away', () => {
  const uncommented = initialConfigText.split('\n').map((line) => line.replace(/^( *)# (?=(?: *- name| *(?:provider: claude|budget|gates|council|reviewers|required|residency|allowed_\w+|air_gapped|prices|model-name|enterprise|audit|level|command|timeout)\b))/, '$1'));
  const config = configOf({ project: uncommented.filter((line) => line !== '  gates: []').join('\n') });
  assert.deepEqual(config.runs.gates, [{ name: 'unit-tests', command: 'npm test', timeoutMs: 600_000 }]);
  assert.deepEqual([config.runs.budget, config.residency.allowedRegions, config.audit.level], [1_000_000, ['eu'], 'debug']);
  assert.equal(config.prices.get('model-name')?.cache_write, 3.75);
});
