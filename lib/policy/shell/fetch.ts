/** What a download program is told: the files it writes and reads, and the addresses it calls. */
import { basename } from '../../base/paths.ts';
import type { Word } from './tree.ts';

export interface Fetched {
  readonly writes: readonly Word[];
  readonly reads: readonly Word[];
  readonly addresses: readonly Word[];
}

const outputs = /^(?:-[A-Za-z]*o|--output|--output-document|--output-dir|-P|--directory-prefix|-D|-c|--cookie-jar|--dump-header|--trace|--trace-ascii|--stderr|--etag-save|--hsts|--libcurl)$/;
/** Options with their value in the same word. */
const joined = /^(--(?:output|output-document|output-dir|directory-prefix|cookie-jar|dump-header|trace|trace-ascii|stderr|etag-save|hsts|libcurl)=|-[A-Za-z]*o(?=[^A-Za-z])|-O(?=[^-\s])|-P)(.+)$/;
const uploads = /^(?:-[dFT]|--data(?:-\w+)?|--form|--upload-file|--json)$/;
const flagsAlone = /^(?:-[sSLfkvIiNgqOJ#]+|--(?:silent|location|fail|insecure|verbose|head|include|compressed|show-error|remote-name|quiet|globoff))$/;

/** The parts of `curl`, `wget` and their kin. */
export function fetched(words: readonly Word[]): Fetched {
  const [writes, reads, addresses]: [Word[], Word[], Word[]] = [[], [], []];
  const named = words.some(({ text }) => /^(?:-[A-Za-z]*[OJ][A-Za-z]*|--remote-name(?:-all)?)$/.test(text));
  for (const [at, word] of words.entries()) {
    const { text } = word;
    const before = words[at - 1]?.text ?? '';
    const inWord = joined.exec(text)?.[2];
    const sent = /^--(?:data[\w-]*|json|form|upload-file|config|post-file|body-file|input-file)=(.*)$/s.exec(text)?.[1];
    if (sent !== undefined && (sent.includes('@') || /^--(?:upload|config|post-file|body-file|input)/.test(text))) reads.push({ ...word, text: sent.slice(sent.indexOf('@') + 1) });
    if (inWord !== undefined) writes.push({ ...word, text: inWord });
    if (outputs.test(before) || (/^-[A-Za-z]*O$/.test(before) && !text.startsWith('-') && !isAddress(text))) writes.push(word);
    if (uploads.test(before) && text.includes('@')) reads.push({ ...word, text: text.slice(text.indexOf('@') + 1) });
    else if (/^(?:-T|--upload-file|-K|--config|-i|--input-file|--post-file|--body-file|--unix-socket)$/.test(before) && !isAddress(text)) reads.push(word);
    const socket = /^--unix-socket=(.+)$/.exec(text)?.[1];
    if (socket !== undefined) reads.push({ ...word, text: socket });
    if (text === '' || text.startsWith('-')) continue;
    if (isAddress(text) || !/^-/.test(before) || flagsAlone.test(before)) addresses.push(word);
    if (named && isAddress(text)) writes.push({ ...word, text: basename(text.replace(/[?#].*$/, '')) });
  }
  return { writes, reads, addresses };
}

/** A URL, or a host with a port. */
function isAddress(text: string): boolean {
  return text.includes('://') || /^[\w.:[\]-]*:\d{2,5}(?:\/|$)/.test(text);
}
