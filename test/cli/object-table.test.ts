/** Tables of objects: what stands in them at which width. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { column } from '../../cli/objects/resource.ts';
import { displayWidth, tableOf } from '../../cli/objects/table.ts';
import { createOutput } from '../../cli/output.ts';
import { fakeTerminal } from '../support/fake-terminal.ts';

const columns = [column('ID', 'id'), column('NAME', 'name', 'shrinks'), column('TITLE', 'title', 'shrinks'), column('STATUS', 'status')];
const objects = [
  { id: 'tsk_1', name: 'short', title: 'A title that goes on and on and on, as titles do', status: 'pending' },
  { id: 'tsk_2', name: '名前はとても長い名前です', title: 'e\u0301\u0301 \u001b[31mred\u0007', status: 'failed' },
];

function lines(width: number | undefined, plain = true): readonly string[] {
  const { out } = createOutput(fakeTerminal({ isTerminal: width !== undefined, columns: width ?? 80 }), { json: false, quiet: false, plain });
  const { head, lines: rest } = tableOf(objects, columns, out);
  return [head, ...rest];
}

test('no line is wider than the terminal, at any width, and the columns stand in line', () => {
  for (let width = 1; width <= 130; width += 1) for (const line of lines(width)) assert.ok(displayWidth(line) <= width, `${width}: ${line}`);
  const [head = '', first = ''] = lines(60);
  assert.equal(first.slice(0, head.indexOf('STATUS')).trimEnd().endsWith('…'), true);
  assert.equal(first.slice(head.indexOf('STATUS')), 'pending');
  assert.match(first, /^tsk_1 {2}/);
});

test('where nobody looks nothing is cut; what a terminal would act on is shown as an escape', () => {
  const [, first = '', second = ''] = lines(undefined);
  assert.match(first, /as titles do {2}pending$/);
  assert.match(second, /\\u001b\[31mred\\u0007/);
  assert.doesNotMatch(lines(40, false).join('\n'), /\u001b\[31mred|\u0007/);
});

test('widths are those of a terminal: double for Han and emoji, none for marks', () => {
  assert.deepEqual(['abc', '名前', 'e\u0301', '🚀', ''].map(displayWidth), [3, 4, 1, 2, 0]);
  assert.equal(tableOf([{ id: 'x' }], [column('ID', 'id')], createOutput(fakeTerminal(), { json: false, quiet: false, plain: true }).out, [9]).widths[0], 9, 'columns do not move once they are shown');
});
