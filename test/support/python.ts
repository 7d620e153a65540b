/** Python for programs of the documents; undefined where there is none. */
import { spawnSync } from 'node:child_process';

const { status, stdout } = spawnSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' });

/** The interpreter itself: what goes by its name may be a script that looks for it, for longer than the program takes. */
export const python: string | undefined = status === 0 ? stdout.trim() : undefined;
