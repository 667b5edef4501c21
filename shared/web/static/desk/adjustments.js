// Putting an account right: one person proposes, another books it.

import { html, Button, Field, Money, Notice, Trouble, Waiting, Empty, useAct, useLoad, useState } from '../ui.js';
import { t, moment } from '../text.js';
import { all, post } from '../door.js';
import { fenOf } from '../money.js';

const reasons = ['duplicate_credit', 'missed_credit', 'wrong_amount', 'wrong_person', 'ruling'];
const states = ['proposed', 'booked', 'rejected'];

export function Adjustments({ claims }) {
  const [state, choose] = useState(states[0]);
  const { data, problem, again } = useLoad(() => all(`/v1/adjustments?state=${state}`), [state]);
  const operator = (claims.roles ?? []).includes('operator');
  return html`<div class="two"><section class="queue">
      <p class="lead">${t('adjust.lead')}</p>
      <div class="tabbar">${states.map((s) => html`<${Button} kind="tab" aria-pressed=${state === s ? 'true' : 'false'} onClick=${() => choose(s)}>${t(`adjust.${s}`)}<//>`)}</div>
      <${Trouble} problem=${problem} again=${again} />
      ${!data && !problem && html`<${Waiting} />`}
      ${data?.items.length === 0 && html`<${Empty} icon="done">${t('adjust.none')}<//>`}
      <ul class="stack">${(data?.items ?? []).map((j) => html`<${One} key=${j.reference + j.state} j=${j} me=${claims.sub} operator=${operator} done=${again} />`)}</ul>
    </section>
    ${operator && html`<${Propose} done=${() => { choose('proposed'); again(); }} />`}</div>`;
}

function One({ j, me, operator, done }) {
  const [run, { busy, problem }] = useAct(async (act) => {
    await post(`/v1/adjustments/${encodeURIComponent(j.reference)}/${act}`);
    done();
  });
  const mine = j.proposed_by === me;
  return html`<li class="card stack"><div class="row"><span class="grow"><b>${j.person_no}</b><small>${t(`adjust.${j.reason}`)} · ${t(`adjust.${j.pocket}`)}</small><small>${j.reference}</small></span><${Money} fen=${j.amount_fen} sign /></div>
    <p class="fine">${t('adjust.by', { who: j.proposed_by, when: moment(j.proposed_at) })}${j.decided_at ? ` · ${t(`adjust.${j.state}.by`, { who: j.decided_by, when: moment(j.decided_at) })}` : ''}</p>
    ${j.state === 'proposed' && operator && html`<${Trouble} problem=${problem} />${mine && html`<p class="hint">${t('adjust.other')}</p>`}
      <div class="pair"><${Button} busy=${busy} onClick=${() => run('reject')}>${t(mine ? 'adjust.back' : 'adjust.reject')}<//><${Button} kind="main" busy=${busy} disabled=${mine} onClick=${() => run('approve')}>${t('adjust.book')}<//></div>`}</li>`;
}

const blank = { reference: '', person_no: '', amount: '', take: false, pocket: 'current', reason: reasons[0] };

function Propose({ done }) {
  const [form, set] = useState(blank);
  const [sent, tell] = useState('');
  const change = (part) => {
    set((was) => ({ ...was, ...part }));
    tell('');
  };
  const fen = fenOf(form.amount);
  const [send, { busy, problem }] = useAct(async () => {
    await post('/v1/adjustments', { reference: form.reference, person_no: form.person_no, amount_fen: form.take ? -fen : fen, pocket: form.pocket, reason: form.reason });
    tell(form.reference);
    set(blank);
    done();
  });
  const typed = (key) => ({ autocomplete: 'off', value: form[key], onInput: (e) => change({ [key]: e.currentTarget.value.trim() }) });
  const chosen = (key, values) => (shared) => html`<select ...${shared} value=${form[key]} onChange=${(e) => change({ [key]: e.currentTarget.value })}>${values.map((v) => html`<option value=${v}>${t(`adjust.${v}`)}</option>`)}</select>`;
  return html`<section class="card propose"><h2>${t('adjust.new')}</h2>
    <${Field} label=${t('adjust.person')} maxlength="30" ...${typed('person_no')} />
    <div class="tabbar">${[false, true].map((take) => html`<${Button} kind="tab" aria-pressed=${form.take === take ? 'true' : 'false'} onClick=${() => change({ take })}>${t(take ? 'adjust.take' : 'adjust.give')}<//>`)}</div>
    <${Field} label=${t('adjust.amount')} inputmode="decimal" error=${form.amount && fen === null ? t('adjust.amount.error') : undefined} ...${typed('amount')} />
    <${Field} label=${t('adjust.pocket')}>${chosen('pocket', ['current', 'past'])}<//>
    <${Field} label=${t('adjust.reason')}>${chosen('reason', reasons)}<//>
    <${Field} label=${t('adjust.reference')} hint=${t('adjust.reference.hint')} maxlength="64" ...${typed('reference')} />
    <${Trouble} problem=${problem} />
    ${sent && html`<${Notice} kind="good">${t('adjust.sent', { reference: sent })}<//>`}
    <${Button} kind="main" busy=${busy} disabled=${!form.person_no || fen === null || !form.reference} onClick=${send}>${t('adjust.propose')}<//></section>`;
}
