/** What becomes of a batch while the receiver answers, does not, comes back, asks for time, or refuses. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ExportAnswer } from '../../../lib/base/telemetry-ports.ts';
import { answered, base, batch, folder, ground, names, ok, refusedConnection, spans, type Ground } from './support.ts';

/** Offers them one after the other, each having had its turn. */
async function offerAll({ time }: Ground, destination: ReturnType<Ground['open']>, batches: ReturnType<typeof spans>): Promise<void> {
  for (const each of batches) {
    destination.offer(each);
    await time.pass(1);
  }
}

describe('a receiver that answers', () => {
  test('is sent each signal at its endpoint, with the headers, and nothing is written', async () => {
    const world = ground();
    const destination = world.open();
    for (const signal of ['traces', 'metrics', 'logs'] as const) destination.offer(batch(signal, ['x']));
    await world.time.pass(0);
    assert.deepEqual(world.receiver.requests.map(({ url, headers }) => [url.replace(/.*:4318/, ''), headers['user-agent'], headers['authorization']]), [
      ['/v1/traces', 'test/1', 'Bearer zsecret-token'], ['/v1/metrics', 'test/1', 'Bearer zsecret-token'], ['/v1/logs', 'test/1', 'Bearer zsecret-token'],
    ]);
    assert.equal(world.files.steps(), 1, 'only the base was made');
    assert.equal(destination.stand().state, 'direct');
    assert.equal(destination.stand().signals.traces?.delivered, 1);
  });

  test('is sent one request at a time, and what was offered together or waited meanwhile as one', async () => {
    const world = ground();
    let release: () => void = () => undefined;
    const destination = world.open();
    await offerAll(world, destination, spans(0, 1));
    world.receiver.answer = () => new Promise<ExportAnswer>((resolve) => { release = () => resolve(ok); });
    for (const each of spans(1, 3)) destination.offer(each);
    await world.time.pass(0);
    for (const each of spans(3, 6)) destination.offer(each);
    await world.time.pass(0);
    assert.equal(world.receiver.requests.length, 2);
    world.receiver.answer = () => ok;
    release();
    await world.time.pass(0);
    assert.equal(world.receiver.requests.length, 3);
    assert.deepEqual(world.receiver.taken(), names(0, 6));
  });

  test('is sent a message of another form as it is, and never joined with others', async () => {
    const world = ground();
    const destination = world.open({ isWithoutSpool: true });
    await offerAll(world, destination, spans(0, 1));
    world.receiver.answer = () => refusedConnection;
    const foreign = ' { "resourceSpans": [ { "scopeSpans": [ { "spans": [ {"name":"f"} ] } ] } ] } ';
    for (const body of [undefined, undefined, foreign, undefined]) destination.offer(body === undefined ? batch('traces', ['x']) : { signal: 'traces', items: 1, body });
    await world.time.pass(1);
    world.receiver.answer = () => ok;
    await world.time.pass(10_000);
    assert.deepEqual(world.receiver.taken(), ['s0', 'x', 'x', 'f', 'x']);
    assert.ok(world.receiver.requests.every(({ body }) => body.join('') === foreign || JSON.parse(body.join('')).resourceSpans.length > 0));
    assert.ok(world.receiver.requests.some(({ body }) => body.join('') === foreign));
  });

  test('that is slow does not make memory grow: what is too much waits on disk, and order is kept', async () => {
    const world = ground();
    let release: () => void = () => undefined;
    world.receiver.answer = () => new Promise<ExportAnswer>((resolve) => { release = () => resolve(ok); });
    const destination = world.open({ memory: { batches: 3, bytes: 1e6 } });
    for (const each of spans(0, 10)) destination.offer(each);
    await world.time.pass(0);
    assert.ok(destination.stand().waiting.batches <= 4);
    assert.ok(world.waiting().length >= 4);
    world.receiver.answer = () => ok;
    release();
    await world.time.pass(0);
    assert.deepEqual(world.receiver.taken(), names(0, 10));
    assert.deepEqual(world.waiting(), []);
  });
});

