// 这次能不能付: a quote that moves nothing, for those who want to know before they go.

import { html, Page, Button, Field, Icon, Notice, Trouble, SayButton, useAct, useEffect, useState } from '../ui.js';
import { t, either } from '../text.js';
import { post } from '../door.js';
import { amountOf, fenOf, partsOf, quantityOf, yuan } from '../money.js';
import { relationOf, other } from './kin.js';
import { Parts } from './receipts.js';
import { Search } from '../search.js';

export function Check({ bindings }) {
  const members = (bindings.data?.items ?? []).filter((b) => b.role === 'holder' && b.state === 'active');
  const [who, choose] = useState('');
  const [place, setPlace] = useState(null);
  const [lines, setLines] = useState([]);
  const [answer, setAnswer] = useState(null);
  const touched = () => setAnswer(null);
  useEffect(touched, [who, place, lines]);
  const [run, { busy, problem }] = useAct(async () => {
    setAnswer(await post('/v1/checks', {
      ...(who && { binding_id: who }), institution_code: place.code, med_type: place.kind === 'pharmacy' ? '41' : '11',
      lines: lines.map((l, i) => {
        const parts = partsOf(l.quantity), price = fenOf(l.price);
        return { line_no: i + 1, code: l.code, name: l.name, quantity: quantityOf(parts), unit_price_fen: price, amount_fen: amountOf(price, parts) };
      }),
    }));
  });
  const ready = place && lines.length > 0 && lines.every((l) => fenOf(l.price) !== null && partsOf(l.quantity) !== null);
  const change = (i, part) => setLines(lines.map((l, j) => (j === i ? { ...l, ...part } : l)));
  return html`<${Page} title=${t('check.title')} back="/">
    <p class="lead">${t('check.lead')}</p>
    <section class="card">
      <${Field} label=${t('check.who')}>${(shared) => html`<select ...${shared} value=${who} onChange=${(e) => choose(e.currentTarget.value)}>
        <option value="">${t('check.me')}</option>${members.map((b) => html`<option value=${b.binding_id}>${relationOf(b)} ${other(b)}</option>`)}</select>`}<//>
      <${Search} label=${t('check.where')} hint=${t('check.where.hint')} path="/v1/institutions" chosen=${place?.name} choose=${setPlace} line=${(p) => html`<b>${p.name}</b><small>${t(`kind.${p.kind}`)}</small>`} />
      <${Search} label=${t('check.what')} hint=${t('check.what.hint')} path="/v1/catalogue" choose=${(item) => setLines([...lines, { code: item.code, name: item.name, price: '', quantity: '1' }])} line=${(item) => html`<b>${item.name}</b><small>${t(`class.${item.class}`)}</small>`} />
      <ul class="basket">${lines.map((l, i) => html`<li><b class="grow">${l.name}</b>
        <${Field} label=${t('check.price')} inputmode="decimal" autocomplete="off" value=${l.price} onInput=${(e) => change(i, { price: e.currentTarget.value })} />
        <${Field} label=${t('check.quantity')} inputmode="decimal" autocomplete="off" value=${l.quantity} onInput=${(e) => change(i, { quantity: e.currentTarget.value })} />
        <button type="button" class="round" aria-label=${t('act.remove', { name: l.name })} onClick=${() => setLines(lines.filter((_, j) => j !== i))}><${Icon} name="close" /></button></li>`)}</ul>
    </section>
    <${Trouble} problem=${problem} />
    <${Button} kind="main" disabled=${!ready} busy=${busy} onClick=${run}>${t('check.run')}<//>
    ${answer && html`<${Verdict} r=${answer} />`}
  <//>`;
}

// Verdict is the answer as one sentence, what stands in the way and what would mend
// it, then the amounts.
function Verdict({ r }) {
  const kind = { yes: 'good', partly: 'wait', no: 'bad' }[r.will_pay];
  const c = r.condition;
  const sums = r.will_pay === 'partly' ? t('check.sum', { covered: yuan(r.total_fen - r.cash_due_fen), cash: yuan(r.cash_due_fen) }) : '';
  const sentence = `${either(r.answer_zh, r.answer_en)} ${sums}`.trim();
  return html`<section class="stack" aria-live="polite">
    <${Notice} kind=${kind} title=${sentence}>
      ${c && html`<span>${c.line_no ? r.lines.find((l) => l.line_no === c.line_no)?.name + '：' : ''}${either(c.message_zh, c.message_en)} ${either(c.rule_zh, c.rule_en)}</span>
        ${c.mend_zh && html`<br /><b>${either(c.mend_zh, c.mend_en)}</b>`}`}<//>
    <div class="card receipt"><${Parts} r=${r} /></div><${SayButton} text=${sentence} /></section>`;
}
