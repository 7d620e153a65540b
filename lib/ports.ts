/**
 * What the program needs from the world, as types only. `lib/host/` holds the real drivers; tests bring their own. A
 * comment on a method says what its return promises: visible to other processes, or durable across a power cut.
 */

/** Time. Wall-clock milliseconds since the epoch may jump; monotonic milliseconds never go back. */
export interface Clock {
  now(): number;
  monotonic(): number;
}

/** Stops what a timer call started; calling it twice is harmless. */
export type Cancel = () => void;

/** Waiting. A timer never keeps the process alive on its own unless `sleep` is being awaited. */
export interface Timers {
  after(milliseconds: number, run: () => void): Cancel;
  every(milliseconds: number, run: () => void): Cancel;
  sleep(milliseconds: number): Promise<void>;
  /** Resolves after the events that are already waiting have been handled. */
  yield(): Promise<void>;
}

/** Cryptographically strong randomness. */
export interface Random {
  bytes(length: number): Uint8Array;
}

/** What one directory entry is. `device` and `inode` together name a file for as long as it is open. */
export interface FileStat {
  readonly kind: 'file' | 'directory' | 'symlink' | 'other';
  readonly size: number;
  readonly inode: number;
  readonly device: number;
  readonly links: number;
  readonly owner: number;
  readonly mode: number;
  readonly modifiedMs: number;
  readonly changedMs: number;
}

/**
 * System calls on files, one method a call, all synchronous. Only `lib/host/durable.ts` and fault-injecting test drivers
 * use this; rooms use `Disk`. Methods throw the system's own error (`code: 'ENOSPC'` …).
 */
export interface Files {
  /** `mode` is used when the file is created. */
  open(path: string, how: OpenHow, mode?: number): number;
  close(handle: number): void;
  /** Bytes read into `into`, 0 at the end. */
  read(handle: number, into: Uint8Array, position: number): number;
  /** Bytes written at the end; may be fewer than given. */
  write(handle: number, bytes: Uint8Array): number;
  truncate(handle: number, size: number): void;
  /** Data and size are on the medium. */
  sync(handle: number): void;
  statHandle(handle: number): FileStat;
  /** The entry itself, symlinks not followed; undefined when there is none. */
  stat(path: string): FileStat | undefined;
  /** What a symlink holds; undefined when there is no entry or it is none. */
  readlink(path: string): string | undefined;
  list(path: string): readonly string[];
  /** Throws ENOENT when a component is missing. */
  realpath(path: string): string;
  makeDirectory(path: string, mode: number): void;
  rename(from: string, to: string): void;
  link(existing: string, created: string): void;
  unlink(path: string): void;
  chmod(path: string, mode: number): void;
  /** Entries of the directory (creations, renames, removals) are on the medium. */
  syncDirectory(path: string): void;
  /** The file system that holds an existing path. */
  volume(path: string): Volume;
}

/** A file system. */
export interface Volume {
  /** Bytes that this user may still write. */
  readonly freeBytes: number;
  /** What kind it is, when its files lie on another machine: `nfs`, `smb` … */
  readonly network: string | undefined;
}

/** How `Files.open` opens. None of them follows a symlink in the last component except `read-following`. */
export type OpenHow = 'read' | 'read-following' | 'append' | 'create-append' | 'create-new';

/** An open append-only record file. */
export interface RecordFile {
  readonly path: string;
  stat(): FileStat;
  /** Bytes at `position`, fewer at the end of the file. */
  read(position: number, length: number): Uint8Array;
  /**
   * All bytes at the end of the file, durable when it returns. When writing fails, what was written of them is taken back
   * (truncated) and the error is thrown. When the sync fails the file must be closed and never synced again.
   */
  append(bytes: Uint8Array): void;
  /** What any process has written to the file is durable when it returns; when it fails, as for `append`. */
  sync(): void;
  /** Cuts the file to `size` bytes, durable when it returns. Only recovery does this, after the cut part has been kept aside. */
  cut(size: number): void;
  close(): void;
}

/**
 * The verbs by which rooms read and write files. Paths are absolute. Reading verbs return undefined for a missing file
 * and throw on everything else. `base` is a real directory the caller owns; below it nothing may be a symlink.
 */
