/** What a hostile project file may not do. Every setting of the table is attacked. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { table } from '../../lib/config/config.ts';
import { commandsDigest, commandsNamedByProject } from '../../lib/config/commands.ts';
import { configOf, errorOf, paths, yamlOf } from '../support/config.ts';

/** A valid value for each key that a project file may not set. */
const valueOfForbidden: Readonly<Record<string, string>> = {
  'enterprise.audit.max_files': '2', 'enterprise.audit.checkpoint_copy': '/tmp/x', 'enterprise.audit.origin': 'evil',
  'enterprise.audit.syslog_enabled': 'false', 'enterprise.siem.syslog.host': 'evil.example.com', 'enterprise.siem.syslog.port': '1',
  'enterprise.siem.syslog.protocol': 'tcp', 'enterprise.siem.syslog.facility': 'user', 'enterprise.siem.syslog.format': 'cef',
  'enterprise.siem.syslog.ca': '/x', 'enterprise.siem.syslog.cert': '/x', 'enterprise.siem.syslog.key': '/x',
  'enterprise.siem.splunk.hec_url': 'https://evil.example.com', 'enterprise.siem.splunk.hec_token': 'x', 'enterprise.siem.splunk.index': 'x',
  'enterprise.siem.splunk.sourcetype': 'x', 'enterprise.telemetry.endpoint': 'https://evil.example.com', 'enterprise.telemetry.service_name': 'x',
  'enterprise.telemetry.headers': '{a: b}', 'enterprise.telemetry.spool_mb': '0', 'enterprise.telemetry.destinations': '[{endpoint: "https://evil.example.com"}]',
  'enterprise.telemetry.ca': '/x', 'enterprise.telemetry.cert': '/x', 'enterprise.telemetry.key': '/x', 'enterprise.telemetry.timeout': '1s', 'enterprise.telemetry.compression': 'none',
  'enterprise.telemetry.temporality': 'delta', 'enterprise.telemetry.sampler': 'always_off', 'enterprise.telemetry.sampler_arg': '0', 'enterprise.egress.allow_internal': '[169.254.169.254]',
  'enterprise.store': 'embedded', 'enterprise.auth.oidc.issuer': 'https://evil.example.com', 'enterprise.auth.oidc.client_id': 'x',
  'enterprise.auth.oidc.client_secret': 'x', 'enterprise.auth.oidc.redirect_uri': 'https://evil.example.com', 'enterprise.auth.oidc.audience': 'x',
  'enterprise.auth.oidc.scopes': '[x]', 'enterprise.auth.oidc.role_claim': 'x', 'enterprise.auth.oidc.role_map': '{everyone: admin}',
  'enterprise.auth.oidc.users': '{alice: x}', 'enterprise.auth.oidc.algorithms': '[RS256]', 'enterprise.auth.oidc.ca': '/x',
  'enterprise.auth.machines': '[{issuer: "https://evil.example.com", audience: x, claims: {sub: x}, role: admin}]',
  'enterprise.server.host': '127.0.0.1', 'enterprise.server.port': '1', 'enterprise.server.trusted_proxies': '[10.0.0.1]', 'enterprise.server.drain': '1m', 'enterprise.server.cors_origins': '["https://evil.example.com"]',
  'enterprise.server.allowed_hosts': '[evil.example.com]', 'enterprise.server.rate_limit': '0', 'enterprise.server.metrics': 'open', 'enterprise.server.tls.cert': '/x',
  'enterprise.server.tls.key': '/x', 'integrations.slack.bot_token': 'x', 'integrations.slack.signing_secret': 'x', 'integrations.slack.channel': 'x',
  'integrations.slack.webhook_url': 'https://evil.example.com', 'integrations.teams.webhook_url': 'https://evil.example.com',
  'integrations.teams.webhook_secret': 'x', 'integrations.jira.url': 'https://evil.example.com', 'integrations.jira.email': 'a@b',
  'integrations.jira.token': 'x', 'integrations.jira.project_key': 'X', 'integrations.jira.webhook_secret': 'x', 'integrations.linear.api_key': 'x',
  'integrations.linear.team_id': 'x', 'integrations.linear.webhook_secret': 'x', 'integrations.github.sync': 'false', 'integrations.github.token': 'x',
  'runs.workers': '64', 'integrations.github.repository': 'a/b', 'integrations.github.api_url': 'https://evil.example.com', 'integrations.github.webhook_secret': 'x',
};