test('several connections: as many requests at once, which fail together once, and are tried again alone', async () => {
  const world = ground();
  const releases: ((answer: ExportAnswer) => void)[] = [];
  const destination = world.open({ connections: 3 });
  await offerAll(world, destination, spans(0, 1));
  world.receiver.answer = () => new Promise<ExportAnswer>((resolve) => { releases.push(resolve); });
  for (const each of spans(1, 9)) {
    destination.offer(each);
    await world.time.pass(0);
  }
  assert.equal(releases.length, 3);
  world.receiver.answer = () => refusedConnection;
  for (const release of releases) release(refusedConnection);
  await world.time.pass(0);
  assert.equal(destination.stand().signals.traces?.failures, 1);
  const before = world.receiver.requests.length;
  await world.time.pass(1500);
  assert.equal(world.receiver.requests.length, before + 1);
  world.receiver.answer = () => ok;
  await world.time.pass(40_000);
  assert.deepEqual(world.receiver.taken().toSorted(), names(0, 9));
  assert.deepEqual(world.drops, []);
});

test('settings that throw when they are looked at are a receiver that is away', async () => {
  const world = ground();
  const destination = world.open({ endpoints: { logs: { url: 'http://x/', headers: {}, gzip: false, timeoutMs: 1, get tls(): never { throw new Error('unreadable'); } } } });
  destination.offer(batch('logs', ['a']));
  await world.time.pass(1);
  assert.match(destination.stand().signals.logs?.lastFailure?.words ?? '', /unreadable/);
  assert.equal(destination.stand().waiting.items, 1);
});

describe('a receiver that is away', () => {
  test('costs nothing: what is offered waits on disk, is delivered oldest first when it is back, and then goes from memory again', async () => {
    const world = ground();
    const destination = world.open();
    await offerAll(world, destination, spans(0, 2));
    world.receiver.answer = () => refusedConnection;
    for (let n = 2; n < 200; n += 1) {
      destination.offer(batch('traces', [`s${n}`]));
      await world.time.pass(1000);
    }
    assert.equal(destination.stand().state, 'spooling');
    assert.equal(destination.stand().waiting.batches, 0);
    assert.equal(world.waiting().length, 198);
    assert.ok(world.receiver.requests.length < 30, `${world.receiver.requests.length} requests in 200 seconds`);
    world.receiver.answer = () => ok;
    await world.time.pass(40_000);
    assert.deepEqual(world.receiver.taken(), names(0, 200));
    assert.deepEqual(world.waiting(), []);
    assert.equal(destination.stand().state, 'direct');
    const steps = world.files.steps();
    await offerAll(world, destination, spans(200, 202));
    assert.equal(world.files.steps(), steps, 'nothing is written any more');
    assert.deepEqual(world.drops, []);
  });

  test('is tried with one batch, later and later, and asked for more only when it took that one', async () => {
    const world = ground();
    const at: number[] = [];
    world.receiver.answer = () => { at.push(world.time.clock.monotonic()); return refusedConnection; };
    const destination = world.open();
    await offerAll(world, destination, spans(0, 50));
    await world.time.pass(300_000);
    const gaps = at.slice(1).map((each, n) => each - (at[n] ?? 0));
    assert.ok((gaps[0] ?? 0) >= 800 && (gaps[0] ?? 0) <= 1200, `first pause ${gaps[0]}`);
    assert.ok(gaps.slice(6).every((gap) => gap >= 24_000 && gap <= 36_000), `late pauses ${gaps.slice(6).join(' ')}`);
    assert.ok(world.receiver.requests.every(({ body }) => body.join('').includes('"s0"') && !body.join('').includes('"s1"')));
  });

  test('is away for one signal only: the others are delivered', async () => {
    const world = ground();
    world.receiver.answer = ({ url }) => (url.endsWith('/v1/traces') ? refusedConnection : ok);
    const destination = world.open();
    for (const signal of ['traces', 'logs', 'traces', 'logs'] as const) destination.offer(batch(signal, [signal]));
    await world.time.pass(10);
    assert.deepEqual(world.receiver.taken(), ['logs', 'logs']);
    assert.deepEqual([destination.stand().signals.traces?.state, destination.stand().signals.logs?.state], ['spooling', 'direct']);
  });

  test('comes back in another life of the program: what waited is delivered, without anything new', async () => {
    const world = ground();
    world.receiver.answer = () => refusedConnection;
    const first = world.open();
    await offerAll(world, first, spans(0, 5));
    await first.close(0);
    world.receiver.answer = () => ok;
    const second = world.open();
    assert.equal(second.stand().state, 'spooling');
    assert.equal(second.stand().waiting.items, 5);
    await world.time.pass(0);
    assert.deepEqual(world.receiver.taken(), names(0, 5));
    assert.equal(second.stand().state, 'direct');
  });

  test('without a spool: memory is bounded, the oldest go and are counted, the rest is delivered', async () => {
    const world = ground();
    world.receiver.answer = () => refusedConnection;
    const destination = world.open({ isWithoutSpool: true, memory: { batches: 10, bytes: 1e6 } });
    await offerAll(world, destination, spans(0, 100));
    assert.equal(destination.stand().waiting.items, 10);
    assert.equal(world.dropped('queue_full'), 90);
    world.receiver.answer = () => ok;
    await world.time.pass(40_000);
    assert.deepEqual(world.receiver.taken(), names(90, 100));
  });

  test('a bound of bytes in memory holds as well as one of batches', async () => {
    const world = ground();
    world.receiver.answer = () => refusedConnection;
    const destination = world.open({ isWithoutSpool: true, memory: { batches: 1000, bytes: 10_000 } });
    for (let n = 0; n < 30; n += 1) destination.offer(batch('logs', [`l${n}`], 1000));
    await world.time.pass(1);
    assert.ok(destination.stand().waiting.batchBytes <= 10_000);
    assert.ok(world.dropped('queue_full') >= 20);
  });
});

