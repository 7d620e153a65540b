/**
 * E-mail addresses (RFC 5321 without quoted local parts and address literals). The account in a URL or in `git@host:path` is
 * none, and neither is what only looks like one: a version after a package's name, the name of an image for finer screens.
 */
import type { Hit } from '../matcher.ts';
import { characters, runEnd } from '../matcher.ts';
import type { Examples } from './identifier.ts';

const local = characters("A-Za-z0-9._%+'-");
const domain = characters('A-Za-z0-9.-');
const longestLocal = 64;
const longestDomain = 255;
const longestScheme = 80;

/** Last parts of file names that follow an `@`, none of which is a top-level domain in use for mail. */
const fileEndings: ReadonlySet<string> = new Set(['png', 'jpg', 'jpeg', 'gif', 'svg', 'webp', 'avif', 'ico', 'js', 'mjs', 'cjs', 'ts', 'mts', 'cts', 'jsx', 'tsx', 'css', 'scss', 'less', 'json', 'html', 'tgz', 'gz', 'tar', 'whl', 'jar', 'dll', 'lock', 'yml', 'yaml', 'service', 'target', 'timer', 'socket', 'local']);

export const emailExamples: Examples = {
  match: ['write to jane.doe+x@mail.example.org.', 'mailto:a.b@c-d.co', '<o\'brien@post.ie>', 'a@xn--d1acufc.xn--p1ai', 'jane@firma.museum,joe@firma.museum'],
  ignore: ['a @ b and @decorator', '@scope/name@1.2.3', 'icon@2x.png', 'git@github.com:org/repo.git', 'ssh://deploy@host.example.com/x', 'postgres://admin:pw@db.internal.net/app', 'a..b@example.com', 'jane@localhost', 'jane@example.'],
};

/** The address around the `@` at `at`. */
export function emailAt(text: string, at: number): Hit | undefined {
  let from = at;
  while (from > 0 && at - from <= longestLocal && local[text.charCodeAt(from - 1)] === 1) from -= 1;
  while (from < at && /['.-]/.test(text.charAt(from))) from += 1;
  const name = text.slice(from, at);
  if (name === '' || name.length > longestLocal || name.endsWith('.') || name.includes('..') || name === 'git') return undefined;
  const host = text.slice(at + 1, runEnd(text, at + 1, domain, longestDomain)).replace(/[.-]+$/, '');
  if (!isMailHost(host) || isUrlAccount(text, from)) return undefined;
  return { rule: 'email', offset: from, length: name.length + 1 + host.length, confidence: 'high' };
}

function isMailHost(host: string): boolean {
  const labels = host.split('.');
  const last = labels[labels.length - 1] ?? '';
  if (labels.length < 2 || labels.length > 10 || !/^(?:[A-Za-z]{2,24}|xn--[A-Za-z0-9-]{2,59})$/.test(last) || fileEndings.has(last.toLowerCase())) return false;
  return labels.every((label) => label.length <= 63 && /^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?$/.test(label));
}

/** Whether what stands before is the beginning of a URL: `ssh://`, or `postgres://admin:`. */
function isUrlAccount(text: string, from: number): boolean {
  const before = text.slice(Math.max(0, from - longestScheme), from);
  return /:\/\/(?:[^\s/@]{0,64}:)?$/.test(before);
}
