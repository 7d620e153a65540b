/** Telemetry in configuration files: what is wrong there is told with its place, switches off what it concerns, and stops nobody. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { configOf, errorOf, paths, yamlOf } from '../support/config.ts';

const wrong: readonly (readonly [key: string, value: string, found: RegExp])[] = [
  ['endpoint', 'ftp://x', /is "ftp:\/\/x", and ftp: is not spoken, accepted is an http or https URL/],
  ['endpoint', 'collector:4318', /is "collector:4318", without http/],
  ['endpoint', 'http://u:sesame@h:4318', /is "http:\/\/\*\*\*@h:4318", with a user name/],
  ['endpoint', '[a]', /is a list, accepted/],
  ['endpoint', '~', /is empty, accepted/],
  ['headers', '[sesame]', /is \*\*\*, accepted is a map of header names/],
  ['headers', '{Content-Length: sesame}', /is \*\*\*, accepted/],
  ['headers', '{Authorization: "ses\\name sesame"}', /is \*\*\*, accepted/],
  ['spool_mb', '-1', /is "-1", accepted is a whole number from 0 to 100000/],
  ['timeout', 'soon', /is "soon", accepted is seconds/],
  ['compression', 'brotli', /is "brotli", accepted is gzip or none/],
  ['temporality', 'both', /is "both", accepted is cumulative, delta or lowmemory/],
  ['sampler', 'sometimes', /is "sometimes", accepted is always_on/],
  ['sampler_arg', '2', /is "2", accepted is a number from 0 to 1/],
  ['ca', 'ca.pem', /is "ca.pem", accepted is an absolute path/],
  ['destinations', '[{endpoint: "h:4318"}]', /destinations\[0\]\.endpoint in the user file is "h:4318", without http/],
  ['destinations', '[{endpont: "http://h"}]', /destinations\[0\] in the user file has the unknown key "endpont" \(did you mean "endpoint"\?\)/],
  ['destinations', '[{endpoint: "http://h", headers: "authorization: sesame"}]', /destinations\[0\]\.headers in the user file cannot be used, accepted is a map of header names/],
  ['destinations', '[{endpoint: "http://h", headers: {x-team: [sesame]}}]', /\[0\]\.headers in the user file cannot be used/],
  ['destinations', '[{endpoint: "http://h", headers: {x-team: "ses\\r\\name"}}]', /\[0\]\.headers in the user file cannot be used/],
  ['destinations', '[{endpoint: "http://h", headers: {x-team: "sésame"}}]', /\[0\]\.headers in the user file has a value with a line end/],
  ['destinations', '[{endpoint: "http://h", signals: [spans]}]', /signals\[0\] in the user file is "spans", accepted is traces, metrics or logs/],
  ['destinations', '[{endpoint: "http://h", cert: /c}]', /destinations\[0\] in the user file has only one of cert and key/],
  ['destinations', '{endpoint: "http://h"}', /is a map, accepted is a list/],
];

for (const [key, value, found] of wrong) {
  test(`enterprise.telemetry.${key}: ${value} is a warning, and counts as not said`, () => {
    const config = configOf({ user: yamlOf(`enterprise.telemetry.${key}`, value) });
    assert.equal(config.origin(`enterprise.telemetry.${key}`).layer, 'default');
    const [warning] = config.warnings;
    assert.match(warning?.message ?? '', found);
    assert.match(warning?.message ?? '', /; it is left aside$/);
    assert.ok(warning?.file === paths.user && warning.line !== undefined);
    assert.doesNotMatch(JSON.stringify(config.warnings), /sesame|sésame/);
  });
}

test('a variable of ours that cannot be used stops nobody either', () => {
  const config = configOf({ env: { LOKI_OTEL_ENDPOINT: 'http://u:sesame@h:4318' } });
  assert.equal(config.telemetry.endpoint, undefined);
  assert.match(config.warnings[0]?.message ?? '', /LOKI_OTEL_ENDPOINT is "http:\/\/\*\*\*@h:4318", .*; the variable is left aside$/);
});

test('a project file is refused whatever it says of telemetry', () => {
  assert.match(errorOf({ project: yamlOf('enterprise.telemetry.endpoint', 'nonsense') }).message, /enterprise.telemetry.endpoint in the project file is "nonsense"/);
  assert.match(errorOf({ project: yamlOf('enterprise.telemetry.destinations', '[{endpoint: "https://evil.example.com"}]') }).message, /may not be set by a project file/);
});

test('destinations are read whole, with paths below the home directory', () => {
  const { telemetry } = configOf({ user: `
enterprise:
  telemetry:
    endpoint: file:///srv/telemetry
    timeout: 5s
    sampler: parentbased_traceidratio
    sampler_arg: 0.25
    destinations:
      - endpoint: https://dx.example.com/otlp
        headers: {Authorization: "Bearer sesame"}
        signals: [metrics]
        temporality: Delta
        compression: none
        timeout: 0
        ca: ~/ca.pem
        cert: ~/c.pem
        key: ~/k.pem
      - {endpoint: "http://localhost:4318"}
` });
  const [first, second] = telemetry.destinations;
  assert.deepEqual({ ...first, headers: [...first?.headers ?? []].map(([name, value]) => [name, value.reveal()]) }, {
    endpoint: 'https://dx.example.com/otlp', headers: [['authorization', 'Bearer sesame']], signals: ['metrics'], temporality: 'delta', compression: 'none', timeout: 0,
    ca: '/home/u/ca.pem', cert: '/home/u/c.pem', key: '/home/u/k.pem',
  });
  assert.deepEqual(second, { endpoint: 'http://localhost:4318' });
  assert.deepEqual([telemetry.endpoint, telemetry.timeout, telemetry.sampler, telemetry.samplerArg], ['file:///srv/telemetry', 5000, 'parentbased_traceidratio', 0.25]);
});

test('what is listed of telemetry holds no secret', () => {
  const config = configOf({ user: 'enterprise: {telemetry: {endpoint: "https://h/p?key=sesame", headers: {a: sesame}, destinations: [{endpoint: "https://i?key=sesame", headers: {a: sesame}}]}}' });
  const rows = new Map(config.explain().map(({ key, value }) => [key, value]));
  assert.deepEqual(['endpoint', 'headers', 'destinations', 'timeout'].map((key) => rows.get(`enterprise.telemetry.${key}`)), ['https://h/p', 'set (hidden)', 'https://i', 'unset']);
  assert.doesNotMatch(JSON.stringify([...rows]), /sesame/);
});
