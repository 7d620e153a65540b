import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choose, readAccept } from '../../lib/formats/accept.ts';

const offers = [{ type: 'text/plain', version: '0.0.4' }, { type: 'application/openmetrics-text', version: '1.0.0' }, { type: 'application/json' }] as const;
const chosen = (header: string | undefined): string | undefined => {
  const offer = choose(readAccept(header), offers)?.offer;
  return offer === undefined ? undefined : `${offer.type}${'version' in offer ? ` ${offer.version}` : ''}`;
};

test('the best quality that there is, then the client\'s order', () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    // As Prometheus 2 and 3 send it.
    ['application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1', 'application/openmetrics-text 1.0.0'],
    ['application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2', 'application/openmetrics-text 1.0.0'],
    ['text/plain;version=0.0.4;q=0.5, application/openmetrics-text;q=0.4', 'text/plain 0.0.4'],
    ['text/plain;version=0.0.3, application/json;q=0.1', 'application/json'],
    ['application/vnd.google.protobuf;proto=x;encoding=delimited;q=0.7,text/plain;q=0.3', 'text/plain 0.0.4'],
    ['application/openmetrics-text;version="1.0.0"', 'application/openmetrics-text 1.0.0'],
    ['APPLICATION/JSON ; Q=1', 'application/json'], ['text/*', 'text/plain 0.0.4'], ['*/*', 'text/plain 0.0.4'], ['application/*', 'application/openmetrics-text 1.0.0'],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8', 'text/plain 0.0.4'],
    ['application/json;q=0', undefined], ['application/json;q=0.000', undefined], ['image/png', undefined], ['', undefined],
  ];
  for (const [header, wanted] of cases) assert.equal(chosen(header), wanted, header);
  assert.equal(chosen(undefined), undefined);
});

test('what does not parse asks for nothing', () => {
  for (const part of ['text', '/plain', 'text/plain;q=2', 'text/plain;q=-1', 'text/plain;q=0.1234', 'text/plain;q=', 'text/plain;q=0x1', 'text/plain;q=NaN', 'text/plain;version', 'text/plain;version="1', 'text/plain;;', 'text /plain', 'text/plain\u0000', 'text/plain;q=1;q=1', '*/json/x']) {
    assert.equal(chosen(part), undefined, part);
    assert.equal(chosen(`${part}, application/json;q=0.1`), 'application/json', part);
  }
  assert.equal(chosen(`application/json${' '.repeat(5000)}`), undefined);
});
