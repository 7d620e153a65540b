// Mock of the OpenAI API that plays a script of steps: POST /v1/responses (Codex) and
// POST /v1/chat/completions (opencode and other OpenAI-compatible clients).
import { serve, pick, callsOf, usageOf, json, sleep, transcript as toldAbout } from './common.mjs';

const textOf = content => typeof content === 'string' ? content
  : Array.isArray(content) ? content.map(p => p.text ?? '').join('\n') : content?.content ?? '';

// Codex puts the tools of its newer models into an input item, inside namespaces.
const toolsOf = body => [...(body.tools ?? []), ...(body.input ?? []).flatMap(i => i.type === 'additional_tools' ? i.tools : [])].flatMap(t => [t, ...(t.tools ?? [])]);

function responses(res, body, step, turn, seen) {
  const stamp = `${turn}_${Date.now()}`, u = usageOf(step);
  const freeform = new Set(toolsOf(body).filter(t => t.type === 'custom').map(t => t.name));
  const output = callsOf(step).map((c, i) => {
    const call = { id: `item_${stamp}_${i}`, call_id: `call_${stamp}_${i}`, name: c.tool, ...(c.namespace && { namespace: c.namespace }) };
    return freeform.has(c.tool) || typeof c.input === 'string'
      ? { type: 'custom_tool_call', status: 'completed', ...call, input: String(c.input) }
      : { type: 'function_call', status: 'completed', ...call, arguments: JSON.stringify(c.input ?? {}) };
  });
  seen.calls = output.map((o, i) => ({ id: o.call_id, tool: o.name, input: callsOf(step)[i].input }));
  if (step.text !== undefined) output.unshift({ type: 'message', id: `msg_${stamp}`, role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: step.text, annotations: [] }] });
  const response = {
    id: `resp_${stamp}`, object: 'response', model: body.model, status: 'completed', output,
    usage: { input_tokens: u.input, input_tokens_details: { cached_tokens: u.cached }, output_tokens: u.output, output_tokens_details: { reasoning_tokens: u.reasoning }, total_tokens: u.input + u.output },
  };
  if (!body.stream) return json(res, 200, response);
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (type, data) => res.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
  send('response.created', { response: { ...response, status: 'in_progress', output: [], usage: null } });
  output.forEach((item, output_index) => {
    send('response.output_item.added', { output_index, item: { ...item, status: 'in_progress' } });
    if (item.type === 'message') send('response.output_text.delta', { output_index, item_id: item.id, content_index: 0, delta: step.text });
    send('response.output_item.done', { output_index, item });
  });
  send('response.completed', { response });
  res.end();
}

function chat(res, body, step, turn, seen) {
  const stamp = `${turn}_${Date.now()}`, u = usageOf(step);
  const tool_calls = callsOf(step).map((c, i) => ({ index: i, id: `call_${stamp}_${i}`, type: 'function', function: { name: c.tool, arguments: JSON.stringify(c.input ?? {}) } }));
  seen.calls = tool_calls.map((c, i) => ({ id: c.id, tool: c.function.name, input: callsOf(step)[i].input }));
  const finish_reason = tool_calls.length ? 'tool_calls' : 'stop';
  const message = { role: 'assistant', content: step.text ?? null, ...(tool_calls.length && { tool_calls }) };
  const usage = {
    prompt_tokens: u.input, completion_tokens: u.output, total_tokens: u.input + u.output,
    prompt_tokens_details: { cached_tokens: u.cached }, completion_tokens_details: { reasoning_tokens: u.reasoning },
  };
  const base = { id: `chatcmpl_${stamp}`, created: Math.floor(Date.now() / 1000), model: body.model };
  if (!body.stream) return json(res, 200, { ...base, object: 'chat.completion', choices: [{ index: 0, message, finish_reason }], usage });
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (choices, extra) => res.write(`data: ${JSON.stringify({ ...base, object: 'chat.completion.chunk', choices, ...extra })}\n\n`);
  send([{ index: 0, delta: message, finish_reason: null }]);
  send([{ index: 0, delta: {}, finish_reason }]);
  send([], { usage });
  res.write('data: [DONE]\n\n');
  res.end();
}

export const start = (steps, port) => serve(async ({ req, res, url, body, seen }) => {
  const isChat = url.pathname.endsWith('/chat/completions');
  if (req.method !== 'POST' || !body || !(isChat || url.pathname.endsWith('/responses'))) return json(res, 404, { error: { message: 'mock: no such route' } });
  const items = (isChat ? body.messages : body.input) ?? [];
  // One turn is one distinct call stamp, or one assistant text that no call follows.
  const ids = items.flatMap(m => m.tool_calls?.map(c => c.id) ?? (/_call$/.test(m.type) ? [m.call_id] : [])).map(id => id?.replace(/_\d+$/, ''));
  const turn = new Set(ids).size 
    + items.filter((m, i) => m.role === 'assistant' && !m.tool_calls && !/_call$/.test(items[i + 1]?.type)).length;
  const firstUser = items.filter(m => m.role === 'user').map(m => textOf(m.content)).join('\n');
  // Requests without tools are housekeeping (titles, summaries), not the agent loop.
  const step = toolsOf(body).length ? pick(steps, firstUser, turn).step : { text: 'ok' };
  seen.step = step;
  if (step.delay) await sleep(step.delay);
  if (step.error) return json(res, step.error.status ?? 400, step.error.body ?? { error: { message: 'mock error', type: 'invalid_request_error' } });
  (isChat ? chat : responses)(res, body, step, turn, seen);
}, port);

export const transcript = requests => toldAbout(requests, body => (body.messages ?? body.input ?? [])
  .filter(m => m.role === 'tool' || /_call_output$/.test(m.type))
  .map(m => [m.tool_call_id ?? m.call_id, { result: textOf(m.content ?? m.output) }]));