export interface Disk {
  /** The whole file, following symlinks; throws `io.failed` when longer than `limit` bytes. */
  read(path: string, limit: number): Uint8Array | undefined;
  /** The whole record file: refuses symlinks, foreign owners, more than one link, below `base`. */
  readRecord(base: string, path: string, limit: number): Uint8Array | undefined;
  stat(path: string): FileStat | undefined;
  /** The file system that holds the path; undefined when the path does not exist. */
  volume(path: string): Volume | undefined;
  /** Bytes that may still be written where the path lies; undefined as for `volume`. */
  freeBytes(path: string): number | undefined;
  /** Names in a directory, sorted; empty when there is none. */
  list(path: string): readonly string[];
  /** Canonical absolute path, symlinks followed; undefined when it does not exist. */
  realpath(path: string): string | undefined;
  /** What a symlink holds; undefined when the path is none. */
  readlink(path: string): string | undefined;
  /** Opens an existing record file for reading at positions; undefined when missing. */
  openRead(path: string): ReadFile | undefined;
  /**
   * Opens a gzip file as the bytes it holds: sizes and positions are those of the uncompressed content, and the content's
   * check sums are checked where they are read. Undefined when missing; throws `io.failed` for what is no whole gzip file.
   */
  openGzip(path: string): ReadFile | undefined;
  /**
   * Writes the lines of the record file `from` as the gzip file `to` beside it, with the same mode, in steps: each gives how
   * many bytes are done, so that others have their turn in between. `to` appears, durable and whole, with the last step,
   * after it has been read back and found to hold `sha256`; `from` stays. An existing `to` is `conflict`. What an earlier
   * try left unfinished is cleared away, so only one process may do this at a time.
   */
  compress(base: string, from: string, to: string, sha256: string): Iterable<number>;
  /** Opens or creates a record file for appending. A created file's directory entry is durable. */
  openRecord(base: string, path: string, mode: number): RecordFile;
  /** The file has exactly these bytes, durable and atomic: a reader or a power cut sees the old file or the new one. */
  replace(base: string, path: string, bytes: Uint8Array, mode: number): void;
  /** Creates the file, durable. Present with the same bytes is fine; with other bytes `conflict`. */
  create(base: string, path: string, bytes: Uint8Array, mode: number): void;
  /** Begins a file where a person wants one, following symlinks on the way there. Throws when none can be created. */
  beginFile(path: string, mode: number): FileInMaking;
  /** Directory and its parents below `base` exist, durable. */
  ensureDirectory(base: string, path: string, mode: number): void;
  /** Renamed within one file system, durable. */
  move(from: string, to: string): void;
  /** The entry is gone, durable. Missing is fine. */
  remove(path: string): void;
}

/** A file that does not have its name yet. Nobody sees it before `finish`, and after `abandon` it never was. */
export interface FileInMaking {
  /** All bytes, after those before. */
  write(bytes: Uint8Array): void;
  /** What was written is on the medium. Nothing is written after that. */
  settle(): void;
  /** It has its name, durable: in place of what is there, or `conflict` when something is. */
  finish(replace: boolean): void;
  /** Takes it away. Harmless after `finish`. */
  abandon(): void;
}

/** A file open for reading. */
export interface ReadFile {
  stat(): FileStat;
  /** Bytes at `position`, fewer at the end of the file. With `into`, its memory is used when it is large enough. */
  read(position: number, length: number, into?: Uint8Array): Uint8Array;
  close(): void;
}

/** Keeps all but one process out. Released by the kernel when its holder dies, however it dies. */
export interface Lock {
  /** Waits until held. Throws `lock.timeout` after `timeoutMs`, naming the holder where known. */
  acquire(timeoutMs: number): Promise<void>;
  /** While held: whether somebody else is known to be waiting for it. */
  contended(): boolean;
  release(): void;
}

/** Where a child's output goes and how it is bounded. */
export interface SpawnRequest {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The whole environment; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** Bytes for standard input, which is then closed. */
  readonly input?: Uint8Array;
  /** Killed with its whole process group after this time. */
  readonly timeoutMs: number;
  /** Bytes kept of each stream; what follows is counted and dropped. */
  readonly outputLimit: number;
  /** Called with each complete line of standard output, without its newline, as it comes; lines are cut at `lineLimit`. */
  readonly onLine?: (line: string) => void;
  /** Bytes of a line; 64 KiB when left out. */
  readonly lineLimit?: number;
  /** Aborting kills the whole process group. */
  readonly signal?: AbortSignal;
  /** Milliseconds between asking it to end and ending it; 500 when left out. */
  readonly graceMs?: number;
}

/** How a child ended. `exit` is null when a signal ended it. */
export interface SpawnResult {
  readonly exit: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
  readonly aborted: boolean;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  /** Bytes each stream carried in all, kept or not. */
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
  readonly durationMs: number;
}

/** Starts child processes, each in a process group of its own. A program that cannot be started rejects with `provider.missing`. */
export interface Spawn {
  run(request: SpawnRequest): Promise<SpawnResult>;
  /**
   * Starts a process that outlives this one and has nothing of it open: no input, and no output, but to the end of the file
   * `output`, made for its owner alone and never a link. Its process id; undefined when it did not start. Nobody hears how it ends.
   */
  leave(request: Pick<SpawnRequest, 'program' | 'args' | 'cwd' | 'env'> & { readonly output?: string }): number | undefined;
  /** Absolute path of a program on PATH (or of a path given), if it can be executed. */
  find(program: string, path: string | undefined): string | undefined;
  /**
   * Ends every process of this user that was started with the variable `name=value` in its environment, which is handed down
   * to whatever an agent starts. How many there were; always 0 where the system does not show environments.
   */
  endMarked(name: string, value: string): number;
  /** Ends a process of this user at once, also one that is stopped. Whether there was one. Who calls it has made sure which process it is. */
  endProcess(pid: number): boolean;
}

