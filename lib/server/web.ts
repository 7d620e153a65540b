/**
 * The files of the web page: a fixed table, read once at start. What a browser asks for is looked up in it and never
 * becomes a path on disk.
 */
import { sha256Hex } from '../base/digest.ts';
import type { Handler } from './message.ts';
import { matches } from './respond.ts';

interface WebFile {
  readonly path: string;
  readonly name: string;
  readonly type: string;
}

const script = 'text/javascript; charset=utf-8';

export const webFiles: readonly WebFile[] = [
  { path: '/', name: 'index.html', type: 'text/html; charset=utf-8' },
  { path: '/device', name: 'device.html', type: 'text/html; charset=utf-8' },
  { path: '/device.js', name: 'device.js', type: script },
  { path: '/style.css', name: 'style.css', type: 'text/css; charset=utf-8' },
  { path: '/favicon.svg', name: 'favicon.svg', type: 'image/svg+xml' },
  { path: '/app.js', name: 'app.js', type: script },
  { path: '/api.js', name: 'api.js', type: script },
  { path: '/dom.js', name: 'dom.js', type: script },
  { path: '/audit.js', name: 'audit.js', type: script },
  { path: '/runs.js', name: 'runs.js', type: script },
  { path: '/timeline.js', name: 'timeline.js', type: script },
  { path: '/words.js', name: 'words.js', type: script },
];

/** Answers one file. A browser asks each time whether it changed, so a new version is seen at once. */
export function webFile({ name, type }: WebFile, readWebFile: (name: string) => Uint8Array): Handler {
  const body = readWebFile(name);
  const tag = `"${sha256Hex(body).slice(0, 32)}"`;
  const headers = { 'Content-Type': type, 'Cache-Control': 'no-cache', ETag: tag };
  return async (request) => {
    if (matches(request.headers.get('if-none-match') ?? '', tag)) return { status: 304, headers };
    return { status: 200, headers, body };
  };
}