describe('the folder', () => {
  test('is bounded in bytes: the oldest go, whatever their signal, and are counted', async () => {
    const world = ground();
    world.receiver.answer = () => refusedConnection;
    const destination = world.open({ maxBytes: 5000 });
    for (let n = 0; n < 20; n += 1) {
      destination.offer(batch(n % 2 === 0 ? 'traces' : 'logs', [`s${n}`], 500));
      await world.time.pass(1);
    }
    const bytes = world.spoolFiles.list(folder).reduce((sum, { size }) => sum + size, 0);
    assert.ok(bytes <= 5000 && bytes > 3000, `${bytes} bytes`);
    assert.equal(destination.stand().waiting.fileBytes, bytes);
    assert.equal(world.dropped('spool_full') + world.waiting().length, 20);
    world.receiver.answer = () => ok;
    await world.time.pass(40_000);
    const kept = names(world.dropped('spool_full'), 20);
    assert.deepEqual(world.receiver.taken().toSorted(), kept.toSorted());
  });

  test('is bounded in files', async () => {
    const world = ground();
    world.receiver.answer = () => refusedConnection;
    const destination = world.open({ maxFiles: 7 });
    await offerAll(world, destination, spans(0, 20));
    assert.equal(world.waiting().length, 7);
    assert.equal(world.dropped('spool_full'), 13);
  });

  test('holds to a bound that became smaller since', async () => {
    const world = ground();
    world.receiver.answer = () => refusedConnection;
    const first = world.open();
    await offerAll(world, first, spans(0, 20));
    await first.close(0);
    world.open({ maxFiles: 5 });
    assert.equal(world.waiting().length, 5);
    assert.equal(world.dropped('spool_full'), 15);
  });

  test('files that grew after they were looked at do not make one request of all of them', async () => {
    const world = ground();
    world.receiver.answer = () => refusedConnection;
    const destination = world.open();
    await offerAll(world, destination, spans(0, 8));
    for (const [at, name] of world.waiting().entries()) {
      world.spoolFiles.remove(`${folder}/${name}`);
      world.spoolFiles.write(base, `${folder}/${name}`, `${batch('traces', [`s${at}`], 1 << 20).body}\n`);
    }
    world.receiver.answer = () => ok;
    await world.time.pass(60_000);
    assert.deepEqual(world.receiver.taken(), names(0, 8));
    assert.ok(world.receiver.requests.every(({ body }) => body.length < 3 << 20), String(Math.max(...world.receiver.requests.map(({ body }) => body.length))));
  });

  test('a huge file that somebody made is neither cut nor looked into when it is refused', async () => {
    for (const [status, reason] of [[413, 'too_large'], [400, 'refused']] as const) {
      const world = ground();
      world.spoolFiles.write(base, `${folder}/1771165800000-0000000a3f9c2d1e-2.traces.jsonl`, `{"resourceSpans":[${'{"scopeSpans":[{"spans":[{},{}]}]},'.repeat(40_000)}{]}\n`);
      world.receiver.answer = () => answered(status);
      world.open();
      await world.time.pass(60_000);
      assert.equal(world.receiver.requests.length, 1);
      assert.deepEqual(world.drops.map((drop) => [drop.reason, drop.items]), [[reason, 2]]);
    }
  });

  test('a batch larger than the whole bound is dropped, and the rest stays', async () => {
    const world = ground();
    world.receiver.answer = () => refusedConnection;
    const destination = world.open({ maxBytes: 2000 });
    await offerAll(world, destination, [...spans(0, 3), batch('traces', ['huge'], 5000), ...spans(3, 6)]);
    assert.deepEqual(world.drops.map(({ reason, items }) => [reason, items]), [['spool_full', 1]]);
    assert.equal(world.waiting().length, 6);
  });

  const damage: readonly (readonly [what: string, text: string])[] = [
    ['nothing', ''], ['half a line', '{"resourceSpans":[{"scopeSp'], ['zeros', '\0'.repeat(200)], ['no end of line', batch('traces', ['x']).body],
    ['two lines', `${batch('traces', ['x']).body}\n${batch('traces', ['y']).body}\n`], ['another signal', `${batch('logs', ['x']).body}\n`], ['a page', '<html></html>\n'],
  ];
  for (const [what, text] of damage) {
    test(`a file that holds ${what} is dropped as damaged, counted by its name, and holds up nothing`, async () => {
      const world = ground();
      world.spoolFiles.write(base, `${folder}/1000000000000-0000000000000000-7.traces.jsonl`, text);
      const destination = world.open();
      destination.offer(batch('traces', ['s0']));
      await world.time.pass(0);
      assert.deepEqual(world.receiver.taken(), ['s0']);
      assert.deepEqual(world.drops, [{ signal: 'traces', reason: 'damaged', items: 7 }]);
      assert.deepEqual(world.waiting(), []);
    });
  }

  test('a file that is whole outside and broken inside is told from one that the receiver does not like', async () => {
    const world = ground();
    world.receiver.answer = ({ body }) => { try { JSON.parse(body.join('')); return ok; } catch { return answered(400, '{"code":3,"message":"unexpected end"}'); } };
    world.spoolFiles.write(base, `${folder}/1000000000000-0000000000000000-7.traces.jsonl`, '{"resourceSpans":[{"scopeSpans":[{]}\n');
    const destination = world.open();
    await offerAll(world, destination, spans(0, 3));
    await world.time.pass(5000);
    assert.deepEqual(world.receiver.taken(), names(0, 3));
    assert.deepEqual(world.drops, [{ signal: 'traces', reason: 'damaged', items: 7 }]);
  });

  test('what is no spool file is left alone', async () => {
    const world = ground();
    world.spoolFiles.write(base, `${folder}/notes.txt`, 'mine');
    world.spoolFiles.write(base, `${folder}/1000000000000-x-1.profiles.jsonl`, 'theirs');
    world.files.makeDirectory(`${folder}/1000000000000-0000000000000000-1.traces.jsonl`, 0o700);
    const destination = world.open();
    await world.time.pass(1000);
    assert.equal(await destination.flush(0), true);
    assert.deepEqual(world.waiting(), ['1000000000000-x-1.profiles.jsonl', 'notes.txt']);
    assert.deepEqual(world.drops, []);
  });

  test('that another process empties is no trouble, and nothing of it is counted as lost', async () => {
    const world = ground();
    world.receiver.answer = () => refusedConnection;
    const destination = world.open();
    await offerAll(world, destination, spans(0, 20));
    for (const name of world.waiting().slice(0, 15)) world.spoolFiles.remove(`${folder}/${name}`);
    world.receiver.answer = () => ok;
    await world.time.pass(40_000);
    assert.deepEqual(world.receiver.taken(), names(15, 20));
    assert.deepEqual(world.drops, []);
    assert.equal(destination.stand().waiting.fileBytes, 0);
  });

  test('two processes on one folder deliver everything at least once, and neither stumbles', async () => {
    const world = ground();
    world.receiver.answer = () => refusedConnection;
    const first = world.open();
    await offerAll(world, first, spans(0, 30));
    const second = world.open();
    world.receiver.answer = () => ok;
    await world.time.pass(60_000);
    assert.deepEqual([...new Set(world.receiver.taken())].toSorted(), names(0, 30).toSorted());
    assert.deepEqual(world.waiting(), []);
    assert.deepEqual(world.drops, []);
    assert.deepEqual([first.stand().waiting.items, second.stand().waiting.items], [0, 0]);
  });
});