/** Facts of the process that records carry. */
export interface ProcessFacts {
  readonly pid: number;
  readonly hostname: string;
  readonly username: string;
  /** The number of the account whose rights this process has; undefined where the system has none. */
  readonly userId?: number | undefined;
  readonly platform: string;
  /** Program and arguments that run this installation's `loki` command; what it is to do comes after them. */
  readonly loki: readonly string[];
  /** A text that differs for every process that ever had this pid since boot; undefined when no such process lives. */
  startOf(pid: number): string | undefined;
  /** The processes above this one, its parent first, at most so many; empty where that cannot be told. */
  ancestors(most: number): readonly number[];
}

/** Everything of the outside world that a running part may be given. */
export interface Host {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly disk: Disk;
  readonly spawn: Spawn;
  readonly facts: ProcessFacts;
  /** The lock that belongs to the file or directory `path`. */
  lock(path: string): Lock;
}

/**
 * Outgoing connections to the receivers of records. Whatever cannot be reached, breaks off or takes too long rejects with
 * `net.unreachable`. They take addresses, not names: who resolves a name judges where it leads before anything is opened.
 */
export interface Sockets {
  /** The addresses of a host, as the system knows them, at least one; those of an address are itself. */
  resolve(host: string, timeoutMs: number): Promise<readonly string[]>;
  /** A socket for datagrams to one address. */
  datagrams(address: string, port: number): Promise<Datagrams>;
  connect(target: StreamTarget): Promise<StreamConnection>;
  /** Looks at what a TLS server presents, sends nothing, and ends the connection. */
  inspect(target: Omit<StreamTarget, 'stallMs'> & { readonly tls: TlsTrust }): Promise<PresentedCertificate>;
  /** One POST; redirects are answers like any other. */
  post(request: PostRequest): Promise<PostAnswer>;
}

/** Sends and is never answered; a message that was refused at once makes the next call reject, or `settled`. */
export interface Datagrams {
  send(bytes: Uint8Array): Promise<void>;
  /** Waits a moment for word from the other machine's system that nobody listens there. */
  settled(): Promise<void>;
  close(): void;
}

/** Where a stream leads. */
export interface StreamTarget {
  readonly address: string;
  readonly port: number;
  readonly timeoutMs: number;
  /** A write of which nothing moves for so long breaks the connection. */
  readonly stallMs: number;
  /** Encrypted, TLS 1.2 or newer. */
  readonly tls?: TlsTrust;
}

/** Who is believed, and who we are. Certificates and keys as PEM. */
export interface TlsTrust {
  /** The name or address that the server's certificate must be for. */
  readonly name: string;
  /** Who signs servers' certificates; the usual authorities when left out. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** A stream that is written and not read. */
export interface StreamConnection {
  /** Resolves when the bytes are on their way. That is no word from the receiver. */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * Ends our side; true when the other side then ends its own, in order: then it has read everything. False when it says
   * nothing for so long. Rejects when the connection breaks.
   */
  end(timeoutMs: number): Promise<boolean>;
  destroy(): void;
}

/** A server's certificate, believed or not. */
export interface PresentedCertificate {
  readonly subject: string;
  /** The names and addresses it is for. */
  readonly names: string;
  readonly issuer: string;
  readonly validTo: string;
  readonly protocol: string;
  /** Why it is not believed, as the system names it; undefined when it is. */
  readonly refused: string | undefined;
}

export interface PostRequest {
  /** http: or https:. */
  readonly url: string;
  /** The address that the URL's host stands for. */
  readonly address: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly timeoutMs: number;
  /** As `TlsTrust.ca`. */
  readonly ca?: string;
}

export interface PostAnswer {
  readonly status: number;
  /** Seconds to wait, where the answer says so. */
  readonly retryAfterS: number | undefined;
  readonly body: string;
}

/**
 * Outgoing requests whose answers are read. Follows no redirect, sends and keeps no cookie. What cannot be reached, takes too
 * long or answers more than the bound rejects with `net.unreachable`, which names the host and path and never the query.
 */
export interface HttpClient {
  ask(question: HttpQuestion): Promise<HttpReply>;
}

export interface HttpQuestion {
  /** http: or https:. */
  readonly url: string;
  /** GET when left out; POST with a body. */
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** From the first byte sent to the last one received. */
  readonly timeoutMs: number;
  /** Bytes of the answer's body. */
  readonly limit: number;
  /** As `TlsTrust.ca`. */
  readonly ca?: string;
}

export interface HttpReply {
  readonly status: number;
  /** By lower-case name; of a repeated field all values, with commas between. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

/** Work on other threads of this process. */
export interface Threads {
  /** How many can run at once without taking turns. */
  readonly processors: number;
  /** Starts a module of this program, by its file: URL, on a thread of its own. */
  start(module: string, hears: ThreadHears): Thread;
}

export interface ThreadHears {
  onMessage(message: unknown): void;
  /** Once, however it ended; `error` when it failed. */
  onEnd(error?: unknown): void;
}

/** A running thread. It keeps the process alive until it is stopped. */
export interface Thread {
  send(message: unknown): void;
  stop(): void;
}
