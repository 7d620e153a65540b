/** `loki-enterprise`: the version and the error class. Importing it opens no file, no socket and no timer. */
export { version } from './app/version.ts';
export { LokiError } from './errors.ts';
export type { ErrorCode, Problem } from './errors.ts';
