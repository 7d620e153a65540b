/** `file:` as a destination: lines that a collector reads, in files that end, in a folder that does not grow. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createLineFiles } from '../../../lib/host/spool-files.ts';
import type { Files } from '../../../lib/ports.ts';
import type { DropReason } from '../../../lib/telemetry/batch.ts';
import { createFileDestination } from '../../../lib/telemetry/export/file-destination.ts';
import type { FileDestinationOptions, StandingDestination } from '../../../lib/telemetry/export/options.ts';
import { createTestClock, createTestRandom } from '../../support/fakes.ts';
import { createFaultFiles } from '../../support/fault-files.ts';
import { base, batch, spoolFilesOver } from './support.ts';

const folder = '/mnt/usb/otlp';

function world(more: Partial<FileDestinationOptions> = {}, wrap: (files: Files) => Files = (files) => files) {
  const files = createFaultFiles();
  files.makeDirectory(base, 0o700);
  files.makeDirectory('/mnt', 0o755);
  const clock = createTestClock();
  const drops: { readonly reason: DropReason; readonly items: number }[] = [];
  const spoolFiles = spoolFilesOver(files);
  const lineFiles = createLineFiles({ files: wrap(files), clock, owner: undefined, uniqueName: () => 'u' });
  const open = (): StandingDestination => createFileDestination({
    name: 'file:///mnt/usb/otlp', signals: ['traces', 'metrics', 'logs'], temporality: 'cumulative', files: lineFiles, folder, clock, random: createTestRandom(), spoolFiles,
    countDrops: (_, reason, items) => drops.push({ reason, items }), ...more,
  });
  const texts = (): ReadonlyMap<string, string> => new Map(spoolFiles.list(folder).map(({ name }) => [name, spoolFiles.read(`${folder}/${name}`, 1e9) ?? '']));
  return { files, clock, drops, spoolFiles, open, texts, destination: open() };
}

describe('file: as a destination', () => {
  test('has one signal a file, a message a line, under names that say when and what; for the owner alone', () => {
    const { destination, texts, files } = world();
    for (const signal of ['traces', 'logs', 'traces', 'metrics'] as const) destination.offer(batch(signal, ['x']));
    const found = texts();
    assert.deepEqual([...found.keys()].map((name) => name.replace(/-[0-9a-f]{16}\./, '-*.')), ['loki-20260215T143000Z-*.traces.jsonl', 'loki-20260215T143000Z-*.logs.jsonl', 'loki-20260215T143000Z-*.metrics.jsonl']);
    assert.deepEqual([...found.values()], [`${batch('traces', ['x']).body}\n`.repeat(2), `${batch('logs', ['x']).body}\n`, `${batch('metrics', ['x']).body}\n`]);
    for (const name of found.keys()) assert.equal(files.stat(`${folder}/${name}`)?.mode, 0o600);
    assert.equal(files.stat(folder)?.mode, 0o700);
    assert.deepEqual([destination.stand().signals.traces?.delivered, destination.stand().waiting.files], [2, 3]);
  });

  test('ends a file by size and by time, and begins another in another life', () => {
    const { destination, texts, clock, open } = world({ fileBytes: 1000 });
    destination.offer(batch('traces', ['a'], 600));
    destination.offer(batch('traces', ['b'], 600));
    assert.equal(texts().size, 2);
    clock.advance(60 * 60_000);
    destination.offer(batch('traces', ['c']));
    assert.equal(texts().size, 3);
    open().offer(batch('traces', ['d']));
    assert.equal(texts().size, 4);
    assert.ok([...texts().values()].every((text) => text.split('\n').every((line) => line === '' || JSON.parse(line) !== undefined)));
  });

  test('keeps the folder within its bound: the oldest files go, those of others stay', () => {
    const { destination, texts, clock, spoolFiles, files } = world({ maxBytes: 8000, fileBytes: 1000 });
    files.makeDirectory('/mnt/usb', 0o700);
    files.makeDirectory(folder, 0o700);
    spoolFiles.write('/mnt', `${folder}/report.txt`, 'x'.repeat(50_000));
    for (let n = 0; n < 100; n += 1) {
      destination.offer(batch('traces', [`s${n}`], 500));
      clock.advance(1000);
      const bytes = [...texts()].reduce((sum, [name, { length }]) => sum + (name.startsWith('loki-') ? length : 0), 0);
      assert.ok(bytes <= 8000, `${bytes} after ${n}`);
    }
    assert.ok(texts().has('report.txt'));
    assert.match([...texts().values()].at(-2) ?? '', /"s9\d"/);
    assert.equal(destination.stand().signals.traces?.delivered, 100);
  });

  test('a disk that takes nothing is said and counted, leaves no half line, and is used again', () => {
    let left = Infinity;
    const { destination, texts, drops } = world({}, (files) => ({
      ...files,
      write(handle, bytes) {
        if (left <= 0) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
        const taken = files.write(handle, bytes.subarray(0, left));
        left -= taken;
        return taken;
      },
    }));
    destination.offer(batch('traces', ['a']));
    left = 10;
    destination.offer(batch('traces', ['b', 'c']));
    assert.deepEqual(drops, [{ reason: 'disk', items: 2 }]);
    assert.equal(destination.stand().disk?.words, 'cannot write to the folder: ENOSPC');
    assert.deepEqual([...texts().values()], [`${batch('traces', ['a']).body}\n`]);
    left = Infinity;
    destination.offer(batch('traces', ['d']));
    assert.deepEqual([...texts().values()], [`${batch('traces', ['a']).body}\n${batch('traces', ['d']).body}\n`]);
  });

  test('takes what other processes handed over, but for what is damaged', () => {
    const { destination, texts, drops, spoolFiles } = world();
    const handed = '/home/handed-over';
    const good = '1771165800000-00000001abcdef01-1.logs.jsonl';
    const bad = '1771165800000-00000002abcdef01-5.logs.jsonl';
    spoolFiles.write(base, `${handed}/${good}`, `${batch('logs', ['h']).body}\n`);
    spoolFiles.write(base, `${handed}/${bad}`, '{"resourceLogs":[');
    for (const file of spoolFiles.list(handed)) assert.equal(destination.adopt(handed, file), true);
    assert.equal(destination.adopt(handed, { name: 'x', size: 1, modifiedMs: 0 }), false);
    assert.deepEqual([...texts().values()], [`${batch('logs', ['h']).body}\n`]);
    assert.deepEqual(drops, [{ reason: 'damaged', items: 5 }]);
  });

  test('what is offered after the end is written all the same', async () => {
    const { destination, texts } = world();
    await destination.close(0);
    destination.offer(batch('traces', ['a']));
    assert.equal(texts().size, 1);
    assert.equal(await destination.flush(0), true);
  });
});
