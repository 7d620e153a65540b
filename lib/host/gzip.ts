/**
 * Gzip files (RFC 1952) read as the bytes they hold. Those of ours are members of about a megabyte of content one after the
 * other; an extra field in each member's header says how long it is, so the members are found without inflating anything
 * and a position in the middle costs one member. `gzip -dc` reads them too. A file without that index is inflated whole, up to a bound.
 *
 * The index is believed only as far as zlib bears it out: each stretch it names must inflate to exactly what it says, check
 * sums included, and use up every byte. So what is read here is what `gzip -dc` gives, or an error.
 */
import type * as zlib from 'node:zlib';
import type { ReadFile } from '../ports.ts';
import { LokiError, messageOf } from '../errors.ts';

/** Content of a member, about: members end at line ends. Larger ones are not written, and not read. */
export const memberBytes: number = 1 << 20;
const largestMember = 1 << 24;

/** The most content of a file without an index: all of it is held in memory. */
export const largestForeign: number = 1 << 29;

const headerBytes = 28;
/** Subfield `LK` (RFC 1952, 2.3.1.1) of twelve bytes: the member's length, its content's length, and its number, all little-endian. */
const subfieldBytes = 12;
/** Set in the number of a file's last member, so that a file that lost its end is known. */
const lastMark = 0x8000_0000;
const leastMember = headerBytes + 2 + 8;

interface Member {
  /** Where it begins in the file, and its length there. */
  readonly at: number;
  readonly length: number;
  /** Where its content begins, and how long that is. */
  readonly from: number;
  readonly bytes: number;
}

/** `content` as the file's member number `ordinal` (from 0). */
export function gzipMember(content: Uint8Array, ordinal: number, isLast: boolean): Uint8Array {
  const { deflateRawSync, crc32 }: typeof zlib = process.getBuiltinModule('node:zlib');
  const body = deflateRawSync(content);
  const member = Buffer.alloc(headerBytes + body.length + 8);
  // Magic, deflate, FEXTRA; no time; no hint; made on an unknown system.
  member.set([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 4 + subfieldBytes, 0, 0x4c, 0x4b, subfieldBytes, 0]);
  member.writeUInt32LE(member.length, 16);
  member.writeUInt32LE(content.length, 20);
  member.writeUInt32LE((ordinal | (isLast ? lastMark : 0)) >>> 0, 24);
  member.set(body, headerBytes);
  member.writeUInt32LE(crc32(content), headerBytes + body.length);
  member.writeUInt32LE(content.length, headerBytes + body.length + 4);
  return member;
}

/**
 * The content of an open gzip file, whose sizes and positions are those of the content. Takes the file over, and closes it
 * with itself. Throws `io.failed` for what is no whole gzip file, here or where the damage is read.
 */
