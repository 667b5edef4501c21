// Are the books of a day in order?

import { html, Button, Notice, Trouble, useAct, useState } from '../ui.js';
import { t } from '../text.js';
import { get } from '../door.js';
import { DayField, isDay, today } from '../dayfield.js';

const sums = ['institutions', 'settlements', 'accounts', 'entries'];

export function Proofs() {
  const [day, choose] = useState(today());
  const [told, tell] = useState(null);
  const [prove, { busy, problem }] = useAct(async () => {
    const sum = { day, ok: true, faults: [], institutions: 0, settlements: 0, accounts: 0, entries: 0 };
    tell(null);
    let after = '';
    do { // a large day is proven piece by piece
      const proof = await get(`/v1/proofs/${day.replaceAll('-', '')}${after && '?after=' + after}`);
      sum.ok &&= proof.ok;
      sum.faults.push(...proof.faults);
      for (const s of sums) sum[s] += proof[s];
      after = proof.next_after ?? '';
      tell({ ...sum, more: after !== '' });
    } while (after);
  });
  const [note, keep] = useState(null);
  const [fetchNote, signing] = useAct(async () => keep(await get(`/v1/checkpoints/${day.replaceAll('-', '')}`)));
  return html`<div class="stack"><section class="card"><p class="lead">${t('proof.lead')}</p>
      <${DayField} label=${t('proof.day')} value=${day} onDay=${(text) => { choose(text); keep(null); }} steps />
      <${Button} kind="main" busy=${busy} disabled=${!isDay(day)} onClick=${prove}>${t('proof.do')}<//><${Trouble} problem=${problem} again=${prove} />
      <p class="hint">${t('proof.signed.more')}</p><${Button} icon="paper" busy=${signing.busy} disabled=${!isDay(day)} onClick=${fetchNote}>${t('proof.signed')}<//><${Trouble} problem=${signing.problem} />
      ${note && html`<pre class="note" tabindex="0">${note.note}</pre>`}</section>
    ${told && html`<section class="card" aria-live="polite">
      ${told.more ? html`<p role="status">${t('proof.going')}</p>` : html`<${Notice} kind=${told.ok ? 'good' : 'bad'} title=${t(told.ok ? 'proof.ok' : 'proof.bad', { day: told.day })} />`}
      <dl class="totals">${sums.map((s) => html`<div><dt>${t(`proof.${s}`)}</dt><dd>${told[s]}</dd></div>`)}</dl>
      ${told.faults.length > 0 && html`<div class="scroll"><table><thead><tr><th>${t('proof.account')}</th><th>${t('proof.reference')}</th><th>${t('proof.what')}</th></tr></thead>
        <tbody>${told.faults.map((f) => html`<tr><td>${f.person_no ?? ''}</td><td>${f.reference ?? ''}</td><td>${f.what}</td></tr>`)}</tbody></table></div>`}</section>`}
  </div>`;
}
