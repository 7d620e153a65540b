/** Signed notes and checkpoints: published ones, byte for byte, and every way in which one can be wrong. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { checkpointText, openCheckpoint, parseCheckpointText, signCheckpoint } from '../../../lib/base/merkle/checkpoint.ts';
import { root } from '../../../lib/base/merkle/frontier.ts';
import { leafHash } from '../../../lib/base/merkle/hash.ts';
import { noteKey, noteSigner, openNote, parseSkey, parseVkey, signNote, type NoteKey, type NoteSigner } from '../../../lib/base/merkle/note.ts';
import { LokiError } from '../../../lib/errors.ts';
import { fixture } from '../../support/root.ts';

const published: { readonly notes: readonly { readonly source: string; readonly vkey: string; readonly note: string }[]; readonly vkeys: readonly string[] } =
  JSON.parse(readFileSync(fixture('merkle', 'notes.json'), 'utf8'));
const tessera: { readonly signing_key: string; readonly verifier_key: string; readonly leaves: readonly string[]; readonly checkpoints: Readonly<Record<string, string>> } =
  JSON.parse(readFileSync(fixture('merkle', 'tessera-log.json'), 'utf8'));

const keyOf = (vkey: string): NoteKey => parseVkey(vkey) ?? assert.fail(vkey);
const signerOf = (n: number, name = `example.com/${n}`): NoteSigner => noteSigner(name, new Uint8Array(32).fill(n));

test('published notes open with their keys, and not with a letter changed', () => {
  for (const { vkey, note, source } of published.notes) {
    const opened = openNote(note, [keyOf(vkey)]);
    assert.deepEqual(opened, { ok: true, text: note.slice(0, note.lastIndexOf('\n\n') + 1), signedBy: [vkey] }, source);
    assert.equal(openNote(Buffer.from(note), [keyOf(vkey)]).ok, true);
    const changed = openNote(note.replace('y', 'Y'), [keyOf(vkey)]);
    assert.deepEqual([changed.ok, changed.ok ? '' : changed.why], [false, 'bad signature'], source);
  }
});

test('published vkeys are read, their base64 with "/" and "+" too, and printed as they were', () => {
  for (const vkey of [...published.vkeys, ...published.notes.map((note) => note.vkey), tessera.verifier_key]) {
    const { name, publicKey } = keyOf(vkey);
    assert.equal(noteKey(name, publicKey).vkey, vkey);
  }
});

test('what is no vkey is not read', () => {
  const good = tessera.verifier_key;
  const wrong = ['', '+', good.replace('33d7b496', '33d7b497'), good.replace('33d7b496', '33D7B496'), good.replace('log/', 'lo g/'), good.replace('log/', 'lo+g/'), good.slice(0, -1), `${good}=`, `${good}\n`,
    good.replace('+Ae', '+Be'), `+33d7b496+${good.split('+')[2]}`, good.replace('example', 'ex\u00a0ample'), 'x'.repeat(1e6)];
  for (const line of wrong) assert.equal(parseVkey(line), undefined, line.slice(0, 80));
  assert.equal(parseSkey(good), undefined);
});

test('the published test log: its fifteen roots, and each checkpoint signed anew byte for byte', () => {
  const signer = parseSkey(tessera.signing_key) ?? assert.fail();
  assert.equal(signer.skey(), tessera.signing_key);
  assert.equal(signer.key.vkey, tessera.verifier_key);
  const leaves = tessera.leaves.map((leaf) => leafHash(Buffer.from(leaf)));
  for (let size = 0; size <= leaves.length; size += 1) {
    const note = signCheckpoint({ size, root: root(leaves.slice(0, size)) }, signer);
    assert.equal(note, tessera.checkpoints[String(size)], `size ${size}`);
    const opened = openCheckpoint(note, [signer.key]);
    assert.deepEqual(opened.ok && [opened.checkpoint.origin, opened.checkpoint.size], [signer.key.name, size]);
  }
});

const text = 'one\n\ntwo\n';
const note = signNote(text, signerOf(1));
const signature = note.slice(text.length + 1);

test('a text may hold empty lines: the last one parts it from its signatures', () => {
  assert.deepEqual(openNote(note, [signerOf(1).key]), { ok: true, text, signedBy: [signerOf(1).key.vkey] });
});

test('unknown keys are passed over, even when name or id is a known one\'s; a known one that fails spoils the note', () => {
  const known = signerOf(1).key;
  const other = signNote(text, signerOf(2)).slice(text.length + 1);
  const sameName = signNote(text, signerOf(3, known.name)).slice(text.length + 1);
  const payload = Buffer.from(signature.trim().split(' ')[2] ?? '', 'base64');
  const sameId = `\u2014 example.com/another ${payload.toString('base64')}\n`;
  assert.equal(openNote(`${text}\n${other}${sameName}${sameId}${signature}`, [known]).ok, true);
  const only = openNote(`${text}\n${other}${sameName}${sameId}`, [known]);
  assert.deepEqual([only.ok, only.ok ? '' : only.why], [false, 'unknown key']);
  payload[20] = (payload[20] ?? 0) ^ 1;
  const broken = `\u2014 ${known.name} ${payload.toString('base64')}\n`;
  for (const lines of [broken, `${broken}${other}`, `${other}${broken}`]) {
    const opened = openNote(`${text}\n${lines}`, [known, signerOf(2).key]);
    assert.deepEqual([opened.ok, opened.ok ? '' : opened.why], [false, 'bad signature']);
  }
  assert.equal(openNote(note, []).ok, false);
});

test('a note may carry a hundred signatures, and no more', () => {
  const many = (count: number): string => `${text}\n${Array.from({ length: count }, (_, n) => signNote(text, signerOf(n + 1)).slice(text.length + 1)).join('')}`;
  assert.equal(openNote(many(17), [signerOf(17).key]).ok, true);
  assert.equal(openNote(many(100), [signerOf(100).key]).ok, true);
  assert.equal(openNote(many(101), [signerOf(1).key]).ok, false);
});

test('what is no note is not opened', () => {
  const keys = [signerOf(1).key];
  const wrong: readonly (string | Uint8Array)[] = ['', '\n', '\n\n', text, `${text}\n`, note.slice(0, -1), `${note}\n`, `${note}x`, note.replace('\u2014', '-'), note.replace('\u2014 ', '\u2014  '), note.replaceAll('\n', '\r\n'),
    note.replace('one', 'o\u0000ne'), note.replace('one', 'o\tne'), `\ufeff${note}`, note.replace('one', 'o\ud800e'), Buffer.concat([Buffer.from([0xff]), Buffer.from(note)]), `${note.slice(0, -2)}==\n`, `${text}\n\u2014 x AAAA\n`, 'a'.repeat(2 << 20)];
  for (const each of wrong) assert.equal(openNote(each, keys).ok, false, JSON.stringify(String(each)).slice(0, 90));
  assert.throws(() => signNote('no end', signerOf(1)), LokiError);
  assert.throws(() => signNote('a\tb\n', signerOf(1)), LokiError);
  assert.throws(() => noteSigner('a b', new Uint8Array(32)), LokiError);
});

test('every bit of a note flipped is found', () => {
  const bytes = Buffer.from(note);
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const flipped = Buffer.from(bytes);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.equal(openNote(flipped, [signerOf(1).key]).ok, false, `bit ${bit}`);
  }
});

test('a checkpoint is three lines, strictly', () => {
  const good = checkpointText({ origin: 'example.com/log', size: 5, root: leafHash(Buffer.from('x')) });
  const [origin = '', , hash = ''] = good.split('\n');
  assert.equal(parseCheckpointText(good)?.size, 5);
  assert.equal(parseCheckpointText(`${good}extension\n`)?.size, 5);
  assert.equal(parseCheckpointText(`${origin}\n9007199254740991\n${hash}\n`)?.size, Number.MAX_SAFE_INTEGER);
  for (const size of ['', '05', '+5', '-5', '5 ', '0x5', '1e3', '9007199254740992', '99999999999999999999']) assert.equal(parseCheckpointText(`${origin}\n${size}\n${hash}\n`), undefined, size);
  for (const wrong of ['', '\n', good.slice(0, -1), `\n5\n${hash}\n`, `${origin}\n5\n\n`, `${origin}\n5\n${hash.slice(4)}\n`, `${origin}\n5\n${hash.slice(0, -1)}\n`, `${good}\n`, `${origin}\n5\n`]) assert.equal(parseCheckpointText(wrong), undefined, JSON.stringify(wrong));
});

test('a checkpoint is believed only when the key of its own log has signed it', () => {
  const tree = { size: 1, root: leafHash(Buffer.from('x')) };
  const foreign = signNote(checkpointText({ ...tree, origin: 'example.com/2' }), signerOf(1));
  const opened = openCheckpoint(foreign, [signerOf(1).key, signerOf(2).key]);
  assert.deepEqual([opened.ok, opened.ok ? '' : opened.why], [false, 'unknown key']);
  assert.equal(openCheckpoint(signNote('no checkpoint\n', signerOf(1)), [signerOf(1).key]).ok, false);
});
