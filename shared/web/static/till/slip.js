// A settlement that is done: what is still to be taken, and the slip to print.

import { html, Button, Icon, Money, useEffect, useRef } from '../ui.js';
import { t, either, moment } from '../text.js';
import { yuan } from '../money.js';

export function Slip({ settlement: s, name, again }) {
  const next = useRef();
  useEffect(() => { next.current?.querySelector('button')?.focus(); }, []);
  const back = s.kind !== 'settlement';
  return html`<div class="settled">
    <section class="card" role="status"><span class="seal"><${Icon} name="done" /></span>
      <h2>${t(`slip.${s.kind}`)}</h2>
      <div class="due"><span>${t(back ? 'sum.cash.back' : 'sum.cash.take')}</span><${Money} fen=${Math.abs(s.cash_due_fen)} big /></div>
      <p>${t('sale.who', { name: s.patient.name_masked })}</p>
      <div class="pair" ref=${next}><${Button} kind="main" onClick=${again}>${t('sale.next')} <kbd>F9</kbd><//><${Button} icon="print" onClick=${() => print()}>${t('slip.print')}<//></div>
    </section>
    <${Paper} s=${s} name=${name} />
  </div>`;
}

const Row = ({ label, fen, strong }) => html`<div class=${strong ? 'strong' : ''}><span>${label}</span><span>${yuan(fen)}</span></div>`;

// Paper is the slip as it is printed, 80 mm wide.
export const Paper = ({ s, name }) => html`<article class="paper" aria-label=${t('slip.title')}>
  <h3>${name}</h3><p class="middle">${t('slip.title')}${s.kind !== 'settlement' ? ` · ${t(`slip.${s.kind}`)}` : ''}</p>
  <p>${t('slip.patient')} ${s.patient.name_masked}<br />${t('slip.time')} ${moment(s.settled_at)}<br />${t('slip.number')} ${s.settlement_id}</p><hr />
  ${s.lines.map((l) => html`<div><span>${l.name} × ${l.quantity}<small>${t(`class.${l.class}`)}${l.out_of_scope_fen + l.over_limit_fen ? ` · ${either(l.reason_zh, l.reason_en)}` : ''}</small></span><span>${yuan(l.amount_fen)}</span></div>`)}<hr />
  <${Row} label=${t('sum.total')} fen=${s.total_fen} strong /><${Row} label=${t('part.fund')} fen=${s.fund_paid_fen} /><${Row} label=${t('part.own')} fen=${s.own_paid_fen} />
  ${s.shares.map((share) => html`<${Row} label=${t('part.shared', { name: share.grantor_masked })} fen=${share.paid_fen} />`)}
  <${Row} label=${t('sum.cash')} fen=${s.cash_due_fen} strong /><hr />
  <p class="middle">${t('slip.unit')} · ${s.policy}</p></article>`;

