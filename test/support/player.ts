/** The player as a program, for tests of runs that start it as a child: `player SCRIPT`. */
import { readFileSync } from 'node:fs';
import { createHost } from '../../lib/host/host.ts';
import { play } from '../../lib/runs/play.ts';
import { endWithoutArguments } from './program.ts';

endWithoutArguments();
const [, , filename = ''] = process.argv;
const { disk, spawn, timers } = createHost(() => '/');
await play({
  filename, script: readFileSync(filename, 'utf8'), env: process.env,
  ports: { disk, spawn, timers, print: (line) => process.stdout.write(`${line}\n`) },
});
