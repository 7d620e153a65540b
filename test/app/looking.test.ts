/** Looking at an installation of somebody else's: what may not be read is told, and is no fault of the log. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { verifyAll } from '../../lib/app/audit/verify.ts';
import { lookingDisk } from '../../lib/app/looking.ts';
import type { Installation } from '../../lib/app/installation.ts';
import { LokiError } from '../../lib/errors.ts';
import type { Disk } from '../../lib/ports.ts';
import { makeGround } from '../support/ground.ts';

/** As a member of the log's group has it: keys and projects are closed, and every file is another user's. */
function asGroup(disk: Disk, closed: readonly string[]): Disk {
  const enter = (path: string): void => {
    if (!closed.some((each) => path.startsWith(each))) return;
    const cause = Object.assign(new Error(`EACCES: permission denied, open '${path}'`), { code: 'EACCES' });
    throw new LokiError('io.failed', { attempted: 'read the disk', found: cause.message, cause });
  };
  return {
    ...disk,
    stat: (path) => { enter(path.replace(/\/(keys|projects)$/, '')); return disk.stat(path); },
    list: (path) => { enter(path); return disk.list(path); },
    read: (path, limit) => { enter(path); return disk.read(path, limit); },
    readRecord: (_base, path) => { throw new LokiError('record.unsafe', { attempted: `use record file "${path}"`, found: 'it belongs to user 1000, not to 1001' }); },
  };
}

test('a member of the log\'s group verifies it with the public key', async (t) => {
  const ground = makeGround(t);
  await ground.enrol();
  assert.equal((await ground.loki(['audit', 'checkpoint'])).exit, 0);
  const vkey = readFileSync(join(ground.home, 'keys/checkpoint.vkey'), 'utf8').trim();
  const here = ground.installation();
  const group: Installation = { ...here, project: undefined, host: { ...here.host, disk: asGroup(here.host.disk, [here.home.keys, here.home.projects]) } };
  const report = await verifyAll(group, { vkeys: [vkey] });
  assert.deepEqual([report.verdict, report.chains[0]?.checkpoint?.verified], ['ok', true]);
  assert.match(report.chains[0]?.notes.join() ?? '', /no permission to: .*keys.*projects/);
  const without = await verifyAll(group);
  assert.deepEqual(without.chains.flatMap(({ breaks }) => breaks.map(({ cause }) => cause)), ['missing checkpoint']);
  const brought = await verifyAll(group, { vkeys: [vkey], log: here.home.audit });
  assert.deepEqual([brought.verdict, brought.chains[0]?.checkpoint?.verified], ['ok', true]);
});

test('only refusals are passed over', (t) => {
  const ground = makeGround(t);
  const { disk } = ground.installation().host;
  const broken: Disk = { ...disk, list: () => { throw Object.assign(new Error('EIO'), { code: 'EIO' }); } };
  assert.throws(() => lookingDisk(broken).list('/'), /EIO/);
});
