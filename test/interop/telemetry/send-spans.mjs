/** `node send-spans.mjs ours|theirs URL COUNT`: a process that makes and sends spans, and says what it took: JSON on one line. */
import { performance } from 'node:perf_hooks';

const [who, url, count] = process.argv.slice(2);
const { send } = await import(who === 'ours' ? './ours.mjs' : './theirs.mjs');
// The first ones pay for what is compiled and connected.
await send(url, 2048);
const before = process.cpuUsage();
const start = performance.now();
await send(url, Number(count));
const { user, system } = process.cpuUsage(before);
console.log(JSON.stringify({ cpuMs: (user + system) / 1000, ms: performance.now() - start, memoryMb: process.memoryUsage.rss() / 1048576 }));
process.exit(0);
