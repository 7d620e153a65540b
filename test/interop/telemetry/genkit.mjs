/** Genkit's receiver of OTLP as a process of its own: `node genkit.mjs PORT FOLDER`. */
import { createRequire } from 'node:module';

// Its package says that it has modules; what it has is CommonJS.
const { LocalFileLogStore, LocalFileTraceStore, startTelemetryServer } = createRequire(import.meta.url)('@genkit-ai/telemetry-server');
const [port, folder] = process.argv.slice(2);
const places = { storeRoot: folder, indexRoot: folder };
await startTelemetryServer({ port: Number(port), traceStore: new LocalFileTraceStore(places), logStore: new LocalFileLogStore(places) });