export function openGzip(file: ReadFile, path: string): ReadFile {
  try {
    const stat = file.stat();
    const members = indexOf(file, stat.size, path);
    if (members === undefined) return wholeContent(file, path);
    const last = members.at(-1);
    return {
      stat: () => ({ ...stat, size: last === undefined ? 0 : last.from + last.bytes }),
      read: memberReader(file, members, path),
      close: () => file.close(),
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Hops from header to header; undefined when the first one has no index, which is somebody else's file. */
function indexOf(file: ReadFile, size: number, path: string): readonly Member[] | undefined {
  const members: Member[] = [];
  let [at, from] = [0, 0];
  for (let isLast = false; !isLast;) {
    const header = asBuffer(file.read(at, headerBytes));
    const isIndexed = header.length === headerBytes && header.readUInt32BE(0) === 0x1f8b_0804 && header.readUInt16LE(10) === 4 + subfieldBytes && header.readUInt32LE(12) === 0x000c_4b4c;
    if (!isIndexed && at === 0) return undefined;
    if (!isIndexed) throw damaged(path, at === size ? 'its last members are missing' : `byte ${at} begins no member`);
    const [length, bytes, number] = [header.readUInt32LE(16), header.readUInt32LE(20), header.readUInt32LE(24)];
    isLast = number >= lastMark;
    if (number % lastMark !== members.length) throw damaged(path, `member ${number % lastMark} stands where member ${members.length} belongs`);
    if (length < leastMember || at + length > size || bytes > largestMember) throw damaged(path, `the member at byte ${at} claims ${length} bytes, and ${bytes} of content`);
    members.push({ at, length, from, bytes });
    at += length;
    from += bytes;
  }
  if (at !== size) throw damaged(path, `${size - at} bytes stand after its last member`);
  return members;
}

type Read = ReadFile['read'];

/** Reads along members; the two used last stay inflated, for whoever reads across their border. */
function memberReader(file: ReadFile, members: readonly Member[], path: string): Read {
  let recent: readonly { readonly member: Member; readonly content: Buffer }[] = [];
  const contentOf = (member: Member): Buffer => {
    const known = recent.find((each) => each.member === member);
    const found = known ?? { member, content: inflateMember(file, member, path) };
    if (found !== recent[0]) recent = [found, ...recent.filter((each) => each !== found)].slice(0, 2);
    return found.content;
  };
  return (position, length, memory) => {
    const end = Math.min(position + length, endOf(members));
    const into = roomFor(Math.max(0, end - position), memory);
    for (let [at, n] = [position, memberAt(members, position)]; at < end; n += 1) {
      const member = members[n];
      if (member === undefined) break;
      at += contentOf(member).copy(into, at - position, at - member.from, end - member.from);
    }
    return into;
  };
}

function endOf(members: readonly Member[]): number {
  const last = members.at(-1);
  return last === undefined ? 0 : last.from + last.bytes;
}

/** Number of the member that holds the content's byte `position`. */
function memberAt(members: readonly Member[], position: number): number {
  let [low, high] = [0, members.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const member = members[middle];
    if (member !== undefined && member.from + member.bytes <= position) low = middle + 1;
    else high = middle;
  }
  return low;
}

function inflateMember(file: ReadFile, { at, length, bytes }: Member, path: string): Buffer {
  const content = inflate(file.read(at, length), bytes, bytes, path);
  if (content.length !== bytes) throw damaged(path, `the member at byte ${at} holds ${content.length} bytes, and claims ${bytes}`);
  return content;
}

function wholeContent(file: ReadFile, path: string): ReadFile {
  const stat = file.stat();
  if (stat.size > largestForeign) throw damaged(path, `it has ${stat.size} bytes and no index; at most ${largestForeign} are inflated at once`);
  const packed = asBuffer(file.read(0, stat.size));
  // Its last four bytes say how much the last member holds, which mostly is all. Deflate packs no more than 1,032 to 1.
  const claimed = packed.length < 18 ? 0 : Math.min(packed.readUInt32LE(packed.length - 4), packed.length * 1032, largestForeign);
  const content = inflate(packed, claimed, largestForeign, path);
  file.close();
  return {
    stat: () => ({ ...stat, size: content.length }),
    read(position, length, memory) {
      const end = Math.min(position + length, content.length);
      const into = roomFor(Math.max(0, end - position), memory);
      content.copy(into, 0, position, end);
      return into;
    },
    close: () => undefined,
  };
}

/** Whole gzip members to their content, of at most `limit` bytes; `expected` only says how much memory to take at once. */
function inflate(packed: Uint8Array, expected: number, limit: number, path: string): Buffer {
  const { gunzipSync }: typeof zlib = process.getBuiltinModule('node:zlib');
  let result: unknown;
  try {
    // One byte more than expected, or zlib would be asked once more whether that was all. Never little: the last of many members may be tiny.
    result = gunzipSync(packed, { chunkSize: Math.max(1 << 16, expected + 1), maxOutputLength: Math.max(1, limit), info: true });
  } catch (cause) {
    throw damaged(path, messageOf(cause), cause);
  }
  const { content, used } = withInfo(result);
  if (used !== packed.length) throw damaged(path, `${packed.length - used} bytes stand where nothing should`);
  return content;
}

/** What zlib gives with `info`, which its types do not tell. */
function withInfo(result: unknown): { readonly content: Buffer; readonly used: number } {
  if (typeof result === 'object' && result !== null && 'buffer' in result && 'engine' in result) {
    const { buffer, engine } = result;
    if (Buffer.isBuffer(buffer) && typeof engine === 'object' && engine !== null && 'bytesWritten' in engine && typeof engine.bytesWritten === 'number') {
      return { content: buffer, used: engine.bytesWritten };
    }
  }
  throw new LokiError('internal', { attempted: 'inflate a gzip file', found: 'zlib does not say how much it used' });
}

function roomFor(length: number, memory: Uint8Array | undefined): Uint8Array {
  return memory !== undefined && memory.length >= length ? memory.subarray(0, length) : Buffer.allocUnsafeSlow(length);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function damaged(path: string, found: string, cause?: unknown): LokiError {
  return new LokiError('io.failed', { attempted: `read "${path}"`, found, hint: 'Keep the file as it is; what can be saved of it: gzip -dc', ...(cause === undefined ? {} : { cause }) });
}
