import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Disk } from '../../lib/ports.ts';
import { openSegment, takeBack, type Segment, type SegmentOptions } from '../../lib/journal/segment.ts';
import { createFaultFiles, faultDisk, leftovers, PowerCut } from '../support/fault-files.ts';

const path = '/base/log.jsonl';

function freshDisk(): Disk {
  const files = createFaultFiles();
  files.makeDirectory('/base', 0o700);
  return faultDisk(files);
}

function segmentOn(disk: Disk, changes: Partial<SegmentOptions> = {}): Segment {
  return openSegment({ disk, base: '/base', path, mode: 0o600, tornDirectory: '/base/torn', longestLine: 100, ...changes });
}

function bytes(text: string): Uint8Array {
  return Buffer.from(text);
}

/** Another process writes at the end. */
function others(disk: Disk, text: string): void {
  const file = disk.openRecord('/base', path, 0o600);
  file.append(bytes(text));
  file.close();
}

function content(disk: Disk, of = path): string {
  return Buffer.from(disk.read(of, 1e6) ?? []).toString();
}

test('what this process appends is known to it', () => {
  const disk = freshDisk();
  const segment = segmentOn(disk);
  assert.deepEqual(segment.refresh(), { kind: 'same' });
  segment.append(bytes('a\nb\n'));
  assert.deepEqual([segment.size(), segment.refresh()], [4, { kind: 'same' }]);
  assert.equal(Buffer.from(segment.read(2, 10)).toString(), 'b\n');
  segment.close();
});

test('what others append is seen, from where they began', () => {
  const disk = freshDisk();
  const segment = segmentOn(disk);
  segment.append(bytes('a\n'));
  others(disk, 'b\nc\n');
  assert.deepEqual([segment.refresh(), segment.size()], [{ kind: 'grown', from: 2 }, 6]);
  segment.append(bytes('d\n'));
  assert.equal(content(disk), 'a\nb\nc\nd\n');
});

test('a torn tail is kept aside whole before the file is cut back to its last line', () => {
  const disk = freshDisk();
  others(disk, 'a\nbro');
  const segment = segmentOn(disk);
  const refresh = segment.refresh();
  assert.ok(refresh.kind === 'grown' && refresh.torn !== undefined);
  assert.deepEqual([refresh.torn.file, refresh.torn.offset, refresh.torn.length], ['log.jsonl', 2, 3]);
  assert.match(refresh.torn.keptAs, /^\/base\/torn\/log\.jsonl\.torn-2-[0-9a-f]{12}$/);
  assert.equal(content(disk, refresh.torn.keptAs), 'bro');
  assert.equal(content(disk), 'a\n');
  segment.append(bytes('b\n'));
  assert.equal(content(disk), 'a\nb\n');
});

test('a tail that others left torn after what is known is cut to what is known', () => {
  const disk = freshDisk();
  const segment = segmentOn(disk);
  segment.append(bytes('a\n'));
  others(disk, 'x');
  const refresh = segment.refresh();
  assert.ok(refresh.kind === 'grown');
  assert.deepEqual([refresh.from, refresh.torn?.offset, segment.size(), content(disk)], [2, 2, 2, 'a\n']);
});

test('the same torn tail found twice is kept once; a file of nothing but a tail becomes empty', () => {
  const disk = freshDisk();
  for (let round = 0; round < 2; round += 1) {
    others(disk, 'bro');
    segmentOn(disk).refresh();
    assert.equal(content(disk), '');
  }
  assert.equal(disk.list('/base/torn').length, 1);
});

test('a crash at any step of it loses nothing, and is made good by whoever comes next', () => {
  let cuts = 0;
  for (let more = 1; ; more += 1) {
    const files = createFaultFiles();
    files.makeDirectory('/base', 0o700);
    files.syncDirectory('/');
    const disk = faultDisk(files);
    others(disk, 'a\nbro');
    files.cutAt(files.steps() + more);
    try {
      segmentOn(disk).refresh();
      break;
    } catch (error) {
      assert.ok(error instanceof PowerCut || (error instanceof Error && error.cause instanceof PowerCut), String(error));
      cuts += 1;
    }
    for (const leftover of leftovers) {
      const after = faultDisk(files.restart(leftover));
      segmentOn(after).refresh();
      const kept = after.list('/base/torn').filter((name) => !name.startsWith('.tmp-')).map((name) => content(after, `/base/torn/${name}`));
      assert.deepEqual([content(after), kept], ['a\n', ['bro']], `cut ${more} steps on, ${leftover}\n${files.log().join('\n')}`);
    }
  }
  assert.ok(cuts >= 5, `${cuts} places were cut`);
});

test('a file that is gone, another one, or shorter is not written to', () => {
  const disk = freshDisk();
  const segment = segmentOn(disk);
  segment.append(bytes('a\nb\n'));
  disk.replace('/base', path, bytes('a\nb\nc\n'), 0o600);
  assert.deepEqual(segment.refresh(), { kind: 'replaced', found: 'another file' });
  disk.remove(path);
  assert.deepEqual(segment.refresh(), { kind: 'replaced', found: 'missing' });
  const other = segmentOn(disk);
  other.append(bytes('a\nb\n'));
  const file = disk.openRecord('/base', path, 0o600);
  file.cut(2);
  assert.deepEqual(other.refresh(), { kind: 'replaced', found: 'shorter' });
});

test('a file whose end holds no line feed within the longest line is not ours', () => {
  const disk = freshDisk();
  others(disk, `a\n${'x'.repeat(200)}`);
  assert.throws(() => segmentOn(disk).refresh(), { code: 'io.failed', message: 'Cannot append to "/base/log.jsonl": its last 100 bytes hold no line feed' });
  assert.equal(content(disk).length, 202, 'and it is left as it is');
});

test('setting aside from a place keeps the rest, whatever it is', () => {
  const disk = freshDisk();
  const segment = segmentOn(disk);
  segment.append(bytes('a\n\0\0\0\n'));
  const torn = segment.setAside(2);
  assert.deepEqual([torn.offset, torn.length, content(disk, torn.keptAs), content(disk), segment.size()], [2, 4, '\0\0\0\n', 'a\n', 2]);
});

test('what a failed append left behind is taken back to where the file stood, torn or whole', () => {
  for (const left of ['b\nc\n', 'b\nc', 'b', '']) {
    const disk = freshDisk();
    others(disk, `a\n${left}`);
    const { torn, trouble } = takeBack(() => segmentOn(disk), 2);
    assert.equal(trouble, undefined);
    assert.equal(content(disk), 'a\n', left);
    assert.equal(torn.toReversed().map(({ keptAs }) => content(disk, keptAs)).join(''), left.includes('\n') && !left.endsWith('\n') ? 'b\nc' : left);
  }
});

test('a disk that does not take what is taken back is told', () => {
  const disk = freshDisk();
  others(disk, 'a\nb\n');
  const { torn, trouble } = takeBack(() => segmentOn({ ...disk, create() { throw new Error('full'); } }), 2);
  assert.deepEqual([torn, String(trouble)], [[], 'Error: full']);
  assert.equal(content(disk), 'a\nb\n', 'nothing is cut that was not kept');
});

test('a file that was renamed is known under its new name', () => {
  const disk = freshDisk();
  const segment = segmentOn(disk);
  segment.append(bytes('a\n'));
  disk.move(path, '/base/other.jsonl');
  assert.deepEqual([segment.isAt('/base/other.jsonl'), segment.isAt(path)], [true, false]);
});
