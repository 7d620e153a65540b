import assert from 'node:assert/strict';
import { test } from 'node:test';
import { facilityCodes, octetCounted, rfc3164, rfc3164Untagged, rfc5424, type SyslogMessage } from '../../lib/formats/syslog.ts';

const usual: SyslogMessage = {
  facility: facilityCodes.local0, severity: 4, time: Date.UTC(2026, 1, 5, 14, 30, 0, 7), host: 'dev-machine', app: 'loki', processId: '12345', messageId: 'policy.deny',
  data: [{ id: 'loki@32473', parameters: [['seq', '41'], ['tree_root', '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=']] }], text: '{"seq":41}',
};
const text = (message: Uint8Array): string => Buffer.from(message).toString('utf8');

test('a message of RFC 5424 has its fields in order, and a byte order mark before its text', () => {
  assert.equal(text(rfc5424(usual)), '<132>1 2026-02-05T14:30:00.007Z dev-machine loki 12345 policy.deny [loki@32473 seq="41" tree_root="47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="] \ufeff{"seq":41}');
  assert.deepEqual([...rfc5424(usual)].slice(-13, -10), [0xef, 0xbb, 0xbf]);
});

test('what is not known is a dash', () => {
  assert.equal(text(rfc5424({ ...usual, time: undefined, host: '', app: '', processId: '', messageId: '', data: [], text: '' })), '<132>1 - - - - - - \ufeff');
});

test('fields hold visible ASCII, no longer than the RFC says', () => {
  const odd = text(rfc5424({ ...usual, host: 'a b\u00e9'.repeat(100), app: 'x'.repeat(60), processId: '\n'.repeat(200), messageId: 'policy deny"]'.repeat(4), text: '' }));
  const [, , host = '', app = '', processId = '', messageId = ''] = odd.split(' ');
  assert.deepEqual([host.length, app.length, processId.length, messageId.length], [255, 48, 128, 32]);
  assert.match(host, /^(a\?b\?)+a\?b$/);
  assert.match(processId, /^\?+$/);
  assert.match(messageId, /^[\x21-\x7e]+$/);
});

test('in a parameter exactly the quote, the backslash and the closing bracket are escaped', () => {
  const printed = text(rfc5424({ ...usual, text: '', data: [{ id: 'a b="]@1', parameters: [['na me', 'a"b\\c]d[e=f\n\u00fc']] }, { id: 'second@1', parameters: [] }] }));
  assert.ok(printed.includes(' [a?b???@1 na?me="a\\"b\\\\c\\]d[e=f\n\u00fc"][second@1] '), printed);
});

test('the priority is facility times eight plus severity', () => {
  const rows: readonly (readonly [number, 3 | 4 | 6, string])[] = [[0, 3, '<3>'], [facilityCodes.user, 6, '<14>'], [facilityCodes.authpriv, 4, '<84>'], [facilityCodes.local7, 6, '<190>']];
  for (const [facility, severity, expected] of rows) assert.ok(text(rfc5424({ ...usual, facility, severity })).startsWith(`${expected}1 `));
});

test('a message of RFC 3164 carries the local time, the tag and the process', () => {
  const at = new Date(2026, 1, 5, 4, 3, 2);
  const old = { ...usual, time: at.getTime() };
  assert.equal(text(rfc3164(old)), '<132>Feb  5 04:03:02 dev-machine loki[12345]: {"seq":41}');
  assert.equal(text(rfc3164({ ...old, processId: '', app: 'a b:[c]' })), '<132>Feb  5 04:03:02 dev-machine a?b??c?: {"seq":41}');
  assert.equal(text(rfc3164Untagged({ ...old, text: 'CEF:0|a' })), '<132>Feb  5 04:03:02 dev-machine CEF:0|a');
  assert.match(text(rfc3164({ ...old, time: new Date(2026, 11, 25, 23, 59, 59).getTime() })), /^<132>Dec 25 23:59:59 /);
});

test('a frame counts octets, not characters', () => {
  assert.equal(text(octetCounted(Buffer.from('\ufeffü'))), '5 \ufeffü');
});
