/** Endpoints and headers as people write them: what is taken, what is refused, and that no refusal repeats a secret. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { parseEndpoint, signalUrl } from '../../lib/base/otlp-endpoint.ts';
import { parseHeaders } from '../../lib/base/otlp-headers.ts';

const good: readonly (readonly [text: string, url: string, shown: string])[] = [
  ['http://localhost:4318', 'http://localhost:4318/v1/traces', 'http://localhost:4318'],
  ['http://localhost:4318/', 'http://localhost:4318/v1/traces', 'http://localhost:4318'],
  ['  https://otel.example.com/prefix  ', 'https://otel.example.com/prefix/v1/traces', 'https://otel.example.com/prefix'],
  ['https://otel.example.com/prefix//', 'https://otel.example.com/prefix/v1/traces', 'https://otel.example.com/prefix//'],
  ['http://[::1]:4318/a', 'http://[::1]:4318/a/v1/traces', 'http://[::1]:4318/a'],
  ['HTTPS://OTEL.example.com', 'https://otel.example.com/v1/traces', 'https://otel.example.com'],
  ['https://h/a?token=sesame', 'https://h/a/v1/traces?token=sesame', 'https://h/a'],
];

for (const [text, url, shown] of good) {
  test(`the endpoint "${text}" leads to ${url}`, () => {
    const endpoint = parseEndpoint(text);
    assert.ok(endpoint.kind === 'http');
    assert.deepEqual([signalUrl(endpoint.url, 'traces'), endpoint.shown], [url, shown]);
  });
}

test('host and port of an endpoint are those that are connected to', () => {
  const facts = ['http://[::1]', 'https://Example.com.', 'http://10.0.0.1:4317/x'].map((text) => {
    const endpoint = parseEndpoint(text);
    return endpoint.kind === 'http' ? [endpoint.host, endpoint.port] : endpoint;
  });
  assert.deepEqual(facts, [['::1', 80], ['example.com', 443], ['10.0.0.1', 4317]]);
});

const folders: readonly (readonly [text: string, directory: string])[] = [
  ['file:///srv/telemetry', '/srv/telemetry'], ['file:///srv/telemetry/', '/srv/telemetry'], ['file://localhost/srv/a%20b', '/srv/a b'], ['FILE:///srv/../x/./y', '/x/y'],
  ['file:///C:/telemetry', 'C:/telemetry'],
];

for (const [text, directory] of folders) {
  test(`the endpoint "${text}" is the folder ${directory}`, () => {
    const endpoint = parseEndpoint(text);
    assert.ok(endpoint.kind === 'file', JSON.stringify(endpoint));
    assert.equal(endpoint.directory, directory);
  });
}

const bad: readonly (readonly [text: string, found: RegExp])[] = [
  ['collector:4318', /^is "collector:4318", without http:\/\/ or https:\/\/ before it$/],
  ['//collector:4318', /without http/],
  ['user:sesame@collector:4318', /^is "\*\*\*@collector:4318", without/],
  ['http://user:sesame@collector:4318', /^is "http:\/\/\*\*\*@collector:4318", with a user name or password in it, which belong into headers$/],
  ['http://se@same@collector', /with a user name or password/],
  ['grpc://collector:4317', /and grpc: is not spoken$/],
  ['unix:///run/otel.sock', /and unix: is not spoken$/],
  ['http://collector#sesame', /^is "http:\/\/collector", with a fragment behind it$/],
  ['http://h:99999', /which is no URL$/],
  ['http://', /which is no URL$/],
  ['http://h/?key=sesame\r\nEvil: 1', /^is "http:\/\/h\/", with a space or a control character in it$/],
  ['http://h/\u0000', /control character/],
  ['http://h/a b', /with a space/],
  ['file://elsewhere/srv', /a folder is written file:\/\/\/srv\/telemetry$/],
  ['file:///srv?token=sesame', /a folder is written/],
  ['file:///srv%00', /a folder is written/],
  ['file:///srv%zz', /a folder is written/],
  ['file:///', /names no folder$/],
  ['file:///..', /names no folder$/],
  [`http://h/${'a'.repeat(1 << 20)}`, /^has 1048585 characters$/],
];

for (const [text, found] of bad) {
  test(`the endpoint ${JSON.stringify(text.slice(0, 60))} is refused in words`, () => {
    const endpoint = parseEndpoint(text);
    assert.ok(endpoint.kind === 'none', JSON.stringify(endpoint));
    assert.match(endpoint.found, found);
    assert.doesNotMatch(endpoint.found, /sesame|[\u0000-\u001f]/);
    assert.ok(endpoint.found.length < 250);
  });
}

function revealed(text: string): unknown {
  const headers = parseHeaders(text);
  return typeof headers === 'string' ? headers : Object.fromEntries([...headers].map(([name, value]) => [name, value.reveal()]));
}

test('headers are read as W3C Baggage writes them: percent escapes, spaces around, the first = divides', () => {
  assert.deepEqual(revealed('Authorization=Basic%20YTpi==, x-a = 1 ,,x-empty='), { 'authorization': 'Basic YTpi==', 'x-a': '1', 'x-empty': '' });
  assert.deepEqual(revealed('x=a%2Cb%3Bc'), { x: 'a,b;c' });
  assert.deepEqual(revealed('x=1,X=2,a%0d=name'), { 'x': '2', 'a%0d': 'name' }, 'names are not decoded');
  assert.deepEqual(revealed('authorization=Bearer plain'), { authorization: 'Bearer plain' });
});

const badHeaders: readonly (readonly [text: string, found: RegExp])[] = [
  ['sesame', /^cannot be read at its 1st header$/],
  ['a=1,=sesame', /^cannot be read at its 2nd header$/],
  ['a=1,b=2,c=%zz', /^cannot be read at its 3rd header$/],
  ['a=%E4sesame', /^cannot be read at its 1st/],
  ['a=sesame;meta=1', /^cannot be read at its 1st/],
  ['a=x%0d%0aEvil: sesame', /^has a value with a line end, a control character or a letter beyond ASCII \(the 1st\)$/],
  ['a=x\r\nEvil: sesame', /line end/],
  ['a=%00', /control character/],
  ['a=s%C3%A9same', /beyond ASCII/],
  ['a b=1', /cannot be read/],
  ['ä=1', /has a name that no header may have/],
  ['Content-Length=5', /^names content-length, which is set by this program \(the 1st\)$/],
  ['a=1,Transfer-Encoding=chunked', /^names transfer-encoding, .* \(the 2nd\)$/],
  ['Host=elsewhere', /^names host/],
  [`a=${'s'.repeat(1 << 20)}`, /^has 1048578 characters, more than 8192$/],
  [Array.from({ length: 65 }, (_, at) => `h${at}=1`).join(','), /^has more than 64 headers$/],
];

for (const [text, found] of badHeaders) {
  test(`the headers ${JSON.stringify(text.slice(0, 50))} are refused without repeating them`, () => {
    const refused = parseHeaders(text);
    assert.ok(typeof refused === 'string');
    assert.match(refused, found);
    assert.doesNotMatch(refused, /sesame|Evil/);
  });
}
