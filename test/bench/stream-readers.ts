/** Readers of event streams, as a process: `stream-readers PORT PATH COUNT`. Tells its parent when all are open, and of each event that all have had. */
import { connect } from 'node:net';

const [, , port = '0', path = '/', count = '0'] = process.argv;
const wanted = Number(count);
const had = new Map<number, number>();
let open = 0;
let next = 0;

// `node --test` without names starts this file too, and it is no test.
if (process.send === undefined) process.exit(0);

/** A few at a time: a listening queue is short. */
for (let at = 0; at < 50; at += 1) openOne();

function openOne(): void {
  if (next >= wanted) return;
  next += 1;
  const socket = connect(Number(port), '127.0.0.1');
  let rest = '';
  let begun = false;
  socket.setEncoding('latin1');
  socket.on('connect', () => socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:57374\r\nAccept: text/event-stream\r\n\r\n`));
  socket.on('data', (part: string) => {
    if (!begun) {
      begun = true;
      open += 1;
      if (open === wanted) process.send?.('open');
      openOne();
    }
    const text = rest + part;
    const lines = text.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.startsWith('id: ')) counted(Number(line.slice(4)));
  });
  socket.on('error', () => process.exit(1));
  socket.on('close', () => process.exit(1));
}

function counted(id: number): void {
  const so = (had.get(id) ?? 0) + 1;
  had.set(id, so);
  if (so === wanted) process.send?.(id);
}