describe('a disk', () => {
  /** Fails every write while it is told to. */
  function failing(): { readonly world: Ground; set(code: string | undefined): void } {
    let code: string | undefined;
    const world = ground((files) => ({
      ...files,
      open(path, how, mode) {
        if (code !== undefined && how === 'create-new') throw Object.assign(new Error(`${code}: ${path}`), { code });
        return files.open(path, how, mode);
      },
    }));
    return { world, set(value) { code = value; } };
  }

  for (const code of ['ENOSPC', 'EACCES', 'EROFS', 'EIO', 'EDQUOT']) {
    test(`that answers ${code} is said, what memory cannot hold is counted, sending goes on, and it is used again when it works`, async () => {
      const { world, set } = failing();
      world.receiver.answer = () => refusedConnection;
      const destination = world.open({ memory: { batches: 5, bytes: 1e6 } });
      set(code);
      await offerAll(world, destination, spans(0, 12));
      assert.equal(world.dropped('disk'), 7);
      assert.match(destination.stand().disk?.words ?? '', new RegExp(`cannot write to the spool: ${code}`));
      set(undefined);
      await world.time.pass(6000);
      destination.offer(batch('traces', ['s12']));
      assert.equal(world.waiting().length, 6);
      assert.equal(destination.stand().disk, null);
      world.receiver.answer = () => ok;
      await world.time.pass(40_000);
      assert.deepEqual(world.receiver.taken(), names(7, 13));
    });
  }

  test('that fails does not stop what the receiver takes', async () => {
    const { world, set } = failing();
    set('ENOSPC');
    const destination = world.open();
    await offerAll(world, destination, spans(0, 10));
    assert.deepEqual(world.receiver.taken(), names(0, 10));
    assert.deepEqual(world.drops, []);
  });

  test('that does not let go of what was delivered is said, and it is not sent again', async () => {
    const world = ground((files) => ({ ...files, unlink() { throw Object.assign(new Error('EROFS'), { code: 'EROFS' }); } }));
    world.receiver.answer = () => refusedConnection;
    const destination = world.open();
    await offerAll(world, destination, spans(0, 3));
    world.receiver.answer = () => ok;
    await world.time.pass(60_000);
    assert.deepEqual(world.receiver.taken(), names(0, 3));
    assert.match(destination.stand().disk?.words ?? '', /cannot remove from the spool: EROFS/);
  });

  test('that cannot be listed at the start is said, and telemetry goes on', async () => {
    const world = ground((files) => ({ ...files, list() { throw Object.assign(new Error('EIO'), { code: 'EIO' }); } }));
    const destination = world.open();
    await offerAll(world, destination, spans(0, 2));
    assert.deepEqual(world.receiver.taken(), names(0, 2));
    assert.match(destination.stand().disk?.words ?? '', /cannot read the spool: EIO/);
  });

  test('that cannot be read for a while: what waits there is kept, and delivered when it can', async () => {
    let isBroken = false;
    const world = ground((files) => ({
      ...files,
      open(path, how, mode) { if (isBroken && how === 'read') throw Object.assign(new Error('EIO'), { code: 'EIO' }); return files.open(path, how, mode); },
      list(path) { if (isBroken) throw Object.assign(new Error('EIO'), { code: 'EIO' }); return files.list(path); },
    }));
    world.receiver.answer = () => refusedConnection;
    const destination = world.open();
    await offerAll(world, destination, spans(0, 5));
    isBroken = true;
    world.receiver.answer = () => ok;
    await world.time.pass(120_000);
    assert.match(destination.stand().signals.traces?.lastFailure?.words ?? '', /the spool cannot be read/);
    isBroken = false;
    await world.time.pass(60_000);
    assert.deepEqual(world.receiver.taken(), names(0, 5));
    assert.deepEqual(world.drops, []);
  });
});