/** For each key that a project may only tighten: what loosens it, and what tightens it. */
const attacksOnTightened: Readonly<Record<string, readonly [looser: string, tighter: string]>> = {
  'enterprise.audit.enabled': ['false', 'true'],
  'enterprise.audit.level': ['warning', 'debug'],
  'enterprise.audit.retention_days': ['89', '365'],
  'enterprise.audit.integrity_check': ['off', 'on'],
  'enterprise.audit.on_failure': ['warn', 'block'],
  'enterprise.audit.exclude_events': ['[api.request]', '[]'],
  'enterprise.audit.group_readable': ['true', 'false'],
  'enterprise.audit.checkpoint_every': ['1001', '10'],
  'enterprise.audit.checkpoint_interval': ['1d', '10s'],
};

/** Keys whose default is the loosest value already: nothing to loosen below it, a stronger layer's value stands. */
const alreadyLoosest: Readonly<Record<string, readonly [organisation: string, project: string]>> = {
  'enterprise.audit.encrypt': ['true', 'false'],
  'enterprise.audit.gdpr_compliance': ['true', 'false'],
  'enterprise.audit.log_data_access': ['true', 'false'],
  'enterprise.auth.enabled': ['true', 'false'],
  'residency.air_gapped': ['true', 'false'],
  'residency.allowed_providers': ['[claude]', '[]'],
  'residency.allowed_regions': ['[eu]', '[]'],
  'prices': ['{m: {input: 3, output: 15}}', '{m: {input: 0, cache_read: 0}, n: {input: 0}}'],
};

const shownBy = (config: ReturnType<typeof configOf>, key: string): string | undefined => config.explain().find((row) => row.key === key)?.value;

test('the attacks below cover every key marked U and T', () => {
  const forbidden = table.filter((each) => each.project === 'never' && each.environmentOnly !== true).map((each) => each.key);
  assert.deepEqual(forbidden.sort(), Object.keys(valueOfForbidden).sort());
  const tightened = table.filter((each) => typeof each.project === 'object').map((each) => each.key);
  assert.deepEqual(tightened.sort(), [...Object.keys(attacksOnTightened), ...Object.keys(alreadyLoosest)].sort());
});

test('a key marked U is refused from a project file, whatever its value, and accepted from the user file', () => {
  for (const [key, value] of Object.entries(valueOfForbidden)) {
    const error = errorOf({ project: yamlOf(key, value) });
    const depth = key.split('.').length;
    assert.deepEqual(error.problems.filter((each) => each.message === `${key} may not be set by a project file`)
      .map(({ file, line, column }) => [file, line, column]), [[paths.project, depth, 2 * depth - 1]], key);
    assert.match(error.problems.find((each) => each.message.endsWith('by a project file'))?.hint ?? '', /^Set it in LOKI_HOME\/config\.yaml/);
    const fromUser = errorOfOrNone(key, value);
    assert.doesNotMatch(fromUser, /may not be set|accepted is/, key);
  }
});

/** The user file may set it, at most lacking its companion. */
function errorOfOrNone(key: string, value: string): string {
  try {
    configOf({ user: yamlOf(key, value) });
    return '';
  } catch (error) {
    return String(error);
  }
}

