/** What telemetry needs of the world beside `lib/ports.ts`, as types only. Drivers are in `lib/host/`. */

/** One POST to a receiver. */
export interface ExportRequest {
  /** http or https. */
  readonly url: string;
  /** Lower-case names. `content-type`, `content-encoding` and `content-length` are set by the driver. */
  readonly headers: Readonly<Record<string, string>>;
  /** Pieces of a text, sent as one. They are not put together before: what is larger than 128 KiB is dear to allocate. */
  readonly body: readonly string[];
  readonly gzip: boolean;
  /** From the call to the end of the answer; 0: no limit. */
  readonly timeoutMs: number;
  /** PEM texts. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
}

/**
 * What came of it. `unreachable`: no whole answer came, so it is not known whether the receiver has it (connect failure, reset, time-out).
 * `overrun`: it answered more than may be read, which is not to be retried.
 */
export type ExportAnswer =
  | { readonly kind: 'answered'; readonly status: number; readonly headers: ReadonlyMap<string, string>; readonly body: string }
  | { readonly kind: 'unreachable'; readonly code: string | undefined; readonly message: string }
  | { readonly kind: 'overrun'; readonly status: number; readonly message: string };

/** Keeps connections alive between requests; they do not keep the process alive. Never rejects, follows no redirect. */
export interface ExportTransport {
  post(request: ExportRequest): Promise<ExportAnswer>;
  close(): void;
}

/** One file of a folder. */
export interface SpoolFile {
  readonly name: string;
  readonly size: number;
  readonly modifiedMs: number;
}

/**
 * Files that nobody sees half written, and that a power cut may take: telemetry is told, not promised, so nothing waits for the medium.
 * Folders are made below `base`, 0700; files are 0600; symlinks are not followed.
 */
export interface SpoolFiles {
  /** The file appears whole, under a name that did not exist. Throws the system's error (ENOSPC …). */
  write(base: string, path: string, text: string): void;
  /** Whole files with their sizes, by name; empty where there is no folder. What is being written is not among them. */
  list(folder: string): readonly SpoolFile[];
  /** Undefined when it is gone, longer than `limit` bytes, or no plain file of ours. */
  read(path: string, limit: number): string | undefined;
  /** The same file under another name as well, in the same file system; false when there is none, or the name is taken. */
  link(base: string, from: string, to: string): boolean;
  /** Missing is fine. */
  remove(path: string): void;
}

/** Files that a person reads or a collector follows: lines are added at the end, and the folder is a person's choice. */
export interface LineFiles {
  /** All of `lines` at the end of the file, made 0600 when it is missing; what a failing write left of them is taken back. Folders are made. Throws the system's error. */
  append(path: string, lines: string): void;
  /** As `SpoolFiles.list`. */
  list(folder: string): readonly SpoolFile[];
  /** Missing is fine. */
  remove(path: string): void;
}

/** A file that is written anew now and then, and that a power cut may take. */
export interface LooseFiles {
  /** The file has exactly this text: whoever reads sees the old or the new one, whole. Folders below `base` are made. Throws the system's error. */
  replace(base: string, path: string, text: string): void;
}
