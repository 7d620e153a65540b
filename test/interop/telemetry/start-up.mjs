/** `node start-up.mjs ours|theirs|nobody`: loads what makes spans and begins one, and says how long the process took until then and what it loaded. */
import { register } from 'node:module';
import { createRequire } from 'node:module';
import { performance } from 'node:perf_hooks';

const [who, counts] = process.argv.slice(2);
const urls = new Set();
if (counts === 'count') {
  const { port1, port2 } = new MessageChannel();
  port1.on('message', (url) => { urls.add(url); }).unref();
  const hooks = 'let port; export const initialize = (data) => { port = data; }; export const load = (url, context, next) => { if (url.startsWith("file:")) port.postMessage(url); return next(url, context); };';
  register(`data:text/javascript,${encodeURIComponent(hooks)}`, { data: port2, transferList: [port2] });
}
/** As a program of somebody's does it: ours by its public entry. */
const starts = {
  nobody: () => undefined,
  ours: async () => (await import('../../../dist/lib/entry/telemetry.js')).createTelemetry({ endpoint: 'http://127.0.0.1:9', env: {} }).tracer.startSpan('a').end(),
  theirs: async () => (await import('./theirs.mjs')).makeAndDrop()(1),
};
const memory = process.memoryUsage.rss();
await starts[who]();
const ms = performance.now();
await new Promise((done) => { setTimeout(done, counts === 'count' ? 50 : 0); });
const required = Object.keys(createRequire(import.meta.url).cache ?? {});
console.log(JSON.stringify({ ms, modules: new Set([...urls, ...required.map((path) => `file://${path}`)]).size, memoryMb: (process.memoryUsage.rss() - memory) / 1048576 }));
