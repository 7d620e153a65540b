/**
 * Where `loki hook` begins. An agent waits for each answer, and loading a hundred modules is most of the time it takes: the
 * build replaces this file by one that holds all of them (docs/decisions/0005). Nothing that is loaded beside that file may
 * import from lib/, or there would be two of what should be one.
 */
import type { Terminal } from '../lib/host/terminal.ts';
import { hookGroup, hookTable } from './hook-table.ts';
import { main } from './main.ts';

/** Answers one hook event; see `main`. */
export function answerHook(terminal: Terminal): Promise<number> {
  return main(terminal, hookTable, [hookGroup]);
}
