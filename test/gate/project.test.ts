import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { LokiError } from '../../lib/errors.ts';
import { projectIdOf } from '../../lib/base/ids.ts';
import { createHost } from '../../lib/host/host.ts';
import { spawn } from '../../lib/host/spawn.ts';
import { currentBranch, findProject, type ProjectQuery } from '../../lib/gate/project.ts';

const { disk } = createHost(() => '/');
const git = spawn.find('git', process.env['PATH']);

/** A folder with a LOKI_HOME in it, folders made as asked, and the project found from one of them (relative to the folder). */
interface Land {
  readonly root: string;
  folder(path: string): string;
  enrol(path: string): void;
  found(cwd: string, query?: Partial<ProjectQuery>): string | undefined;
}

function land(t: { after(undo: () => void): void }): Land {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'loki land ')));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const home = join(root, '.loki');
  const enrolmentFile = (id: string): string => join(home, 'projects', `${id}.json`);
  mkdirSync(join(home, 'projects'), { recursive: true });
  return {
    root,
    folder(path) {
      mkdirSync(join(root, path), { recursive: true });
      return join(root, path);
    },
    enrol: (path) => writeFileSync(enrolmentFile(projectIdOf(join(root, path))), '{}'),
    found(cwd, query = {}) {
      const project = findProject(disk, { cwd: join(root, cwd), home, enrolmentFile, ...query });
      if (project !== undefined) assert.equal(project.id, projectIdOf(project.dir));
      return project?.dir.slice(root.length + 1);
    },
  };
}

describe('from the working directory', () => {
  test('nothing above it is a project: there is none', (t) => {
    const { folder, found } = land(t);
    folder('a/b');
    assert.equal(found('a/b'), undefined);
  });
  test('where nothing was ever enrolled no directory is hashed, and the nearest one with a .loki is found', (t) => {
    const { root, folder, found } = land(t);
    folder('a/.loki');
    folder('a/b');
    const asked: string[] = [];
    const enrolmentFile = (id: string): string => {
      asked.push(id);
      return join(root, '.loki', 'none', `${id}.json`);
    };
    assert.equal(found('a/b', { enrolmentFile }), 'a');
    assert.deepEqual(asked.filter((id) => id.startsWith('prj_')), []);
  });

  test('the nearest .loki counts where nothing is enrolled', (t) => {
    const { folder, found } = land(t);
    folder('a/.loki');
    folder('a/b/.loki');
    folder('a/b/c');
    assert.equal(found('a/b/c'), 'a/b');
    assert.equal(found('a/b'), 'a/b');
    assert.equal(found('a'), 'a');
  });

  test('a file called .loki makes no project, and LOKI_HOME in a home directory makes none of that directory', (t) => {
    const { root, folder, found } = land(t);
    folder('a');
    writeFileSync(join(root, 'a/.loki'), '');
    assert.equal(found('a'), undefined);
    assert.equal(found(''), undefined);
  });

  test('the outermost enrolled directory counts, whatever lies in it', (t) => {
    const { folder, enrol, found } = land(t);
    folder('a/b/c/.loki');
    enrol('a');
    enrol('a/b');
    assert.equal(found('a/b/c'), 'a');
  });

  test('a .loki that an agent makes inside its enrolled project gives it no project of its own', (t) => {
    const { folder, enrol, found } = land(t);
    folder('a/.loki');
    enrol('a');
    folder('a/sub/.loki');
    assert.equal(found('a/sub'), 'a');
    folder('elsewhere/.loki');
    assert.equal(found('elsewhere'), 'elsewhere');
  });

  test('an enrolled project is found without its .loki: removing that frees nobody', (t) => {
    const { folder, enrol, found } = land(t);
    folder('a/b');
    enrol('a');
    assert.equal(found('a/b'), 'a');
  });

  test('a symlink into a project leads to the project, and one out of it leads out', (t) => {
    const { root, folder, enrol, found } = land(t);
    folder('a/deep/er');
    folder('outside');
    enrol('a');
    symlinkSync(join(root, 'a/deep/er'), join(root, 'link'));
    symlinkSync(join(root, 'outside'), join(root, 'a/out'));
    assert.equal(found('link'), 'a');
    assert.equal(found('a/out'), undefined);
  });

  test('spaces, dots and letters of other scripts are letters like any other', (t) => {
    const { folder, enrol, found } = land(t);
    folder('mein Projekt ünïcode .. x/src');
    enrol('mein Projekt ünïcode .. x');
    assert.equal(found('mein Projekt ünïcode .. x/src'), 'mein Projekt ünïcode .. x');
  });

  test('a working directory that is gone is in no project', (t) => {
    const { enrol, found } = land(t);
    enrol('a');
    assert.equal(found('a/gone'), undefined);
  });
});

describe('a project that is named', () => {
  test('wins over the session\'s and over the working directory', (t) => {
    const { root, folder, enrol, found } = land(t);
    folder('here');
    enrol('here');
    const [named, session] = [folder('named'), folder('session')];
    assert.equal(found('here', { named, session }), 'named');
    assert.equal(found('here', { session }), 'session');
    assert.equal(found('here', { named: join(root, 'x/../named/') }), 'named');
  });

  test('is its real directory, through whatever link it was named', (t) => {
    const { root, folder, found } = land(t);
    folder('real');
    symlinkSync(join(root, 'real'), join(root, 'link'));
    assert.equal(found('', { named: join(root, 'link') }), 'real');
  });

  test('must be a directory that exists', (t) => {
    const { root, found } = land(t);
    writeFileSync(join(root, 'file'), '');
    for (const [named, message] of [
      [join(root, 'gone'), `Cannot use the project "${root}/gone": there is no such directory`],
      [join(root, 'file'), `Cannot use the project "${root}/file": it is not a directory`],
      [join(root, 'file/below'), `Cannot use the project "${root}/file/below": there is no such directory`],
    ] as const) {
      assert.throws(() => found('', { named }), (error) => error instanceof LokiError && error.code === 'project.unknown' && error.message === message);
      assert.throws(() => found('', { session: named }), { message });
    }
  });
});

