/** The flags that every command takes. They stand alone because help needs nothing else of the parser. */
import type { FlagRow } from './command.ts';

export const globalFlags: readonly FlagRow[] = [
  { name: 'project', kind: 'text', value: 'DIR', summary: 'The project to work on, instead of the one around the working directory' },
  { name: 'json', kind: 'switch', summary: 'Print the result as JSON, and errors as JSON on stderr' },
  { name: 'quiet', short: 'q', kind: 'switch', summary: 'No messages but errors' },
  { name: 'no-color', kind: 'switch', summary: 'No colours (NO_COLOR does the same)' },
  { name: 'help', short: 'h', kind: 'switch', summary: 'Explain the command' },
];
