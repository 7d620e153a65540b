// Mock of the Gemini API (generateContent and streamGenerateContent) that plays a script of steps.
import { serve, pick, callsOf, usageOf, json, sleep, transcript as toldAbout } from './common.mjs';

const textOf = content => (content?.parts ?? []).map(p => p.text ?? '').join('\n');

export const start = (steps, port) => serve(async ({ res, url, body, seen }) => {
  const [, model, method] = url.pathname.match(/\/models\/([^:/]+):(\w+)$/) ?? [];
  if (method === 'countTokens') return json(res, 200, { totalTokens: 10 });
  if (!/^(streamG|g)enerateContent$/.test(method ?? '')) return json(res, 404, { error: { code: 404, message: 'mock: no such route', status: 'NOT_FOUND' } });
  const contents = body.contents ?? [];
  const turn = contents.filter(c => c.role === 'model').length;
  const firstUser = contents.filter(c => c.role === 'user').map(textOf).join('\n');
  // Requests without tools are housekeeping (routing, summaries), not the agent loop.
  const step = body.tools?.length ? pick(steps, firstUser, turn).step : { text: body.generationConfig?.responseMimeType === 'application/json' ? '{}' : 'ok' };
  seen.step = step;
  if (step.delay) await sleep(step.delay);
  if (step.error) return json(res, step.error.status ?? 400, step.error.body ?? { error: { code: 400, message: 'mock error', status: 'INVALID_ARGUMENT' } });

  const parts = callsOf(step).map((c, i) => ({ functionCall: { id: `call_${turn}_${i}_${Date.now()}`, name: c.tool, args: c.input ?? {} } }));
  seen.calls = parts.map(({ functionCall: { id, name, args } }) => ({ id, tool: name, input: args }));
  if (step.text !== undefined) parts.unshift({ text: step.text });
  const u = usageOf(step);
  const response = {
    candidates: [{ index: 0, content: { role: 'model', parts }, finishReason: 'STOP' }],
    usageMetadata: { promptTokenCount: u.input, candidatesTokenCount: u.output, cachedContentTokenCount: u.cached, thoughtsTokenCount: u.reasoning, totalTokenCount: u.input + u.output + u.reasoning },
    modelVersion: model, responseId: `resp_${turn}_${Date.now()}`,
  };
  if (method === 'generateContent') return json(res, 200, response);
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  res.end(`data: ${JSON.stringify(response)}\n\n`);
}, port);

export const transcript = requests => toldAbout(requests, body => (body.contents ?? [])
  .flatMap(c => c.parts ?? []).filter(p => p.functionResponse).map(({ functionResponse: { id, response = {} } }) =>
    [id, { result: response.error ?? response.output ?? JSON.stringify(response), isError: response.error !== undefined }]));
