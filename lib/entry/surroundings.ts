/** What the library assumes about the process that imports it. */
import { terminal } from '../host/terminal.ts';
import type { Surroundings } from '../app/installation.ts';

/** The process's environment, working directory and home. */
export function ownSurroundings(): Surroundings {
  return { env: terminal.env, cwd: terminal.cwd, homeDirectory: terminal.homeDirectory };
}
