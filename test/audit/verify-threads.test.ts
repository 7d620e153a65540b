/** Files read on threads: the same verdict as one after the other, and an end when somebody asks for it. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { pathToFileURL } from 'node:url';
import { openAuditLog } from '../../lib/entry/audit.ts';
import { isPlainObject } from '../../lib/base/json.ts';
import { createHost } from '../../lib/host/host.ts';
import { threads } from '../../lib/host/threads.ts';
import { readableFiles } from '../../lib/audit/log-file.ts';
import { createFilePool } from '../../lib/audit/verify/pool.ts';
import { verifyChain, type ChainReport } from '../../lib/audit/verify.ts';
import type { Threads } from '../../lib/ports.ts';
import { treeRoot } from '../support/child.ts';

const module = pathToFileURL(join(treeRoot, `lib/app/audit/verify-worker.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`)).href;

describe('verification on threads', () => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'loki-threads-')));
  const directory = join(root, 'audit');
  const { disk, timers } = createHost(() => root);
  let started = 0;
  const counted: Threads = { processors: 4, start(name, hears) { started += 1; return threads.start(name, hears); } };

  const verify = (how: { readonly threads: boolean; readonly signal?: AbortSignal }): Promise<ChainReport> => verifyChain(
    { chain: 'record', directory, names: readableFiles(disk, directory).map(({ name }) => name) },
    { disk, timers, ...(how.threads ? { pool: createFilePool(counted, module, 1) } : {}), ...(how.signal === undefined ? {} : { signal: how.signal }) },
  );

  before(async () => {
    const log = openAuditLog({ dir: directory, maxFileBytes: 4000 });
    await Promise.all(Array.from({ length: 1 }, async () => { for (let n = 0; n < 60; n += 1) await log.append({ event: 'policy.deny', actor: 'agent:a', details: { n, text: 'x'.repeat(200) } }); }));
    await log.close();
    const [first = ''] = readdirSync(directory);
    writeFileSync(join(directory, `${first}.gz`), gzipSync(readFileSync(join(directory, first))));
    rmSync(join(directory, first));
  });
  after(() => rmSync(root, { recursive: true }));

  test('the report is the same, whole or damaged, and exact about what is wrong', async () => {
    assert.equal((await verify({ threads: true })).verdict, 'ok');
    assert.equal(started, 3, 'the caller reads too');
    assert.deepEqual(await verify({ threads: true }), await verify({ threads: false }));
    const names = readableFiles(disk, directory).map(({ name }) => name);
    assert.ok(names.length > 4);
    // Three threads begin with the last three files.
    for (const change of [
      (text: string) => text.replace('"n":', '"n":1'),
      (text: string) => text.split('\n').toSpliced(2, 1).join('\n'),
      (text: string) => text.split('\n').toSpliced(1, 0, '').join('\n'),
      (text: string) => text.slice(0, -10),
      () => '',
    ]) {
      const path = join(directory, names.at(-2) ?? '');
      const kept = readFileSync(path, 'utf8');
      writeFileSync(path, change(kept));
      const report = await verify({ threads: true });
      assert.notEqual(report.verdict, 'ok');
      assert.deepEqual(report, await verify({ threads: false }));
      writeFileSync(path, kept);
    }
  });

  test('each file is read once: threads take them from the last one on, and leave alone what the caller has begun with', async () => {
    const sent: string[] = [];
    const names = readableFiles(disk, directory).map(({ name }) => name);
    let answer = (_: unknown): void => undefined;
    const slow: Threads = {
      processors: 2,
      start: (_, { onMessage, onEnd }) => {
        answer = onMessage;
        return { send: (message) => { if (isPlainObject(message)) sent.push(String(message['name'])); }, stop: () => onEnd() };
      },
    };
    const ask = createFilePool(slow, module, 1).share(directory, names.map((name) => ({ name, size: 1 })), { onBytes: () => undefined });
    assert.equal(ask(names[0] ?? ''), undefined);
    assert.equal(ask(names[1] ?? ''), undefined);
    for (let n = 0; n < names.length; n += 1) answer({ summary: null });
    assert.deepEqual(sent, names.slice(2).toReversed());
    assert.deepEqual(await Promise.all(names.slice(2).map(ask)), names.slice(2).map(() => undefined), 'none of them was good: the caller looks at them');
  });

  test('files in another order than they follow are found, although each is good by itself', async () => {
    const [second = '', third = ''] = readableFiles(disk, directory).slice(-3).map(({ name }) => join(directory, name));
    const [a, b] = [readFileSync(second), readFileSync(third)];
    writeFileSync(second, b);
    writeFileSync(third, a);
    const report = await verify({ threads: true });
    assert.equal(report.verdict, 'tampered');
    assert.deepEqual(report, await verify({ threads: false }));
    writeFileSync(second, a);
    writeFileSync(third, b);
  });

  test('threads end with the work, when it is broken off, and when they cannot be started', async () => {
    const control = new AbortController();
    const broken = verify({ threads: true, signal: control.signal });
    control.abort();
    await assert.rejects(broken, { name: 'AbortError' });
    const missing = createFilePool(threads, `${module}.nowhere`, 1);
    const report = await verifyChain({ chain: 'record', directory, names: readableFiles(disk, directory).map(({ name }) => name) }, { disk, timers, pool: missing });
    assert.equal(report.verdict, 'ok', 'what threads do not do is done here');
  });
});
