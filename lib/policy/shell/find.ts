/** What `find` is told: where it looks, what it deletes or writes, and the commands it starts on what it finds. */
import { literalWord } from './tree.ts';
import type { Word } from './tree.ts';

export interface Find {
  readonly places: readonly Word[];
  /** Patterns of what it finds: the places themselves without a name to go by. */
  readonly found: readonly Word[];
  /** A name narrows what it finds. */
  readonly named: boolean;
  readonly deletes: boolean;
  readonly writes: readonly Word[];
  /** Commands, `{}` in them as it stands. */
  readonly runs: readonly (readonly Word[])[];
}

/** Tests and actions that take the next word. */
const withValue = /^-(?:amin|anewer|atime|cmin|cnewer|context|ctime|fstype|gid|group|i?lname|i?name|i?path|i?regex|i?wholename|inum|links|maxdepth|mindepth|mmin|mtime|newer\w*|perm|printf|regextype|samefile|size|type|uid|used|user|xtype|files0-from)$/;

/** `words` are all that find is given. */
export function findParts(words: readonly Word[]): Find {
  const test = words.findIndex((word) => /^[-(!]/.test(word.text) && !/^-[HLPOD]/.test(word.text));
  const roots = (test < 0 ? words : words.slice(0, test)).filter((word) => !word.text.startsWith('-'));
  const places = roots.length > 0 ? roots : [literalWord('.')];
  const [names, writes, runs]: [Word[], Word[], (readonly Word[])[]] = [[], [], []];
  let [deletes, negated] = [false, false];
  for (let at = Math.max(0, test); at < words.length; at += 1) {
    const { text } = words[at] ?? literalWord('');
    if (/^-(?:exec|ok)(?:dir)?$/.test(text)) {
      const end = words.findIndex((word, index) => index > at && (word.text === ';' || (word.text === '+' && words[index - 1]?.text === '{}')));
      runs.push(words.slice(at + 1, end < 0 ? undefined : end));
      at = end < 0 ? words.length : end;
    } else if (/^-(?:fprint0?|fprintf|fls)$/.test(text)) writes.push(...words.slice(at + 1, at + 2));
    else if (text === '-delete') deletes = true;
    else if (withValue.test(text)) {
      const value = words[at + 1];
      if (/^-i?name$/.test(text) && value !== undefined && !negated) names.push(value);
      at += 1;
    }
    negated = text === '!' || text === '-not';
  }
  const found = names.length === 0 ? places : places.flatMap((place) => names.map((name) => ({ ...name, text: `${place.text.replace(/\/+$/, '')}/**/${name.text}`, pattern: true, dynamic: name.dynamic || place.dynamic })));
  return { places, found, named: names.length > 0, deletes, writes, runs };
}