describe('what the receiver answers', () => {
  test('partial success: what it rejected is counted, and nothing is sent again', async () => {
    const world = ground();
    world.receiver.answer = () => answered(200, '{"partialSuccess":{"rejectedSpans":"2","errorMessage":"too old"}}');
    const destination = world.open();
    destination.offer(batch('traces', ['a', 'b', 'c']));
    await world.time.pass(60_000);
    assert.equal(world.receiver.requests.length, 1);
    assert.deepEqual(world.drops, [{ signal: 'traces', reason: 'rejected', items: 2 }]);
    assert.equal(destination.stand().signals.traces?.delivered, 1);
    assert.equal(destination.stand().signals.traces?.lastWarning?.words, 'it rejected 2 of 3: too old');
  });

  test('a refusal: that batch goes and is counted, the next is tried a moment later, and what waits is not burnt', async () => {
    const world = ground();
    world.receiver.answer = () => answered(401, '{"code":16,"message":"token expired"}');
    const destination = world.open();
    await offerAll(world, destination, spans(0, 40));
    await world.time.pass(60_000);
    assert.ok(world.dropped('refused') <= 8, `${world.dropped('refused')} refused in a minute`);
    assert.match(destination.stand().signals.traces?.lastFailure?.words ?? '', /^it answered 401; it wants credentials; check the headers; it says: token expired$/);
    const lost = world.dropped('refused');
    world.receiver.answer = () => ok;
    await world.time.pass(40_000);
    assert.deepEqual(world.receiver.taken(), names(lost, 40));
  });

  for (const status of [400, 401, 403, 404, 405, 408, 415, 422, 500, 501, 301, 307, 407]) {
    test(`${status} is not tried again`, async () => {
      const world = ground();
      world.receiver.answer = () => answered(status);
      const destination = world.open();
      destination.offer(batch('logs', ['a']));
      await world.time.pass(120_000);
      assert.equal(world.receiver.requests.length, 1);
      assert.deepEqual(world.drops, [{ signal: 'logs', reason: 'refused', items: 1 }]);
      assert.equal(destination.stand().waiting.items, 0);
    });
  }

  for (const status of [429, 502, 503, 504]) {
    test(`${status} is tried again until it is taken`, async () => {
      const world = ground();
      let times = 0;
      world.receiver.answer = () => { times += 1; return times < 4 ? answered(status) : ok; };
      const destination = world.open();
      destination.offer(batch('logs', ['a']));
      await world.time.pass(60_000);
      assert.equal(times, 4);
      assert.deepEqual(world.receiver.taken(), ['a']);
      assert.deepEqual(world.drops, []);
    });
  }

  test('one bad batch among many that were joined: only that one is lost', async () => {
    const world = ground();
    world.receiver.answer = () => refusedConnection;
    const destination = world.open();
    await offerAll(world, destination, spans(0, 20));
    world.receiver.answer = ({ body }) => (body.join('').includes('"s7"') ? answered(400) : ok);
    await world.time.pass(120_000);
    assert.deepEqual(world.receiver.taken(), [...names(0, 7), ...names(8, 20)]);
    assert.deepEqual(world.drops, [{ signal: 'traces', reason: 'refused', items: 1 }]);
  });

  test('too large: what was joined goes apart, one batch is cut once, and what is too large still is dropped', async () => {
    const world = ground();
    world.receiver.answer = ({ body }) => (body.join('').length > 500 ? answered(413) : ok);
    const destination = world.open();
    destination.offer(batch('traces', ['a', 'b', 'c', 'd'], 100));
    await world.time.pass(0);
    assert.deepEqual(world.receiver.taken(), ['a', 'b', 'c', 'd']);
    assert.deepEqual(world.receiver.requests.map(({ body }) => body.join('').length > 500), [true, false, false]);
    for (const each of spans(0, 30)) destination.offer(each);
    destination.offer(batch('traces', ['e', 'f'], 2000));
    await world.time.pass(60_000);
    assert.deepEqual(world.receiver.taken().slice(4), names(0, 30));
    assert.deepEqual(world.drops, [{ signal: 'traces', reason: 'too_large', items: 1 }, { signal: 'traces', reason: 'too_large', items: 1 }]);
    assert.equal(destination.stand().waiting.items, 0);
  });

  test('too large while it waited on disk: the halves are on disk before the whole goes', async () => {
    const world = ground();
    world.receiver.answer = () => refusedConnection;
    const destination = world.open();
    await offerAll(world, destination, [batch('metrics', ['a', 'b', 'c'], 300)]);
    world.receiver.answer = ({ body }) => (body.join('').length > 800 ? answered(413) : refusedConnection);
    await world.time.pass(20_000);
    assert.deepEqual(world.waiting().map((name) => /-(\d+)\.metrics/.exec(name)?.[1]), ['1', '2']);
    world.receiver.answer = () => ok;
    await world.time.pass(40_000);
    assert.deepEqual(world.receiver.taken(), ['a', 'b', 'c']);
    assert.deepEqual(world.drops, []);
  });

  test('Retry-After is waited for, also by a flush, and one that asks for a day is not', async () => {
    const world = ground();
    const at: number[] = [];
    world.receiver.answer = () => { at.push(world.time.clock.monotonic()); return answered(429, '', { 'retry-after': at.length === 1 ? '20' : '86400' }); };
    const destination = world.open();
    destination.offer(batch('traces', ['a']));
    await world.time.pass(1);
    const flushed = destination.flush(5000);
    await world.time.pass(6000);
    assert.equal(await flushed, false);
    assert.equal(at.length, 1);
    await world.time.pass(1_000_000);
    assert.ok((at[1] ?? 0) >= 20_000 && (at[1] ?? 0) <= 24_100, `tried again after ${at[1]}`);
    assert.ok((at[2] ?? 0) - (at[1] ?? 0) <= 12 * 60_000);
  });

  test('words of a receiver are short, printable, and without our secrets', async () => {
    const world = ground();
    world.receiver.answer = () => answered(403, JSON.stringify({ message: `\u001b[31mno\u0007 \u202ebad "Bearer zsecret-token" zsecret-token ${'x'.repeat(5000)}` }));
    const destination = world.open();
    destination.offer(batch('traces', ['a']));
    await world.time.pass(1);
    const words = destination.stand().signals.traces?.lastFailure?.words ?? '';
    assert.match(words, /it says: \[?/);
    assert.ok(words.length <= 300);
    assert.doesNotMatch(words, /[\p{C}]/u);
    assert.doesNotMatch(JSON.stringify(destination.stand()), /zsecret/);
  });
});

describe('flushing and ending', () => {
  test('a flush is true when everything offered before was delivered', async () => {
    const world = ground();
    const destination = world.open();
    for (const each of spans(0, 5)) destination.offer(each);
    const flushed = destination.flush(1000);
    await world.time.pass(100);
    assert.equal(await flushed, true);
    assert.deepEqual(world.receiver.taken(), names(0, 5));
  });

  test('a flush tries at once, although a pause is on', async () => {
    const world = ground();
    world.receiver.answer = () => refusedConnection;
    const destination = world.open();
    await offerAll(world, destination, spans(0, 5));
    await world.time.pass(60_000);
    world.receiver.answer = () => ok;
    const flushed = destination.flush(1000);
    await world.time.pass(100);
    assert.equal(await flushed, true);
    assert.deepEqual(world.receiver.taken(), names(0, 5));
  });

  test('a flush of a receiver that never answers is false when the time is up', async () => {
    const world = ground();
    world.receiver.answer = () => new Promise(() => undefined);
    const destination = world.open();
    destination.offer(batch('traces', ['a']));
    const flushed = destination.flush(1000);
    await world.time.pass(1001);
    assert.equal(await flushed, false);
  });

  test('the end: what is on its way to a receiver that never answers is on disk afterwards, and delivered in the next life', async () => {
    const world = ground();
    world.receiver.answer = () => new Promise(() => undefined);
    const destination = world.open();
    for (const each of spans(0, 5)) destination.offer(each);
    const closed = destination.close(2000);
    await world.time.pass(2100);
    await closed;
    assert.equal(world.waiting().length, 5);
    world.receiver.answer = () => ok;
    world.open();
    await world.time.pass(1);
    assert.deepEqual(world.receiver.taken(), names(0, 5));
    assert.deepEqual(world.drops, []);
  });

  test('the end does not wait for a receiver that fails', async () => {
    const world = ground();
    world.receiver.answer = () => refusedConnection;
    const destination = world.open({ isWithoutSpool: true });
    await offerAll(world, destination, spans(0, 3));
    const closed = destination.close(60_000);
    await world.time.pass(0);
    await closed;
    assert.deepEqual(world.drops.map(({ reason }) => reason), ['shutdown', 'shutdown', 'shutdown']);
  });

  test('until when a receiver is to be left alone is still said after the end: whoever looks whether somebody should send goes by that', async () => {
    for (const [answer, least] of [[refusedConnection, 800], [answered(503, '', { 'retry-after': '120' }), 120_000]] as const) {
      const world = ground();
      world.receiver.answer = () => answer;
      const destination = world.open();
      await offerAll(world, destination, spans(0, 1));
      await destination.close(0);
      const nextTry = destination.stand().signals.traces?.nextTry ?? 0;
      assert.ok(nextTry - world.time.clock.now() >= least - 1, String(nextTry));
      await world.time.pass(600_000);
      assert.equal(world.receiver.requests.length, 1, 'and nothing is sent any more');
    }
  });

  test('an answer that comes after the end removes what was written down at the end', async () => {
    const world = ground();
    let release: () => void = () => undefined;
    world.receiver.answer = () => new Promise<ExportAnswer>((resolve) => { release = () => resolve(ok); });
    const destination = world.open();
    destination.offer(batch('traces', ['a']));
    const closed = destination.close(100);
    await world.time.pass(200);
    await closed;
    assert.equal(world.waiting().length, 1);
    release();
    await world.time.pass(0);
    assert.deepEqual(world.waiting(), []);
  });

  test('what is offered after the end is on disk, and without one is counted', async () => {
    for (const isWithoutSpool of [false, true]) {
      const world = ground();
      const destination = world.open({ isWithoutSpool });
      await destination.close(0);
      destination.offer(batch('traces', ['a']));
      await world.time.pass(60_000);
      assert.deepEqual(world.receiver.requests, []);
      assert.equal(world.waiting().length, isWithoutSpool ? 0 : 1);
      assert.deepEqual(world.drops.map(({ reason }) => reason), isWithoutSpool ? ['shutdown'] : []);
    }
  });

  test('a transport that throws is a receiver that is away', async () => {
    const world = ground();
    world.receiver.answer = () => { throw new Error('defect'); };
    const destination = world.open();
    destination.offer(batch('traces', ['a']));
    await world.time.pass(1);
    assert.match(destination.stand().signals.traces?.lastFailure?.words ?? '', /defect/);
    assert.equal(world.waiting().length, 1);
  });

  test('who counts drops may fail', async () => {
    const world = ground();
    const destination = world.open({ isWithoutSpool: true, countDrops: () => { throw new Error('no'); } });
    world.receiver.answer = () => answered(400);
    destination.offer(batch('traces', ['a']));
    await world.time.pass(1);
    assert.equal(destination.stand().signals.traces?.dropped.refused, 1);
  });
});

describe('what other processes hand over', () => {
  const handed = '/home/spool/telemetry/handed-over';
  const name = '1771165800000-00000001abcdef01-1.traces.jsonl';
  const file = (world: Ground): { name: string; size: number; modifiedMs: number } => world.spoolFiles.list(handed).find((each) => each.name === name) ?? { name, size: 0, modifiedMs: 0 };

  test('is linked into the folder, sent, and sent once', async () => {
    const world = ground();
    world.spoolFiles.write(base, `${handed}/${name}`, `${batch('traces', ['h']).body}\n`);
    world.receiver.answer = () => refusedConnection;
    const destination = world.open();
    assert.equal(destination.adopt(handed, file(world)), true);
    assert.equal(destination.adopt(handed, file(world)), true, 'once more, as after a crash');
    assert.deepEqual(world.waiting(), [name]);
    world.spoolFiles.remove(`${handed}/${name}`);
    world.receiver.answer = () => ok;
    await world.time.pass(10_000);
    assert.deepEqual(world.receiver.taken(), ['h']);
  });

  test('is copied where the file system has no links', async () => {
    const world = ground((files) => ({ ...files, link() { throw Object.assign(new Error('EPERM'), { code: 'EPERM' }); } }));
    world.spoolFiles.write(base, `${handed}/${name}`, `${batch('traces', ['h']).body}\n`);
    const destination = world.open();
    assert.equal(destination.adopt(handed, file(world)), true);
    await world.time.pass(0);
    assert.deepEqual(world.receiver.taken(), ['h']);
  });

  test('stays where it is while the disk takes nothing', () => {
    const world = ground((files) => ({ ...files, link() { throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' }); } }));
    world.spoolFiles.write(base, `${handed}/${name}`, `${batch('traces', ['h']).body}\n`);
    assert.equal(world.open().adopt(handed, file(world)), false);
  });

  test('is read into memory where there is no spool, and left while memory is full', async () => {
    const world = ground();
    world.spoolFiles.write(base, `${handed}/${name}`, `${batch('traces', ['h']).body}\n`);
    world.receiver.answer = () => refusedConnection;
    const destination = world.open({ isWithoutSpool: true, memory: { batches: 1, bytes: 1e6 } });
    destination.offer(batch('traces', ['a']));
    await world.time.pass(1);
    assert.equal(destination.adopt(handed, file(world)), false);
    world.receiver.answer = () => ok;
    await world.time.pass(5000);
    assert.equal(destination.adopt(handed, file(world)), true);
    await world.time.pass(0);
    assert.deepEqual(world.receiver.taken(), ['a', 'h']);
  });

  test('may go when nobody wants its signal, and is no file of ours when it has another name', () => {
    const world = ground();
    const destination = world.open({ endpoints: {} });
    assert.equal(destination.adopt(handed, { name, size: 1, modifiedMs: 0 }), true);
    assert.equal(destination.adopt(handed, { name: 'x.jsonl', size: 1, modifiedMs: 0 }), false);
  });
});