describe('a git worktree', () => {
  function repository(root: string): (...args: readonly string[]) => string {
    return (...args) => execFileSync(git ?? '', args, { cwd: root, encoding: 'utf8', timeout: 20_000, env: { PATH: process.env['PATH'], HOME: root, GIT_CONFIG_NOSYSTEM: '1', GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@example.invalid', GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@example.invalid' } });
  }

  test('counts as its main checkout', (t) => {
    if (git === undefined) return t.diagnostic('git is not installed');
    const { root, folder, enrol, found } = land(t);
    const run = repository(folder('main'));
    run('init', '-q', '-b', 'trunk');
    run('commit', '-q', '--allow-empty', '-m', 'first');
    run('worktree', 'add', '-q', join(root, 'elsewhere/tree'), '-b', 'side');
    folder('elsewhere/tree/src');
    enrol('main');
    assert.equal(found('elsewhere/tree'), 'main');
    assert.equal(found('elsewhere/tree/src'), 'main');
    assert.equal(found('elsewhere'), undefined);
    assert.equal(currentBranch(disk, join(root, 'main')), 'trunk');
    return undefined;
  });

  /** Writes the `.git` file of `tree`, and where `main` says its worktree lies. */
  function plant(root: string, pointer: string, back?: string): void {
    mkdirSync(join(root, 'tree'), { recursive: true });
    writeFileSync(join(root, 'tree/.git'), pointer);
    if (back === undefined) return;
    mkdirSync(join(root, 'main/.git/worktrees/tree'), { recursive: true });
    writeFileSync(join(root, 'main/.git/worktrees/tree/gitdir'), back);
  }

  test('that both sides name is adopted', (t) => {
    const { root, enrol, found } = land(t);
    enrol('main');
    plant(root, `gitdir: ${root}/main/.git/worktrees/tree\n`, `${root}/tree/.git\n`);
    assert.equal(found('tree'), 'main');
    plant(root, 'gitdir: ../main/.git/worktrees/tree\n');
    assert.equal(found('tree'), 'main', 'a relative pointer is seen from the worktree');
  });

  test('inside an enrolled project belongs to that project, whose checkout it may be', (t) => {
    const { root, enrol, found } = land(t);
    enrol('tree');
    mkdirSync(join(root, 'tree/sub'), { recursive: true });
    writeFileSync(join(root, 'tree/sub/.git'), `gitdir: ${root}/main/.git/worktrees/sub\n`);
    mkdirSync(join(root, 'main/.git/worktrees/sub'), { recursive: true });
    writeFileSync(join(root, 'main/.git/worktrees/sub/gitdir'), `${root}/tree/sub/.git\n`);
    mkdirSync(join(root, 'main/.loki'));
    assert.equal(found('tree/sub'), 'tree');
    enrol('main');
    assert.equal(found('tree/sub'), 'tree', 'an enrolled main checkout changes nothing');
  });

  test('that brings a .loki of its own has its main checkout\'s all the same', (t) => {
    const { root, folder, found } = land(t);
    plant(root, `gitdir: ${root}/main/.git/worktrees/tree\n`, `${root}/tree/.git\n`);
    folder('tree/.loki');
    assert.equal(found('tree'), 'tree', 'the main checkout has none');
    folder('main/.loki');
    assert.equal(found('tree'), 'main');
  });

  test('that only points is not: a planted .git file adopts nobody\'s project', (t) => {
    const { root, folder, enrol, found } = land(t);
    enrol('main');
    for (const [pointer, back] of [
      ['', undefined], ['gitdir: ', undefined], ['gitdir: /nowhere/.git/worktrees/x', undefined], [`gitdir: ${root}/main/.git/worktrees/tree`, undefined],
      [`gitdir: ${root}/main/.git/worktrees/tree`, ''], [`gitdir: ${root}/main/.git/worktrees/tree`, `${root}/another/.git\n`],
      [`gitdir: ${root}/main/.git/worktrees/tree`, `${root}/gone/.git\n`], [`gitdir: ${root}/main/.git`, undefined],
      [`x gitdir: ${root}/main/.git/worktrees/tree`, `${root}/tree/.git`],
    ] as const) {
      rmSync(join(root, 'main/.git'), { recursive: true, force: true });
      folder('another');
      plant(root, pointer, back);
      assert.equal(found('tree'), undefined, JSON.stringify([pointer, back]));
    }
  });

  test('whose .git file is far too long, or no text, is read no further', (t) => {
    const { root, found } = land(t);
    plant(root, 'x'.repeat(100_000));
    assert.throws(() => found('tree'), { message: new RegExp('^Cannot read ".*/tree/.git": it has 100000 bytes, at most 8192 are read$') });
  });
});

test('the branch is read from the file, and is not there outside git', (t) => {
  const { root, folder } = land(t);
  assert.equal(currentBranch(disk, root), undefined);
  folder('.git');
  writeFileSync(join(root, '.git/HEAD'), 'ref: refs/heads/loki/session-1\n');
  assert.equal(currentBranch(disk, root), 'loki/session-1');
  writeFileSync(join(root, '.git/HEAD'), `${'a'.repeat(40)}\n`);
  assert.equal(currentBranch(disk, root), 'HEAD');
});
