import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandHelp, groupHelp, rootHelp } from '../../cli/help.ts';
import { globalFlags } from '../../cli/global-flags.ts';
import { loadCommands } from '../../cli/reference.ts';
import { commandTable, groupTable } from '../../cli/table.ts';

const commands = await loadCommands();

test('every line of help fits the width, but for words that cannot be broken', () => {
  for (const width of [40, 60, 100]) {
    const texts = [rootHelp(commandTable, width), ...groupTable.map((group) => groupHelp(group, commandTable, width)), ...commands.map(({ row, command }) => commandHelp(row, command, width))];
    for (const line of texts.flatMap((text) => text.split('\n'))) {
      const example = /^ {2}\S/.test(line);
      assert.ok(line.length <= width || example, `width ${width}: ${line}`);
      assert.equal(line, line.trimEnd());
    }
  }
});

test('the help of each command shows its usage, its flags, its operands, an example and its exit codes', () => {
  for (const { row, command } of commands) {
    const text = commandHelp(row, command, 100);
    assert.ok(text.includes(`Usage: loki ${row.name}`), row.name);
    for (const { name } of [...command.flags, ...globalFlags]) assert.ok(text.includes(`--${name}`), `${row.name} --${name}`);
    for (const { name } of command.operands) assert.ok(text.includes(name), `${row.name} ${name}`);
    assert.ok(command.examples.length > 0, `${row.name} has an example`);
    for (const [line] of command.examples) assert.ok(line.includes(`loki ${row.name}`), `the example "${line}" is one of ${row.name}`);
    assert.match(text, /\nExit codes:\n {2}0 /);
  }
});

test('hidden commands are in no list', () => {
  assert.ok(!/\bplay\b/.test(rootHelp(commandTable, 100)));
});

test('no command declares a flag or a short letter twice, or one of every command', () => {
  for (const { row, command } of commands) {
    const flags = [...command.flags, ...globalFlags];
    const names = flags.map(({ name }) => name);
    const letters = flags.flatMap(({ short }) => short ?? []);
    assert.equal(new Set(names).size, names.length, row.name);
    assert.equal(new Set(letters).size, letters.length, row.name);
    assert.ok(flags.every(({ name }) => /^[a-z][a-z-]*$/.test(name)), row.name);
  }
});

test('only the last operand takes all that are left, and a required one never follows an optional one', () => {
  for (const { row, command: { operands } } of commands) {
    assert.ok(operands.slice(0, -1).every(({ repeated }) => repeated === undefined), row.name);
    const firstOptional = operands.findIndex(({ required }) => required === undefined);
    assert.ok(firstOptional < 0 || operands.slice(firstOptional).every(({ required }) => required === undefined), row.name);
  }
});

test('every command of more than one word stands in a group, and every group holds a command', () => {
  for (const { name } of commandTable) {
    const words = name.split(' ');
    for (let length = 1; length < words.length; length += 1) assert.ok(groupTable.some((group) => group.name === words.slice(0, length).join(' ')), name);
  }
  for (const group of groupTable) assert.ok(commandTable.some(({ name }) => name.startsWith(`${group.name} `)), group.name);
});

test('summaries and meanings are sentences without an end, and exit codes are those of the contract', () => {
  const known = [0, 1, 2, 3, 4, 5, 6, 7, 8, 130];
  for (const { row, command } of commands) {
    assert.ok(!row.summary.endsWith('.'), row.name);
    assert.match(command.about, /\.$/, row.name);
    for (const { summary } of [...command.flags, ...command.operands]) assert.ok(!summary.endsWith('.') && summary !== '', row.name);
    for (const [code] of command.exits) assert.ok(known.includes(code), `${row.name} ${code}`);
  }
});
