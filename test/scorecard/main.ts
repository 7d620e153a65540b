/**
 * `npm run scorecard [-- --corpora DIR] [--json] [--print]`: what the judge and the scanners make of public corpora, with the hashes
 * of those files, and how fast they are. Writes docs/scorecard.md unless told only to print. A corpus may be there whole
 * (`gitleaks-tp.jsonl`) or as a sample (`gitleaks-tp-sample.jsonl`); one that is not there is said to be missing.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { packageRoot } from '../support/root.ts';
import { scorecardText, type Scorecard } from './page.ts';
import { piiFigures } from './pii.ts';
import { secretFigures, type SecretVector } from './secrets.ts';
import { scoreShell, shellVectors } from './shell.ts';
import { measureSpeed } from './speed.ts';

// `node --test` without names starts this file too, and a scorecard is no test.
if (process.env['NODE_TEST_CONTEXT'] !== undefined) process.exit(0);

const words = process.argv.slice(2);
const at = words.indexOf('--corpora');
const folder = resolve(at < 0 ? join(packageRoot, '..', 'shared', 'corpora') : words[at + 1] ?? '.');

interface Corpus { readonly file: string; readonly path: string; readonly text: string; readonly sha256: string; readonly lines: number }

function corpus(stem: string): Corpus | undefined {
  const path = [`${stem}.jsonl`, `${stem}-sample.jsonl`].map((name) => join(folder, name)).find((name) => existsSync(name));
  if (path === undefined) return undefined;
  const bytes = readFileSync(path);
  const text = bytes.toString('utf8');
  return { file: basename(path), path, text, sha256: createHash('sha256').update(bytes).digest('hex'), lines: text.trimEnd().split('\n').length };
}

function secretVectors({ text }: Corpus): readonly SecretVector[] {
  return text.trimEnd().split('\n').map((line): SecretVector => JSON.parse(line));
}

function measure(): Scorecard {
  const [shell, secretsTp, secretsFp, piiTp, piiFp] = ['shell-commands', 'gitleaks-tp', 'gitleaks-fp', 'presidio-tp', 'presidio-fp'].map(corpus);
  return {
    corpora: [shell, secretsTp, secretsFp, piiTp, piiFp].flatMap((each) => each === undefined ? [] : [{ file: each.file, lines: each.lines, sha256: each.sha256 }]),
    machine: `Node.js ${process.version}, ${process.platform}, ${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores`,
    ...(shell === undefined ? {} : { shell: scoreShell(shellVectors(shell.text)) }),
    ...(secretsTp === undefined || secretsFp === undefined ? {} : { secrets: secretFigures(secretVectors(secretsTp), secretVectors(secretsFp)) }),
    ...(piiTp === undefined || piiFp === undefined ? {} : { pii: piiFigures(piiTp.path, piiFp.path) }),
    speed: measureSpeed(),
  };
}

const card = measure();
const text = scorecardText(card);
if (words.includes('--json')) console.log(JSON.stringify(card, (_key, value: unknown) => value instanceof Map ? Object.fromEntries(value) : value, 2));
else console.log(text);
if (card.corpora.length === 0) console.error(`warning: no corpus was found in ${folder}; name their folder with --corpora DIR`);
else if (!words.includes('--print')) writeFileSync(join(packageRoot, 'docs', 'scorecard.md'), text);
