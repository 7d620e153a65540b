/** What a check found, as a person reads it: its status, what was found, and what repairs it. */
import type { Outcome, Status } from '../lib/app/doctor/check.ts';
import { printable, type Colour, type Paint } from './output.ts';

const looks: Readonly<Record<Status, readonly [word: string, colour: Colour]>> = { ok: ['ok  ', 'green'], warn: ['warn', 'yellow'], fail: ['FAIL', 'red'] };

/** Lines of one finding; `width` is that of the longest check's name. */
export function findingLines({ check, status, found, repair }: Outcome & { readonly check: string }, width: number, paint: Paint): readonly string[] {
  const [word, colour] = looks[status];
  return [
    `  ${paint(colour, word)}  ${check.padEnd(width)}  ${printable(found)}`,
    ...(repair === undefined ? [] : [`        ${' '.repeat(width)}  ${paint('cyan', 'repair:')} ${printable(repair)}`]),
  ];
}
