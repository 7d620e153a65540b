/** A scratch folder for the sample: beside the package where that can be written, else in the system's temporary folder. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import { join } from '../base/paths.ts';

export interface Scratch {
  /** A private directory in it; made when missing. */
  directory(name: string): string;
  /** The newest numbered copy, or undefined. */
  newestCopy(prefix: string): string | undefined;
  /** A new numbered copy of a folder. */
  copy(from: string, prefix: string): string;
  copyFile(from: string, to: string): void;
}

export function createScratch(wanted: string): Scratch {
  const root = fs.realpathSync(makeRoot(wanted)).replaceAll('\\', '/');
  const numbers = (prefix: string): readonly number[] => fs.readdirSync(root)
    .filter((name) => name.startsWith(prefix)).map((name) => Number(name.slice(prefix.length))).filter(Number.isInteger).sort((a, b) => a - b);
  return {
    directory(name) {
      fs.mkdirSync(join(root, name), { recursive: true, mode: 0o700 });
      return join(root, name);
    },
    newestCopy(prefix) {
      const newest = numbers(prefix).at(-1);
      return newest === undefined ? undefined : join(root, `${prefix}${newest}`);
    },
    copy(from, prefix) {
      const to = join(root, `${prefix}${(numbers(prefix).at(-1) ?? 0) + 1}`);
      // Under another name first: a copy that was broken off is never taken for a whole one.
      const partial = join(root, 'copying');
      fs.rmSync(partial, { recursive: true, force: true });
      fs.cpSync(from, partial, { recursive: true });
      fs.renameSync(partial, to);
      return to;
    },
    copyFile: (from, to) => fs.copyFileSync(from, to),
  };
}

function makeRoot(wanted: string): string {
  try {
    fs.mkdirSync(wanted, { recursive: true, mode: 0o700 });
    fs.accessSync(wanted, fs.constants.W_OK);
    return wanted;
  } catch {
    return ownTemporaryFolder(`loki-sample-${process.getuid?.() ?? 0}`);
  }
}

/** Under a name that the next start finds again, unless somebody else has put something there. */
function ownTemporaryFolder(name: string): string {
  const path = join(os.tmpdir().replaceAll('\\', '/'), name);
  fs.mkdirSync(path, { recursive: true, mode: 0o700 });
  const stat = fs.lstatSync(path);
  const ours = stat.isDirectory() && (process.getuid === undefined || stat.uid === process.getuid());
  return ours ? path : fs.mkdtempSync(`${path}-`);
}
