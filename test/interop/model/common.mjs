// Shared by the three mock model servers: a loopback HTTP server and the step script.
//
// A script is an array of steps; turn n of a conversation is answered with step n (the last
// step repeats); or a function of the first user message and the turn, which gives the step. A step is one of
//   { "text": "..." }                                  final answer
//   { "tool": "Bash", "input": {...} }                 one tool call
//   { "calls": [{ "tool", "input" }, ...] }            several tool calls in one turn
//   { "error": { "status": 400, "body": {...} } }      an HTTP error
// and may carry "usage": { input, output, cached, cacheWrite, reasoning }, "delay": ms, and, on a
// call that starts a subagent, "sub": [steps] - the script of the subagent whose first user
// message contains input.prompt (or input.message).
import http from 'node:http';

export const usageOf = step => ({ input: 100, output: 20, cached: 0, cacheWrite: 0, reasoning: 0, ...step.usage });
export const callsOf = step => step.calls ?? (step.tool ? [step] : []);

export function pick(steps, firstUserText, turn) {
  if (typeof steps === 'function') return { step: steps(firstUserText, turn), depth: 0 };
  for (const call of steps.flatMap(callsOf)) {
    if (!call.sub) continue;
    const inner = pick(call.sub, firstUserText, turn);
    if (inner.depth > 0) return inner;
    const task = call.input?.prompt ?? call.input?.message;
    if (task && firstUserText.includes(task)) return { step: call.sub[Math.min(turn, call.sub.length - 1)], depth: 1 };
  }
  return { step: steps[Math.min(turn, steps.length - 1)], depth: 0 };
}

// Every tool call the mock made, with what the model was later told about it. resultsOf(body)
// lists the tool results in one request body as [call id, { result, isError }].
export function transcript(requests, resultsOf) {
  const results = new Map(requests.flatMap(r => resultsOf(r.body ?? {})));
  return requests.flatMap(r => r.calls ?? []).map(call => ({ ...call, ...results.get(call.id) }));
}

// handle({ req, res, url, body, seen }) answers one request; requests keeps every parsed body.
export function serve(handle, port = 0) {
  const requests = [];
  const server = http.createServer((req, res) => {
    const chunks = [];
    req.on('data', c => chunks.push(c));
    req.on('end', async () => {
      let body;
      try { body = JSON.parse(Buffer.concat(chunks).toString('utf8')); } catch { body = undefined; }
      const url = new URL(req.url, 'http://127.0.0.1');
      const seen = { method: req.method, path: url.pathname, headers: req.headers, body };
      requests.push(seen);
      try { await handle({ req, res, url, body, seen }); }
      catch (e) { if (!res.headersSent) res.statusCode = 500; res.end(String(e?.stack ?? e)); }
    });
  });
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(port, '127.0.0.1', () => resolve({
      port: server.address().port,
      url: `http://127.0.0.1:${server.address().port}`,
      requests,
      close: () => new Promise(r => { server.closeAllConnections(); server.close(r); }),
    }));
  });
}

export const json = (res, status, value) => {
  res.writeHead(status, { 'content-type': 'application/json' });
  res.end(JSON.stringify(value));
};
export const sleep = ms => new Promise(r => setTimeout(r, ms));
