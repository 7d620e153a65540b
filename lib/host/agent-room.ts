/**
 * Files that an agent gets for one session, in a directory of ours below LOKI_HOME: settings that the agent reads and shall not write,
 * beside links to what lies in the user's own folder. Nothing here is a record, and all of it is taken away in the end.
 */
import * as fs from 'node:fs';
import { dirname, join } from '../base/paths.ts';

export interface RoomFiles {
  readonly files?: readonly { readonly path: string; readonly text: string }[];
  readonly mirror?: { readonly from: string; readonly at: string };
}

export interface Room {
  readonly path: string;
  prepare(wanted: RoomFiles): void;
  remove(): void;
}

/** The room at `path`. Nothing is made before something is put into it. */
export function createRoom(path: string): Room {
  return {
    path,
    prepare({ files = [], mirror }) {
      for (const { path: name, text } of files) put(join(path, name), text);
      if (mirror !== undefined) link(mirror.from, join(path, mirror.at));
    },
    remove() {
      try {
        fs.rmSync(path, { recursive: true, force: true });
      } catch {
        // What is left is found by name and taken away with the next session's.
        return;
      }
    },
  };
}

/** Whole or not at all: an agent of an earlier call may be reading it still. */
function put(path: string, text: string): void {
  fs.mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const made = `${path}.${process.pid}.new`;
  fs.writeFileSync(made, text, { mode: 0o600 });
  fs.renameSync(made, path);
}

/** Shows each entry of a directory under its name, where nothing has that name. A directory that is not there shows nothing. */
function link(from: string, at: string): void {
  fs.mkdirSync(at, { recursive: true, mode: 0o700 });
  for (const name of namesIn(from)) {
    try {
      fs.symlinkSync(join(from, name), join(at, name));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
  }
}

function namesIn(directory: string): readonly string[] {
  try {
    return fs.readdirSync(directory);
  } catch {
    return [];
  }
}
