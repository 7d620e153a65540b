import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { hasEnded, stateOf, step, transitions, type Move, type Position, type RunState } from '../../lib/runs/state.ts';
import { packageRoot } from '../support/root.ts';

const states: readonly RunState[] = ['pending', 'REASON', 'ACT', 'REFLECT', 'VERIFY', 'paused', 'completed', 'failed', 'cancelled'];
const moves: readonly Move[] = ['begin', 'done', 'approve', 'reject', 'pause', 'continue', 'take_up', 'stop', 'fail'];

function at(state: RunState): Position {
  if (state === 'REASON' || state === 'ACT' || state === 'REFLECT' || state === 'VERIFY') return { status: 'running', phase: state, iteration: 2 };
  return { status: state, phase: state === 'pending' ? null : 'ACT', iteration: state === 'pending' ? 0 : 2 };
}

test('each pair of state and move is one row of the table, or refused', () => {
  assert.equal(new Set(transitions.map(([from, move]) => `${from} ${move}`)).size, transitions.length);
  for (const from of states) {
    for (const move of moves) {
      const row = transitions.find(([one, by]) => one === from && by === move);
      if (row === undefined) {
        assert.throws(() => step(at(from), move), { code: 'internal', message: `Cannot move a run from "${from}" by "${move}": the table has no such move` });
      } else {
        assert.equal(stateOf(step(at(from), move)), row[2] === 'its phase' ? 'ACT' : row[2]);
      }
    }
  }
});

test('an ended run never moves, and every other can be stopped and can fail', () => {
  for (const state of states) {
    const out = transitions.filter(([from]) => from === state).map(([, move]) => move);
    if (hasEnded(at(state).status)) assert.deepEqual(out, []);
    else assert.ok(out.includes('stop') && out.includes('fail'), state);
  }
});

test('only begin and reject begin a round', () => {
  assert.deepEqual(step(at('pending'), 'begin'), { status: 'running', phase: 'REASON', iteration: 1 });
  assert.deepEqual(step(at('VERIFY'), 'reject'), { status: 'running', phase: 'REASON', iteration: 3 });
  assert.deepEqual(step(at('ACT'), 'take_up'), at('ACT'));
  assert.deepEqual(step(at('ACT'), 'fail'), { status: 'failed', phase: 'ACT', iteration: 2 });
});

test('docs/runs.md prints the table as it is', (t) => {
  const manual = join(packageRoot, 'docs', 'runs.md');
  if (!existsSync(manual)) return t.diagnostic('docs/ is not here: the table was not compared');
  const rows = transitions.map(([from, move, to]) => `| ${from} | ${move} | ${to} |`);
  const page = readFileSync(manual, 'utf8').split('\n').filter((line) => /^\| (?:pending|paused|REASON|ACT|REFLECT|VERIFY) \| \w+ \| [\w ]+ \|$/.test(line));
  return assert.deepEqual(page, rows);
});
