/**
 * Asks two questions 300 ms apart at the terminal it is started in, and prints the answers as JSON. `withdraw`: the first one
 * is withdrawn after 600 ms, the second is put 300 ms after that.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { terminal } from '../../lib/host/terminal.ts';

const withdrawn = new AbortController();
if (terminal.argv[0] === 'withdraw') setTimeout(() => withdrawn.abort(), 600);
const first = await terminal.ask('First? ', withdrawn.signal);
await sleep(300);
const second = await terminal.ask('Second? ');
terminal.stdout.write(`${JSON.stringify({ first: first ?? null, second: second ?? null })}\n`);
await terminal.finish(0);
