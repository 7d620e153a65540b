// Mock of the Anthropic Messages API (streaming and not) that plays a script of steps.
import { serve, pick, callsOf, usageOf, json, sleep, transcript as toldAbout } from './common.mjs';

const textOf = content => typeof content === 'string' ? content
  : (content ?? []).map(b => b.type === 'text' ? b.text : '').join('\n');

export const start = (steps, port) => serve(async ({ res, url, body, seen }) => {
  if (url.pathname === '/v1/messages/count_tokens') return json(res, 200, { input_tokens: 10 });
  if (url.pathname !== '/v1/messages') return json(res, 404, { type: 'error', error: { type: 'not_found_error', message: 'mock' } });
  const messages = body.messages ?? [];
  const turn = messages.filter(m => m.role === 'assistant').length;
  const firstUser = textOf(messages.find(m => m.role === 'user')?.content);
  // Requests without tools are housekeeping (titles, summaries, classifiers), not the agent loop.
  const step = body.tools?.length ? pick(steps, firstUser, turn).step : { text: 'ok' };
  seen.step = step;
  if (step.delay) await sleep(step.delay);
  if (step.error) return json(res, step.error.status ?? 400, step.error.body ?? { type: 'error', error: { type: 'invalid_request_error', message: 'mock error' } });

  const stamp = Date.now();
  const content = callsOf(step).map((c, i) => ({ type: 'tool_use', id: `toolu_${turn}_${i}_${stamp}`, name: c.tool, input: c.input }));
  seen.calls = content.map(({ id, name, input }) => ({ id, tool: name, input }));
  if (step.text !== undefined) content.unshift({ type: 'text', text: step.text });
  const stop_reason = callsOf(step).length ? 'tool_use' : 'end_turn';
  const u = usageOf(step);
  const usage = { input_tokens: u.input, output_tokens: u.output, cache_read_input_tokens: u.cached, cache_creation_input_tokens: u.cacheWrite };
  const message = { id: `msg_${stamp}`, type: 'message', role: 'assistant', model: body.model, content, stop_reason, stop_sequence: null, usage };
  if (!body.stream) return json(res, 200, message);

  res.writeHead(200, { 'content-type': 'text/event-stream', 'request-id': `req_${stamp}` });
  const send = (type, data) => res.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
  send('message_start', { message: { ...message, content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 } } });
  content.forEach((block, index) => {
    const call = block.type === 'tool_use';
    send('content_block_start', { index, content_block: call ? { ...block, input: {} } : { type: 'text', text: '' } });
    send('content_block_delta', { index, delta: call ? { type: 'input_json_delta', partial_json: JSON.stringify(block.input) } : { type: 'text_delta', text: block.text } });
    send('content_block_stop', { index });
  });
  send('message_delta', { delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: u.output } });
  send('message_stop', {});
  res.end();
}, port);

export const transcript = requests => toldAbout(requests, body => (body.messages ?? [])
  .flatMap(m => Array.isArray(m.content) ? m.content : []).filter(b => b.type === 'tool_result')
  .map(b => [b.tool_use_id, { result: textOf(b.content), isError: b.is_error === true }]));
