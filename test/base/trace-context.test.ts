import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noSpan } from '../../lib/base/trace.ts';
import { contextIn, parseContext, parseTraceparent, parseTracestate, traceparentOf, traceVariables } from '../../lib/base/trace-context.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';
const given = `00-${traceId}-${spanId}-01`;

for (const [text, sampled] of [[given, true], [`00-${traceId}-${spanId}-00`, false], [`00-${traceId}-${spanId}-ff`, true], [`01-${traceId}-${spanId}-01-more`, true], [`cc-${traceId}-${spanId}-02`, false]] as const) {
  test(`traceparent ${text} is read`, () => {
    assert.deepEqual(parseTraceparent(text), { traceId, spanId, sampled, isRemote: true });
  });
}

for (const text of [
  undefined, '', 'x', `00-${'0'.repeat(32)}-${spanId}-01`, `00-${traceId}-${'0'.repeat(16)}-01`, `00-${traceId.toUpperCase()}-${spanId}-01`, `ff-${traceId}-${spanId}-01`,
  `00-${traceId}-${spanId}-01-more`, `00-${traceId}-${spanId}`, `01-${traceId}-${spanId}-01more`, `${given},${given}`, `01-${traceId}-${spanId}-01-${'x'.repeat(500)}`,
]) {
  test(`traceparent ${JSON.stringify(text?.slice(0, 70))} is no context`, () => {
    assert.equal(parseTraceparent(text), undefined);
  });
}

test('a context is written as it was read, with no flag but that of sampling', () => {
  for (const text of [given, `00-${traceId}-${spanId}-00`]) assert.equal(traceparentOf(parseTraceparent(text) ?? noSpan.context), text);
  assert.equal(traceparentOf(parseTraceparent(`00-${traceId}-${spanId}-ff`) ?? noSpan.context), given);
});

const states: readonly (readonly [string, string | undefined, string | undefined])[] = [
  ['one member', 'vendor=value', 'vendor=value'],
  ['members with blanks around them, and empty ones', ' a=1 ,\tb=2,, ', 'a=1,b=2'],
  ['a tenant in the key', 'tenant@vendor=t61rcWkgMzE', 'tenant@vendor=t61rcWkgMzE'],
  ['32 members', Array.from({ length: 32 }, (_, n) => `k${n}=v`).join(','), Array.from({ length: 32 }, (_, n) => `k${n}=v`).join(',')],
  ['33 members', Array.from({ length: 33 }, (_, n) => `k${n}=v`).join(','), undefined],
  ['a key twice', 'a=1,a=2', undefined],
  ['a key in capitals', 'Vendor=1', undefined],
  ['no value', 'a=', undefined],
  ['an equals sign in the value', 'a=b=c', undefined],
  ['a line end in the value', 'a=b\nc', undefined],
  ['letters beyond ASCII', 'a=ü', undefined],
  ['too much', `a=${'x'.repeat(256)},b=${'x'.repeat(256)}`, undefined],
  ['nothing', '', undefined],
  ['no header', undefined, undefined],
];
for (const [name, text, read] of states) {
  test(`tracestate with ${name} is ${read === undefined ? 'left out' : 'handed on'}`, () => {
    assert.equal(parseTracestate(text), read);
  });
}

test('a state without a parent that can be read counts nothing', () => {
  assert.equal(parseContext('x', 'a=1'), undefined);
  assert.deepEqual(parseContext(given, 'a=1'), { traceId, spanId, sampled: true, isRemote: true, traceState: 'a=1' });
  assert.deepEqual(parseContext(given, 'a=1,a=2'), { traceId, spanId, sampled: true, isRemote: true });
});

test('what is handed down in an environment is what a child reads', () => {
  const context = { traceId, spanId, sampled: true, traceState: 'a=1' };
  assert.deepEqual(traceVariables(context), { TRACEPARENT: given, TRACESTATE: 'a=1' });
  assert.deepEqual(contextIn(traceVariables(context)), { ...context, isRemote: true });
  assert.deepEqual(traceVariables({ traceId, spanId, sampled: false }), { TRACEPARENT: `00-${traceId}-${spanId}-00` });
});

test('nothing is taken from an environment whose OTEL_PROPAGATORS names other ways alone', () => {
  const taken = (ways: string): boolean => contextIn({ TRACEPARENT: given, OTEL_PROPAGATORS: ways }) !== undefined;
  assert.deepEqual(['none', ' NONE ', 'baggage', 'none,baggage'].map(taken), [false, false, false, false]);
  // What cannot be used leaves the default standing.
  assert.deepEqual(['', ' ', ',', 'tracecontext', 'TraceContext,baggage', 'none,tracecontext', 'b3', 'none,b3'].map(taken), [true, true, true, true, true, true, true, true]);
});

test('a span that there is not is handed down to nobody', () => {
  assert.deepEqual(traceVariables(noSpan.context), {});
});
