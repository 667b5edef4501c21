// What the insurer's own systems know, from a file: one record a line, sent in parts,
// each line answered. A bad line never stops the others, and a file sent again changes
// nothing.

import { html, Button, Field, Icon, Notice, Trouble, useAct, useRef, useState } from '../ui.js';
import { t, either } from '../text.js';
import { ask } from '../door.js';

const feeds = ['persons', 'institutions', 'catalogue', 'credits', 'registry', 'dues', 'rollovers'];
const LINES = 200, BYTES = 1 << 20; // one part at most

// partsOf cuts a file's lines into parts, each with the number of its first line.
export function partsOf(text) {
  const parts = [];
  let lines = [], size = 0, first = 1;
  text.split('\n').forEach((line, i) => {
    if (lines.length === LINES || (lines.length > 0 && size + line.length * 3 > BYTES)) {
      parts.push({ first, lines });
      lines = [];
      size = 0;
      first = i + 1;
    }
    lines.push(line);
    size += line.length * 3; // a character of ours has three bytes at most here
  });
  if (lines.some((line) => line.trim() !== '')) parts.push({ first, lines });
  return parts;
}

export function Feeds() {
  const [feed, choose] = useState(feeds[0]);
  const [file, take] = useState(null);
  const [told, tell] = useState(null);
  const stopped = useRef(false);
  const [send, { busy, problem }] = useAct(async () => {
    const parts = partsOf(await file.text());
    const sum = { of: parts.length, done: 0, created: 0, updated: 0, unchanged: 0, wrong: [] };
    stopped.current = false;
    for (const part of parts) {
      if (stopped.current) break;
      const answer = await ask('POST', `/v1/${feed}`, { body: part.lines.join('\n'), type: 'application/x-ndjson', as: 'text' });
      for (const line of answer.split('\n').filter(Boolean).map((l) => JSON.parse(l))) {
        if (line.result) sum[line.result] += 1;
        else if (sum.wrong.length < 500) sum.wrong.push({ ...line, line: part.first + line.line - 1 });
      }
      sum.done += 1;
      tell({ ...sum });
    }
  });
  return html`<div class="stack"><section class="card feed">
      <p class="lead">${t('feed.lead')}</p>
      <${Field} label=${t('feed.what')}>${(shared) => html`<select ...${shared} value=${feed} disabled=${busy} onChange=${(e) => { choose(e.currentTarget.value); tell(null); }}>${feeds.map((f) => html`<option value=${f}>${t(`feed.${f}`)}</option>`)}</select>`}<//>
      <div class="file"><label class="button"><${Icon} name="paper" /><span>${t('feed.file')}</span><input type="file" class="hidden" accept=".ndjson,.jsonl,.json,application/x-ndjson" disabled=${busy} onChange=${(e) => { take(e.currentTarget.files[0] ?? null); tell(null); }} /></label>
        <span class="grow">${file ? html`<b>${file.name}</b>` : html`<span class="hint">${t('feed.hint')}</span>`}</span></div>
      <div class="pair"><${Button} kind="main" busy=${busy} disabled=${!file} onClick=${send}>${t('feed.send')}<//>${busy && html`<${Button} onClick=${() => { stopped.current = true; }}>${t('feed.stop')}<//>`}</div>
      <${Trouble} problem=${problem} again=${send} />
    </section>
    ${told && html`<section class="card" aria-live="polite"><label class="progress">${t('feed.progress', { done: told.done, of: told.of })}<progress max=${told.of} value=${told.done}></progress></label>
      <dl class="totals">${['created', 'updated', 'unchanged'].map((k) => html`<div><dt>${t(`feed.${k}`)}</dt><dd>${told[k]}</dd></div>`)}<div><dt>${t('feed.wrong')}</dt><dd>${told.wrong.length}</dd></div></dl>
      ${told.done === told.of && told.wrong.length === 0 && html`<${Notice} kind="good">${t('feed.all')}<//>`}
      ${told.wrong.length > 0 && html`<div class="scroll"><table><thead><tr><th>${t('feed.line')}</th><th>${t('feed.field')}</th><th>${t('feed.why')}</th></tr></thead>
        <tbody>${told.wrong.map((w) => html`<tr><td>${w.line}</td><td>${w.field ?? ''}</td><td>${either(w.message_zh, w.message_en)}<small>${w.detail ?? ''}</small></td></tr>`)}</tbody></table></div>`}</section>`}
  </div>`;
}
