// The JSON door, as the pages use it.

import { token, signIn, claims } from './session.js';
import { either } from './text.js';

// Problem is the answer "no", or no answer at all: then `lost` is true, and nobody
// knows here whether the house did what was asked.
export class Problem extends Error {
  constructor(document, { lost = false } = {}) {
    super(document.code ?? 'no answer');
    Object.assign(this, document);
    this.document = document;
    this.lost = lost;
  }
}

const LIMIT = 20_000; // ms; the door itself gives up before

// ask sends one request and returns the answer's JSON, or what `as` says: a blob, its
// text, or the answer itself.
// Everything but 2xx throws a Problem.
export async function ask(method, path, { body, key, type, as, signal, problems = true } = {}) {
  const headers = {};
  if (token()) headers.Authorization = 'Bearer ' + token();
  if (key) headers['Idempotency-Key'] = key;
  if (body !== undefined) headers['Content-Type'] = type ?? 'application/json';
  const ending = new AbortController(); // by the caller, or by the time
  const timer = setTimeout(() => ending.abort(), LIMIT);
  signal?.addEventListener('abort', () => ending.abort());
  let answer;
  try {
    answer = await fetch(path, {
      method, headers, cache: 'no-store',
      body: body === undefined || type ? body : JSON.stringify(body),
      signal: ending.signal,
    });
    if (answer.status === 401 && claims()) await signIn(claims().sub);
    if (answer.status === 202 && problems) throw new Problem(await answer.json());
    if (answer.ok && as === 'answer') return answer;
    if (answer.ok) return as === 'blob' ? await answer.blob() : as === 'text' ? await answer.text() : answer.status === 204 ? null : await answer.json();
  } catch (error) {
    if (error instanceof Problem || signal?.aborted) throw error;
    throw new Problem({ code: 'no_answer', kind: 'unknown' }, { lost: true });
  } finally {
    clearTimeout(timer);
  }
  let document;
  try {
    document = await answer.json();
  } catch {
    document = {};
  }
  if (!document.code) document = { code: 'no_answer', kind: 'unknown', status: answer.status };
  throw new Problem(document, { lost: document.code === 'no_answer' });
}

export const get = (path, options) => ask('GET', path, options);
export const post = (path, body, options) => ask('POST', path, { ...options, body });

// all walks a list to its end, or to a bound: nobody reads more than that here.
export async function all(path, most = 300) {
  const items = [];
  let after = '';
  do {
    const page = await get(`${path}${path.includes('?') ? '&' : '?'}limit=100${after && '&after=' + encodeURIComponent(after)}`);
    items.push(...page.items);
    after = page.next_after ?? '';
  } while (after && items.length < most);
  return { items, more: after !== '' };
}

// once is a key for one act of a person, however often it has to be sent.
export const once = () => crypto.randomUUID();

// wordsOf says what a problem means, to the family or to the cashier, in the words of
// the house's catalogue.
export function wordsOf(problem, whom) {
  const texts = [whom === 'cashier' ? either(problem.cashier_zh, problem.cashier_en) : either(problem.person_zh, problem.person_en)];
  if (!texts[0]) texts[0] = either(problem.message_zh, problem.message_en);
  if (problem.rule_zh) texts.push(either(problem.rule_zh, problem.rule_en));
  return texts.filter(Boolean).join(' ');
}
