/** Mistakes in configuration files: every one, with its place, and no secret in an excerpt. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configOf, errorOf, paths, yamlOf } from '../support/config.ts';

test('several mistakes in several places are reported at once, in order', () => {
  const user = 'enterprise:\n  audit:\n    levl: debug\n    retention_days: ninety\n  server:\n    port: 70000\n';
  const project = 'runs:\n  gates:\n    - {name: a, comand: x}\n    - {name: b, command: y, timeout: soon}\n';
  const error = errorOf({ env: { LOKI_API_RATE_LIMIT: '-1' }, user, project });
  assert.deepEqual(error.problems.map(({ file, line, column, message }) => [file, line, column, message]), [
    [undefined, undefined, undefined, 'enterprise.server.rate_limit in the environment variable LOKI_API_RATE_LIMIT is "-1", accepted is a whole number from 0 to 1000000'],
    [paths.user, 3, 5, 'unknown key "enterprise.audit.levl" in the user file (did you mean "level"?)'],
    [paths.user, 4, 21, 'enterprise.audit.retention_days in the user file is "ninety", accepted is a whole number from 1 to 36500'],
    [paths.user, 6, 11, 'enterprise.server.port in the user file is "70000", accepted is a whole number from 0 to 65535'],
    [paths.project, 3, 7, 'runs.gates[0] in the project file has no command, accepted is a map of name, command, timeout'],
    [paths.project, 3, 17, 'runs.gates[0] in the project file has the unknown key "comand" (did you mean "command"?), accepted is a map of name, command, timeout'],
    [paths.project, 4, 38, 'runs.gates[1].timeout in the project file is "soon", accepted is seconds, or a duration such as 90s or 2m, from 1s to 1d'],
  ]);
  assert.match(error.message, /LOKI_API_RATE_LIMIT is "-1".* \(and 6 more\)$/);
  assert.equal(error.problems[2]?.excerpt, `    retention_days: ninety\n${' '.repeat(20)}^`);
});

test('a value of the wrong type is refused for every kind of setting', () => {
  const wrong: readonly (readonly [key: string, value: string, found: string])[] = [
    ['enterprise.audit.enabled', '[true]', 'is a list'], ['enterprise.audit.enabled', '{a: b}', 'is a map'], ['enterprise.audit.enabled', '""', 'is ""'],
    ['enterprise.audit.level', '', 'is empty'], ['enterprise.audit.level', '~', 'is empty'], ['enterprise.audit.level', '{}', 'is an empty map'],
    ['enterprise.audit.retention_days', '1.5', 'is "1.5"'], ['enterprise.audit.retention_days', '0x10', 'is "0x10"'],
    ['enterprise.audit.retention_days', '1e3', 'is "1e3"'], ['enterprise.audit.retention_days', '-5', 'is "-5"'],
    ['enterprise.audit.retention_days', '.inf', 'is ".inf"'],
    ['enterprise.audit.exclude_events', 'api.request', 'is "api.request"'], ['enterprise.audit.exclude_events', '[[a]]', 'is a list'],
    ['enterprise.siem.splunk.hec_token', '[a]', 'is ***'], ['enterprise.siem.syslog.ca', 'ca.pem', 'is "ca.pem"'],
    ['enterprise.siem.splunk.hec_url', 'http://splunk.example.com', 'is "http://splunk.example.com"'],
    ['enterprise.server.host', '"a b"', 'is "a b"'], ['enterprise.server.cors_origins', '["*"]', 'is "*"'],
    ['enterprise.server.trusted_proxies', '[proxy.example.com]', 'is "proxy.example.com"'], ['enterprise.server.trusted_proxies', '[0.0.0.0/0]', 'is "0.0.0.0/0"'],
    ['enterprise.server.trusted_proxies', '["10.0.0.0/33"]', 'is "10.0.0.0/33"'], ['enterprise.server.drain', '11m', 'is "11m"'],
    ['enterprise.server.cors_origins', '["https://a/"]', 'is "https://a/"'], ['enterprise.egress.allow_internal', '[10.0.0.0/33]', 'is "10.0.0.0/33"'],
    ['enterprise.egress.allow_internal', '[a.example.com/8]', 'is "a.example.com/8"'], ['enterprise.store', 'etcd', 'is "etcd"'],
    ['runs.provider', 'cluade', 'is "cluade"'], ['runs.provider', '{name: command}', 'is command without a command line'],
    ['runs.provider', '{name: claude, command: x}', 'is claude with a command line'], ['runs.provider', '{command: x}', 'has no name'],
    ['runs.gates', '{}', 'is an empty map'], ['runs.gates', '[npm test]', 'is "npm test"'], ['runs.gates', '[{name: a b, command: x}]', 'is "a b"'],
    ['runs.gates', '[{name: a, command: x}, {name: a, command: y}]', 'has two gates named "a"'], ['runs.council', '[a]', 'is a list'],
    ['runs.council', '{reviewers: [a], required: 2}', 'has 2 required of 1 reviewers'], ['runs.budget', '0', 'is "0"'], ['prices', '{m: 3}', 'is "3"'],
    ['prices', '{m: {input: -1}}', 'is "-1"'], ['prices', '{m: {inputs: 1}}', 'has the unknown key "inputs" (did you mean "input"?)'],
  ];
  for (const [key, value, found] of wrong) {
    const [problem] = errorOf({ user: yamlOf(key, value) }).problems;
    assert.ok(problem !== undefined && problem.message.includes(` in the user file ${found}, accepted is `), `${key}: ${value}: ${problem?.message}`);
    assert.ok(problem.message.startsWith(key), problem.message);
    assert.ok(problem.line !== undefined && problem.column !== undefined);
  }
});

test('right values of every kind', () => {
  const { runs, prices, egress, server } = configOf({ organisation: `
enterprise:
  egress: {allow_internal: [10.1.0.0/16, "fd00::/8", Vault.internal]}
  server: {cors_origins: ["https://loki.example.com", "http://localhost:3000"], allowed_hosts: ["loki.example.com:443", "[::1]:80"]}
runs:
  provider: gemini
  council: {reviewers: [a, b, c, d]}
  gates: [{name: t, command: "npm test", timeout: 1h30m}]
prices: {model-1.0: {input: 3, output: 15.5}}
` });
  assert.deepEqual(egress.allowInternal, ['10.1.0.0/16', 'fd00::/8', 'vault.internal']);
  assert.deepEqual(server.corsOrigins, ['https://loki.example.com', 'http://localhost:3000']);
  assert.deepEqual(server.allowedHosts, ['loki.example.com:443', '[::1]:80']);
  assert.deepEqual(runs.provider, { name: 'gemini' });
  assert.deepEqual(runs.council, { reviewers: ['a', 'b', 'c', 'd'], required: 3 });
  assert.equal(runs.gates[0]?.timeoutMs, 5_400_000);
  assert.deepEqual([...prices], [['model-1.0', { input: 3, output: 15.5 }]]);
});

test('a JSON file is read like a YAML file', () => {
  assert.equal(configOf({ project: '{"runs": {"max_iterations": 7, "gates": []}}' }).runs.maxIterations, 7);
  assert.match(errorOf({ project: '{"runs": {"max_iteration": 7}}' }).message, /:1:11: unknown key "runs\.max_iteration".*did you mean "max_iterations"/);
});

test('an empty file, and a file of comments, set nothing', () => {
  for (const text of ['', '\n', '# nothing\n', 'enterprise:\n', 'enterprise:\n  audit:\n  # level: debug\n']) {
    assert.ok(configOf({ project: text }).explain().every((row) => row.from === 'default'), JSON.stringify(text));
  }
});

test('a file that is no map, and a part that should be one', () => {
  assert.match(errorOf({ user: '- a\n' }).message, /config\.yaml:1:1: the user file must be a map of settings/);
  assert.match(errorOf({ user: 'enterprise: [audit]\n' }).message, /:1:13: enterprise in the user file must be a map of settings/);
  assert.match(errorOf({ user: 'enterprise:\n  audit: off\n' }).message, /:2:10: enterprise\.audit in the user file must be a map of settings/);
});

test('a file that is no YAML is reported with its place beside the mistakes of the other files', () => {
  const error = errorOf({ user: 'enterprise:\n\taudit: {}\n', project: 'rnus: {}\n' });
  assert.deepEqual(error.problems.map((problem) => [problem.file, problem.line]), [[paths.user, 2], [paths.project, 1]]);
  assert.match(errorOf({ user: 'enterprise: {}\nenterprise: {}\n' }).message, /config\.yaml:2:1: /);
});

test('no excerpt shows a line that may hold a secret', () => {
  const hostile: readonly string[] = [
    'enterprise: {siem: {splunk: {hec_url: 5, hec_token: sesame}}}\n', 'enterprise:\n  siem:\n    splunk:\n      hec_tokn: sesame\n',
    'enterprise: {siem: {splunk: {hec_tokn: sesame, hec_url: 5}}}\n', 'integrations:\n  slack:\n    bot_token: "sesame\\q"\n',
    'integrations:\n  slack:\n    bot_token: [sesame]\n', 'integrations:\n  linear:\n    api_key: &a sesame\n',
    'integrations:\n  jira:\n    token:\n\tsesame\n', 'slack_thing: "sesame-open"\n', '{"hec_tokn": "sesame", "x": 1}',
    '{"hec_tokn": "sesame", "enterprise": {"server": {"port": "x"}, "audit": 5}}',
  ];
  for (const user of hostile) {
    const error = errorOf({ user });
    assert.doesNotMatch(`${error.message} ${JSON.stringify(error.problems)}`, /sesame/, user);
  }
});

test('a refused value is cut and its control characters are escaped', () => {
  const long = errorOf({ env: { LOKI_AUDIT_LEVEL: 'x'.repeat(100_000) } }).message;
  assert.ok(long.length < 400, String(long.length));
  assert.match(errorOf({ env: { LOKI_AUDIT_LEVEL: '\u001b[2Jinfo' } }).message, /is "\\u001b\[2Jinfo"/);
});

test('an odd name in a map is escaped where a message says where the mistake lies', () => {
  const { problems } = errorOf({ user: 'prices: {"\\e[2J": 3}' });
  assert.match(problems[1]?.message ?? '', /^prices\["\\u001b\[2J"\] in the user file is "3"/);
  assert.match(errorOf({ user: 'prices: {m-1: 3}' }).message, /: prices\.m-1 in the user file is "3"/);
});

test('a value that only turns out unusable as a whole is refused, not replaced by the default', () => {
  assert.match(errorOf({ user: 'prices: {a: {input: 1}, " a": {input: 2}}' }).message, /prices in the user file cannot be used, accepted is a map/);
});

test('lists and maps are bounded', () => {
  const items = Array.from({ length: 1001 }, (_, at) => `p${at}`);
  assert.match(errorOf({ user: yamlOf('residency.allowed_providers', `[${items.join(', ')}]`) }).message, /has 1001 items, accepted is at most 1000 items/);
  assert.match(errorOf({ user: yamlOf('prices', `{${items.map((item) => `${item}: {}`).join(', ')}}`) }).message, /has 1001 entries/);
  assert.match(errorOf({ env: { LOKI_CORS_ORIGINS: 'https://a,'.repeat(1000) } }).message, /accepted is at most 4096 characters/);
  assert.match(errorOf({ env: { LOKI_CORS_ORIGINS: 'https://a,,https://b' } }).message, /cors_origins\[1\].* is "", accepted is an origin/);
});