test('a key marked T is refused when the project file asks for less than the default', () => {
  for (const [key, [looser, tighter]] of Object.entries(attacksOnTightened)) {
    const error = errorOf({ project: yamlOf(key, looser) });
    assert.equal(error.problems.length, 1, key);
    assert.match(error.message, new RegExp(`${paths.project}:3:5: ${key} in the project file is .*, but a project file may `), key);
    assert.doesNotThrow(() => configOf({ project: yamlOf(key, tighter) }), key);
    assert.doesNotThrow(() => configOf({ user: yamlOf(key, looser) }), key);
  }
});

test('a key marked T is refused from the project file also where a stronger layer would win anyway', () => {
  for (const [key, [looser]] of Object.entries(attacksOnTightened)) {
    assert.match(errorOf({ project: yamlOf(key, looser), organisation: yamlOf(key, looser) }).message, /but a project file may/, key);
  }
});

test('what an organisation has tightened stays so against a project file that says the default', () => {
  for (const [key, [organisation, project]] of Object.entries(alreadyLoosest)) {
    const config = configOf({ organisation: yamlOf(key, organisation), project: yamlOf(key, project) });
    assert.equal(shownBy(config, key), shownBy(configOf({ organisation: yamlOf(key, organisation) }), key), key);
    assert.equal(config.origin(key).layer, 'organisation', key);
    assert.equal(configOf({ project: yamlOf(key, organisation) }).origin(key).layer, 'project', key);
  }
});

test('a project value without effect is a warning that names both', () => {
  const key = 'enterprise.audit.level';
  const config = configOf({ organisation: yamlOf(key, 'debug'), project: yamlOf(key, 'info') });
  assert.equal(config.audit.level, 'debug');
  assert.deepEqual(config.warnings.map((warning) => [warning.message, warning.line]), [
    ['enterprise.audit.level in the project file is info and has no effect: debug applies (/etc/loki/config.yaml:3)', 3],
  ]);
});

test('the environment wins over a project file that tightens', () => {
  const config = configOf({ env: { LOKI_AUDIT_DISABLED: 'true', LOKI_AUDIT_LEVEL: 'error' }, project: 'enterprise: {audit: {enabled: true, level: debug}}' });
  assert.deepEqual([config.audit.enabled, config.audit.level], [false, 'error']);
});

test('residency: of two lists what both allow remains; nothing in common is an error', () => {
  const key = 'residency.allowed_providers';
  const both = (organisation: string, project: string): readonly string[] =>
    configOf({ organisation: yamlOf(key, organisation), project: yamlOf(key, project) }).residency.allowedProviders;
  assert.deepEqual(both('[claude, codex]', '[codex, gemini]'), ['codex']);
  assert.deepEqual(both('[claude]', '[claude, gemini]'), ['claude']);
  assert.deepEqual(both('[]', '[claude]'), ['claude']);
  const error = errorOf({ organisation: yamlOf(key, '[claude]'), project: yamlOf(key, '[gemini]') });
  assert.match(error.message, /allowed_providers in the project file is \["gemini"\], which leaves nothing of \["claude"\] \(\/etc\/loki\/config\.yaml:2\)/);
});

test('prices: a project raises what another layer lists, and lists nothing beside it', () => {
  const config = configOf({ user: 'prices: {m: {input: 3, output: 15}, n: {input: 1}}', project: 'prices: {m: {input: 4, output: 1, cache_read: 1}, o: {input: 0}}' });
  assert.deepEqual([...config.prices], [['m', { input: 4, output: 15 }], ['n', { input: 1 }]]);
  assert.deepEqual([...configOf({ project: 'prices: {o: {input: 0}}' }).prices], [['o', { input: 0 }]]);
});

test('residency: it is known whether a list that a project narrowed was anybody else\'s', () => {
  const key = 'residency.allowed_providers';
  const beside = (organisation: string): string | undefined => configOf({ organisation: yamlOf(key, organisation), project: yamlOf(key, '[command]') }).origin(key).beside?.layer;
  assert.equal(beside('[command, claude]'), 'organisation');
  assert.equal(beside('[]'), undefined);
  assert.equal(configOf({ project: yamlOf(key, '[command]') }).origin(key).beside, undefined);
});

