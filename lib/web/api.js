/** Talking to the control plane that served this page, and to nothing else. */

/** The JSON of a path. Throws an error with words for people, and with the `status` of an answer that is a refusal. */
export function getJson(path, signal) {
  return ask(path, { headers: { Accept: 'application/json' }, signal, cache: 'no-store' });
}

/** As `getJson`, for what changes something: `body` is sent as JSON. */
export function sendJson(path, body, signal) {
  return ask(path, { method: 'POST', headers: { Accept: 'application/json', 'Content-Type': 'application/json' }, body: JSON.stringify(body), signal, cache: 'no-store' });
}

async function ask(path, options) {
  const { signal } = options;
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Error('The control plane does not answer. Start it with: loki dashboard');
  }
  const body = await response.json().catch(() => null);
  if (response.ok) return body;
  const words = body?.detail ? `${body.detail}. ${body.hint ?? ''} (${body.request_id})` : `The control plane answered ${response.status}`;
  throw Object.assign(new Error(words), { status: response.status });
}

/**
 * An event stream that goes on after interruptions, rests while the page is hidden (a browser allows few connections) and
 * starts over when its place is no longer kept. `on` has a function for each event name; `restart` is called before
 * everything comes again; `state` hears `live` and `reconnecting`. Returns what closes it.
 */
export function openStream(pathFor, { on, restart, state }) {
  let source = null;
  let last = '';
  let ended = false;
  let timer = 0;
  let patience = 3000;
  const stop = () => {
    clearTimeout(timer);
    source?.close();
    source = null;
  };
  const start = () => {
    stop();
    if (ended || document.hidden) return;
    source = new EventSource(pathFor(last));
    source.onopen = () => {
      patience = 3000;
      state?.('live');
    };
    source.onerror = () => {
      state?.('reconnecting');
      if (source?.readyState !== EventSource.CLOSED) return;
      // Closed for good: the place is gone, or the control plane is. Either way from the start, after a while.
      last = '';
      timer = setTimeout(() => {
        restart?.();
        start();
      }, patience);
      patience = Math.min(60_000, patience * 2);
    };
    for (const [name, handle] of Object.entries(on)) {
      source.addEventListener(name, (event) => {
        if (event.lastEventId !== '') last = event.lastEventId;
        handle(JSON.parse(event.data));
      });
    }
    source.addEventListener('end', () => {
      ended = true;
      stop();
      state?.('ended');
    });
  };
  const onVisibility = () => (document.hidden ? stop() : start());
  document.addEventListener('visibilitychange', onVisibility);
  start();
  return () => {
    ended = true;
    stop();
    document.removeEventListener('visibilitychange', onVisibility);
  };
}
