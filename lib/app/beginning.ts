/** What must be there before a session begins: a document, and commands that a person has confirmed. */
import { LokiError } from '../errors.ts';
import { join } from '../base/paths.ts';
import { trustState } from './enrol.ts';
import type { Installation } from './installation.ts';

/** Looked for in the project when no document is named. */
export const usualDocuments = ['prd.md', 'PRD.md', 'docs/prd.md', 'docs/PRD.md'] as const;

/** The project's document by its usual name. Throws `usage` where there is none. */
export function usualDocument({ host: { disk } }: Installation, dir: string): string {
  const found = usualDocuments.map((name) => join(dir, name)).find((path) => disk.stat(path)?.kind === 'file');
  if (found !== undefined) return found;
  throw new LokiError('usage', { attempted: 'start a session', found: `no requirements document is named, and there is no ${usualDocuments[0]}`, hint: 'Name one: loki start PRD' });
}

/** Throws `config.untrusted` with every command that nobody has confirmed. */
export function assertTrusted(installation: Installation): void {
  const { commands, confirmed } = trustState(installation);
  if (confirmed) return;
  throw new LokiError('config.untrusted', {
    attempted: 'start a session', found: 'nobody has confirmed the commands that the project\'s configuration names',
    problems: commands.map(({ what, command: line }) => ({ message: `${what}: ${line}` })),
  });
}
