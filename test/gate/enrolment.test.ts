import assert from 'node:assert/strict';
import { linkSync, mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { LokiError } from '../../lib/errors.ts';
import { createHost } from '../../lib/host/host.ts';
import { listEnrolments, readEnrolment, writeEnrolment, type Enrolment } from '../../lib/gate/enrolment.ts';
import { pinsNow } from '../../lib/gate/pins.ts';

const { disk } = createHost(() => '/');
const policy = '.loki/policies.yaml';

interface Desk {
  readonly home: string;
  readonly project: string;
  readonly file: string;
  readonly enrolment: Enrolment;
}

function desk(t: { after(undo: () => void): void }): Desk {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'loki enrol ')));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const [home, project] = [join(root, 'home'), join(root, 'project')];
  mkdirSync(home);
  mkdirSync(join(project, '.loki'), { recursive: true });
  writeFileSync(join(project, policy), 'version: 1\n');
  const enrolment: Enrolment = {
    version: 1, id: 'prj_1', path: project, enrolled_at: '2026-02-15T14:30:00.000Z', enrolled_by: 'user:alice', files: pinsNow(disk, project, policy), commands_digest: null,
  };
  return { home, project, file: join(home, 'projects/prj_1.json'), enrolment };
}

test('an enrolment is read as it was written, private to its owner', (t) => {
  const { home, file, enrolment } = desk(t);
  assert.equal(readEnrolment(disk, home, file), undefined);
  writeEnrolment(disk, home, file, enrolment);
  assert.deepEqual(readEnrolment(disk, home, file), enrolment);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(statSync(join(home, 'projects')).mode & 0o777, 0o700);
});

test('a file that is no enrolment is an error, never an open project', (t) => {
  const { home, file, enrolment } = desk(t);
  writeEnrolment(disk, home, file, enrolment);
  for (const text of ['', '{', 'null', '[]', '{}', JSON.stringify({ ...enrolment, version: 2 }), JSON.stringify({ ...enrolment, files: [] }),
    JSON.stringify({ ...enrolment, files: { a: 1 } }), JSON.stringify({ ...enrolment, commands_digest: 3 }), JSON.stringify({ ...enrolment, path: null })]) {
    writeFileSync(file, text);
    assert.throws(() => readEnrolment(disk, home, file), (error) => error instanceof LokiError && error.code === 'project.changed'
      && error.message === `Cannot read the enrolment "${file}": it is not a valid enrolment file`, text);
  }
});

test('an enrolment behind a symlink or with a second link is not believed', (t) => {
  const { home, project, file, enrolment } = desk(t);
  writeEnrolment(disk, home, file, enrolment);
  linkSync(file, join(project, 'second'));
  assert.throws(() => readEnrolment(disk, home, file), { code: 'record.unsafe', message: /it has 2 links/ });
  rmSync(file);
  symlinkSync(join(project, 'second'), file);
  assert.throws(() => readEnrolment(disk, home, file), { code: 'record.unsafe', message: /it is a symlink, not a plain file/ });
});

test('a list of enrolments leaves out what cannot be understood', (t) => {
  const { home, file, enrolment } = desk(t);
  assert.deepEqual(listEnrolments(disk, home, join(home, 'projects')), []);
  writeEnrolment(disk, home, file, enrolment);
  writeFileSync(join(home, 'projects/prj_0.json'), '{');
  writeFileSync(join(home, 'projects/.tmp-1'), '{');
  assert.deepEqual(listEnrolments(disk, home, join(home, 'projects')), [enrolment]);
});