test('residency: a project that is air-gapped stays so whatever the user file says', () => {
  const key = 'residency.air_gapped';
  const config = configOf({ user: yamlOf(key, 'false'), project: yamlOf(key, 'true') });
  assert.equal(config.residency.airGapped, true);
  assert.equal(config.origin(key).layer, 'project');
});

test('keys that reach for an object\'s prototype are unknown keys', () => {
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    for (const [text, whole] of [[`${name}: {x: 1}`, name], [`enterprise: {audit: {${name}: true}}`, `enterprise.audit.${name}`]] as const) {
      assert.match(errorOf({ project: text }).message, new RegExp(`unknown key "${whole}" in the project file`));
    }
    assert.match(errorOf({ project: `runs: {gates: [{name: a, command: b, ${name}: 1}]}` }).message, new RegExp(`has the unknown key "${name}"`));
    const prices = configOf({ project: `prices: {${name}: {input: 1}}` }).prices;
    assert.deepEqual([...prices.keys()], [name]);
  }
  assert.equal(Object.hasOwn(Object.prototype, 'x'), false);
});

test('nothing in a project file can move a cursor or reorder what a person confirms', () => {
  for (const character of ['\\u001b', '\\u202e', '\\u2066', '\\u0085', '\\n', '\\u200f', '\\ufeff']) {
    const error = errorOf({ project: `runs: {gates: [{name: a, command: "npm test ${character}# rm -rf"}]}` });
    assert.match(error.message, /runs\.gates\[0\]\.command in the project file is /);
    assert.doesNotMatch(error.message, /[\u0000-\u001f\u007f-\u009f]/);
  }
});

const provider = 'runs: {provider: {name: command, command: "node agent.mjs"}, gates: [{name: t, command: npm test}, {name: l, command: npm run lint, timeout: 2m}]}';

test('commandsNamedByProject() lists provider and gates of the project file', () => {
  const config = configOf({ project: provider });
  assert.deepEqual(commandsNamedByProject(config), [
    { what: 'provider', command: 'node agent.mjs' }, { what: 'gate t', command: 'npm test' }, { what: 'gate l', command: 'npm run lint' },
  ]);
  assert.deepEqual(config.runs.gates.map((gate) => gate.timeoutMs), [600_000, 120_000]);
});

test('commandsNamedByProject() leaves out what a person or an organisation configured, and what they override', () => {
  assert.deepEqual(commandsNamedByProject(configOf({ user: provider })), []);
  assert.deepEqual(commandsNamedByProject(configOf({ user: provider, project: provider })), []);
  assert.deepEqual(commandsNamedByProject(configOf({ flags: { '--provider': 'claude' }, project: provider })).map((each) => each.what), ['gate t', 'gate l']);
  assert.deepEqual(commandsNamedByProject(configOf({})), []);
});

test('commandsDigest() changes with any name, any command and the order', () => {
  const [a, b] = [{ what: 'gate a', command: 'x' }, { what: 'gate b', command: 'y' }];
  const digests = [[a, b], [b, a], [a], [], [{ ...a, command: 'x ' }, b], [{ ...a, what: 'gate c' }, b], [{ what: 'gate a', command: 'x,gate b,y' }]].map(commandsDigest);
  assert.equal(new Set(digests).size, digests.length);
  assert.equal(commandsDigest([a, b]), commandsDigest([{ ...a }, { ...b }]));
  assert.match(commandsDigest([a]), /^[0-9a-f]{64}$/);
});

test('metadata of the project\'s choice copies no address that is itself a secret into the log', () => {
  const error = errorOf({ project: 'enterprise: { audit: { include_metadata: [slack_webhook_url] } }\n' });
  assert.match(error.problems[0]?.message ?? '', /says nothing of a key, token, secret, password or webhook/);
});
