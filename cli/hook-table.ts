/** The commands that answer agents. They stand apart from the rest of the table because the build joins them into one file. */
import type { CommandRow, GroupRow } from './table.ts';

export const hookGroup: GroupRow = { name: 'hook', summary: 'Answer one hook event of a coding agent' };

export const hookTable: readonly CommandRow[] = [
  { name: 'hook generic', summary: 'Judge one action given as JSON on stdin', answersAgent: true, load: () => import('./commands/hook-generic.ts') },
];
