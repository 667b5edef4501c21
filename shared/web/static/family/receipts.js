// 收据: what was paid, by whom, and what was not covered and why.

import { html, Page, Icon, Link, Money, Notice, Empty, Trouble, Waiting, Button, SayButton, useLoad, useState } from '../ui.js';
import { t, either, moment } from '../text.js';
import { get } from '../door.js';
import { yuan } from '../money.js';

export function Receipts() {
  const [chosen, choose] = useState(null); // patient or payer
  const [after, go] = useState('');
  const [before, keep] = useState([]);
  const { data, problem, again } = useLoad(async (signal) => {
    const list = async (role) => ({ role, ...(await get(`/v1/settlements?role=${role}&limit=20${after && '&after=' + after}`, { signal })) });
    if (chosen) return list(chosen);
    const mine = await list('patient');
    if (mine.items.length > 0) return mine;
    const paid = await list('payer'); // who only ever paid for others should not open an empty page
    return paid.items.length > 0 ? paid : mine;
  }, [chosen, after]);
  const role = chosen ?? data?.role ?? 'patient';
  const turn = (to) => {
    choose(to);
    go('');
    keep([]);
  };
  const items = [...before, ...(data?.items ?? [])];
  return html`<${Page} title=${t('receipts.title')} back="/">
    <div class="tabbar" role="group" aria-label=${t('receipts.title')}>${['patient', 'payer'].map((r) => html`<${Button} kind="tab" aria-pressed=${role === r ? 'true' : 'false'} onClick=${() => turn(r)}>${t(`receipts.${r}`)}<//>`)}</div>
    <${Trouble} problem=${problem} again=${again} />
    ${!data && !problem && html`<${Waiting} />`}
    ${data && items.length === 0 && html`<${Empty} icon="receipt">${t('receipts.none')}<//>`}
    <ul class="stack">${items.map((r) => html`<li><a class="card row" href=${`#/receipts/${r.settlement_id}`}>
      <span class="grow"><b>${r.institution.name}</b><small>${moment(r.settled_at)}</small><small>${title(r)}</small></span>
      <${Money} fen=${role === 'payer' ? r.paid_fen : r.total_fen ?? r.paid_fen} /></a></li>`)}</ul>
    ${data?.next_after && html`<${Button} onClick=${() => { keep(items); go(data.next_after); }}>${t('act.more')}<//>`}
  <//>`;
}

const title = (r) => t(r.kind !== 'settlement' ? `receipt.${r.kind}` : r.state === 'settled' ? 'receipt.for' : `receipt.${r.state}`, { name: r.patient.name_masked });

export function Receipt({ id, where }) {
  const { data: r, problem, again } = useLoad((signal) => get(`/v1/settlements/${id}`, { signal }), [id]);
  if (!r) return html`<${Page} title=${t('receipts.title')} back="/receipts"><${Trouble} problem=${problem} again=${again} />${!problem && html`<${Waiting} />`}<//>`;
  const now = where.endsWith('?now');
  return html`<${Page} title=${now ? t('receipt.now') : t('receipt.title')} back=${now ? '/' : '/receipts'}>
    <article class="card receipt">
      <header><span class="seal"><${Icon} name="done" /></span>
        <p>${title(r)}</p>
        <${Money} fen=${r.total_fen ?? r.paid_fen} big />
        <p class="fine">${r.institution.name}<br />${moment(r.settled_at)}</p></header>
      ${r.total_fen === undefined ? html`<${Payer} r=${r} />` : html`<${Parts} r=${r} />`}
      <footer class="fine"><span>${t('receipt.number')}</span> <code>${r.settlement_id}</code>${r.policy && html`<br />${t('binding.policy')} ${r.policy}`}</footer>
    </article>
    <${SayButton} text=${r.total_fen === undefined ? t('say.paid', { amount: yuan(r.paid_fen) }) : t('say.receipt', { total: yuan(r.total_fen), cash: yuan(r.cash_due_fen) })} />
    ${r.original_settlement_id && html`<${Link} href=${`/receipts/${r.original_settlement_id}`}>${t('receipt.original')}<//>`}
    <${Link} kind=${now ? 'main' : 'plain'} href="/">${t('tab.home')}<//>
  <//>`;
}

// Payer sees what he paid; the lines are the patient's own.
const Payer = ({ r }) => html`<dl class="parts"><div><dt>${t('receipt.you')}</dt><dd><${Money} fen=${r.paid_fen} /></dd></div></dl>
  <${Notice}>${t('receipt.private')}<//>`;

// Parts is who paid what, in the order in which they are asked.
export function Parts({ r }) {
  const uncovered = (r.lines ?? []).filter((l) => l.out_of_scope_fen || l.over_limit_fen);
  const own = r.out_of_scope_fen + r.over_limit_fen;
  const bars = [['fund', r.fund_paid_fen], ['own', r.own_paid_fen], ['shared', r.shared_paid_fen], ['cash', r.cash_due_fen]].filter(([, fen]) => fen);
  return html`
    <div class="split" aria-hidden="true">${bars.map(([name, fen]) => html`<i class=${name} style=${{ flexGrow: Math.abs(fen) }}></i>`)}</div>
    <dl class="parts">
      <div class="fund"><dt>${t('part.fund')}<small>${t('part.fund.more')}</small></dt><dd><${Money} fen=${r.fund_paid_fen} /></dd></div>
      <div class="own"><dt>${t('part.own')}</dt><dd><${Money} fen=${r.own_paid_fen} /></dd></div>
      ${(r.shares ?? []).map((s) => html`<div class="shared"><dt>${t('part.shared', { name: s.grantor_masked })}<small>${t('part.shared.more', { relation: either(s.relation_zh, s.relation_en) })}${s.reason && html`<br />${either(s.reason_zh, s.reason_en)}`}</small></dt><dd><${Money} fen=${s.paid_fen} /></dd></div>`)}
      <div class="cash"><dt>${t('part.cash')}${own !== 0 && r.cash_due_fen !== 0 && html`<small>${t('part.cash.more')}</small>`}</dt><dd><${Money} fen=${r.cash_due_fen} /></dd></div>
    </dl>
    ${uncovered.length > 0 && html`<section class="uncovered"><h2>${t('receipt.uncovered')}</h2>
      <ul>${uncovered.map((l) => html`<li><b>${l.name}</b> <${Money} fen=${l.out_of_scope_fen + l.over_limit_fen} /><p>${either(l.reason_zh, l.reason_en)}</p></li>`)}</ul>
      <p class="fine">${t('receipt.law')}</p></section>`}
    ${r.lines && html`<details class="lines"><summary>${t('receipt.lines', { n: r.lines.length })}</summary>
      <ul>${r.lines.map((l) => html`<li><span class="grow"><b>${l.name} × ${l.quantity}</b><small>${t(`class.${l.class}`)} · ${either(l.reason_zh, l.reason_en)}</small></span><${Money} fen=${l.amount_fen} /></li>`)}</ul></details>`}`;
}
