// The day: what was settled and given back, its sums, and undoing.

import { html, Button, Field, Icon, Money, Notice, Sheet, Trouble, Waiting, Empty, useAct, useLoad, useState } from '../ui.js';
import { t, moment, stamp } from '../text.js';
import { get } from '../door.js';
import { partsOf, quantityOf } from '../money.js';
import { Paper, Slip } from './slip.js';
import { newID } from './sent.js';
import { DayField, isDay } from '../dayfield.js';
import { csv, save, table, xlsx } from './export.js';

const MOST = 2000; // settlements that one list holds

async function dayOf(day, signal) {
  const items = [];
  let after = '', first;
  do {
    const page = await get(`/v1/days/${day}?limit=100${after && '&after=' + after}`, { signal });
    first ??= page;
    items.push(...page.items);
    after = page.next_after ?? '';
  } while (after && items.length < MOST);
  return { totals: first.totals, items, more: after !== '' };
}

export function Day({ code, name, pending }) {
  const [day, choose] = useState(stamp().slice(0, 8));
  const [open, show] = useState(null);
  const { data, problem, again } = useLoad((signal) => dayOf(day, signal), [day, pending.lost]);
  const written = `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`;
  const file = `gongji-${code}-${day}`;
  return html`<div class="day">
    <header class="row"><${DayField} label=${t('day.day')} value=${written} onDay=${(text) => isDay(text) && choose(text.replaceAll('-', ''))} steps />
      <span class="grow"></span>
      ${data?.items.length > 0 && html`<${Button} onClick=${() => save(`${file}.csv`, 'text/csv', csv(table(data.items)))}>CSV<//>
        <${Button} onClick=${() => save(`${file}.xlsx`, 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', xlsx(written, table(data.items)))}>XLSX<//>`}</header>
    <${Trouble} problem=${problem} again=${again} whom="cashier" />
    ${!data && !problem && html`<${Waiting} />`}
    ${data && html`<dl class="card totals">${[['day.count', data.totals.settlements], ['day.back', data.totals.given_back]].map(([key, n]) => html`<div><dt>${t(key)}</dt><dd>${n}</dd></div>`)}
      ${[['sum.total', 'total_fen'], ['part.fund', 'fund_paid_fen'], ['part.own', 'own_paid_fen'], ['day.shared', 'shared_paid_fen'], ['sum.cash', 'cash_due_fen']].map(([key, part]) => html`<div><dt>${t(key)}</dt><dd><${Money} fen=${data.totals[part]} /></dd></div>`)}</dl>
      ${!data.totals.complete && html`<${Notice} kind="wait">${t('day.incomplete')}<//>`}
      ${data.items.length === 0 && html`<${Empty} icon="receipt">${t('day.none')}<//>`}
      ${data.items.length > 0 && html`<div class="card scroll"><table class="list"><thead><tr><th>${t('slip.time')}</th><th>${t('slip.patient')}</th><th>${t('day.kind')}</th><th class="end">${t('sum.total')}</th><th class="end">${t('part.fund')}</th><th class="end">${t('day.accounts')}</th><th class="end">${t('sum.cash')}</th><th><span class="sr">${t('day.open')}</span></th></tr></thead>
        <tbody>${data.items.map((s) => html`<tr key=${s.settlement_id}><td>${moment(s.settled_at).slice(-5)}</td><td>${s.patient.name_masked}</td><td>${t(s.kind === 'settlement' ? `state.${s.state}` : `slip.${s.kind}`)}</td>
          <td class="end"><${Money} fen=${s.total_fen} /></td><td class="end"><${Money} fen=${s.fund_paid_fen} /></td><td class="end"><${Money} fen=${s.own_paid_fen + s.shared_paid_fen} /></td><td class="end"><${Money} fen=${s.cash_due_fen} /></td>
          <td class="open"><button type="button" class="round" onClick=${() => show(s)} aria-label=${t('day.open.of', { name: s.patient.name_masked, time: moment(s.settled_at) })}><${Icon} name="next" /></button></td></tr>`)}</tbody></table></div>`}
      ${data.more && html`<p class="fine">${t('app.more')}</p>`}`}
    ${open && html`<${One} s=${open} code=${code} name=${name} pending=${pending} onClose=${() => show(null)} changed=${again} />`}
  </div>`;
}

// One is a settlement, and what of it can be given back.
function One({ s, code, name, pending, onClose, changed }) {
  const left = s.lines.map((l) => ({ ...l, left: partsOf(s.kept?.find((k) => k.line_no === l.line_no)?.quantity ?? l.quantity) ?? 0 }));
  const [way, choose] = useState(null); // whole or part
  const [reason, setReason] = useState('');
  const [back, setBack] = useState({});
  const [done, setDone] = useState(null);
  const undoable = s.kind === 'settlement' && s.state !== 'reversed';
  const chosen = left.map((l) => ({ line_no: l.line_no, parts: back[l.line_no] ? partsOf(back[l.line_no]) : 0, left: l.left })).filter((l) => l.parts !== 0);
  const [undo, { busy, problem }] = useAct(async () => {
    const body = way === 'whole' ? { reason: reason.trim() } : { lines: chosen.map((l) => ({ line_no: l.line_no, quantity: quantityOf(l.parts) })) };
    setDone(await pending.send(`/v1/settlements/${s.settlement_id}/${way === 'whole' ? 'reversal' : 'refunds'}`, { message_id: newID(code), ...body }, way));
    changed();
  });
  const ready = way === 'whole' ? reason.trim() !== '' : chosen.length > 0 && chosen.every((l) => l.parts !== null && l.parts <= l.left);
  return html`<${Sheet} title=${done ? t(`slip.${done.kind}`) : t('slip.title')} onClose=${onClose}>
    ${done ? html`<${Slip} settlement=${done} name=${name} again=${onClose} />` : html`<${Paper} s=${s} name=${name} />
      ${pending.lost && html`<${Notice} kind="bad" title=${t('lost.title')}>${t('lost.close')}<//>`}
      ${undoable && !pending.lost && html`<div class="tabbar">${['whole', 'part'].map((w) => html`<${Button} kind="tab" aria-pressed=${way === w ? 'true' : 'false'} onClick=${() => choose(w)}>${t(`undo.${w}`)}<//>`)}</div>
        ${way === 'whole' && html`<${Field} label=${t('undo.reason')} maxlength="60" value=${reason} onInput=${(e) => setReason(e.currentTarget.value)} />`}
        ${way === 'part' && left.map((l) => html`<${Field} label=${t('undo.line', { name: l.name, left: l.left ? quantityOf(l.left) : '0' })} inputmode="decimal" disabled=${l.left === 0} value=${back[l.line_no] ?? ''} onInput=${(e) => setBack({ ...back, [l.line_no]: e.currentTarget.value })}
          error=${back[l.line_no] && (partsOf(back[l.line_no]) === null || partsOf(back[l.line_no]) > l.left) ? t('undo.too.many') : undefined} />`)}
        ${way && html`<p class="hint">${t('undo.where')}</p><${Trouble} problem=${problem} whom="cashier" /><${Button} kind="danger" busy=${busy} disabled=${!ready} onClick=${undo}>${t(`undo.${way}.do`)}<//>`}`}`}
  <//>`;
}
