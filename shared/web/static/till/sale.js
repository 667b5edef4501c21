// One sale: whose code, what for, what it would be, and then settled.

import { html, Button, Empty, Field, Icon, Money, Notice, Switch, Trouble, useAct, useEffect, useRef, useState } from '../ui.js';
import { t, either } from '../text.js';
import { post } from '../door.js';
import { amountOf, fenOf, partsOf, quantityOf, yuan } from '../money.js';
import { Search } from '../search.js';
import { Found, newID } from './sent.js';
import { Slip } from './slip.js';
import { Camera } from './camera.js';

const PREFIX = '86', DIGITS = /^\d{20}$/;

// isCode tells a patient's code from a box's, which has 20 digits too: by its prefix
// and the check digit at its end (ISO/IEC 7064 MOD 11,10).
export function isCode(typed) {
  if (!DIGITS.test(typed) || !typed.startsWith(PREFIX)) return false;
  const p = [...typed.slice(0, 19)].reduce((at, digit) => (((at + Number(digit)) % 10 || 10) * 2) % 11, 10);
  return Number(typed[19]) === (11 - p) % 10;
}

const toGoods = () => document.querySelector('.goods .search input')?.focus();

const AGAIN = 4000; // ms, while somebody is asked on his phone

const blank = () => ({ credential: { type: 'qr', value: '', name: '' }, lines: [], account: true });
let rows = 0;

export function Sale({ code, name, pending, shown }) {
  const pharmacy = code.startsWith('P');
  const [sale, setSale] = useState(blank());
  const [medType, setMedType] = useState(pharmacy ? '41' : '11');
  const [quote, setQuote] = useState(null);
  const [done, setDone] = useState(null);
  const [found, setFound] = useState(null);
  const [camera, setCamera] = useState(false);
  const box = useRef();
  const { credential, lines } = sale;
  const change = (part) => {
    setSale((was) => ({ ...was, ...part }));
    setQuote(null);
    setFound(null);
  };
  const setLine = (row, part) => {
    setSale((was) => ({ ...was, lines: was.lines.map((l) => (l.row === row ? { ...l, ...part } : l)) }));
    setQuote(null);
    setFound(null);
  };

  const amounts = lines.map((l) => {
    const price = fenOf(l.price), parts = partsOf(l.quantity);
    return price === null || parts === null ? null : { price, parts, fen: amountOf(price, parts) };
  });
  const total = amounts.reduce((sum, a) => sum + (a?.fen ?? 0), 0);
  const whole = credential.value !== '' && lines.length > 0 && amounts.every((a) => a && a.fen > 0);
  const bill = () => ({
    credential: { type: credential.type, value: credential.value, ...(credential.name && { name: credential.name }) },
    med_type: medType, total_fen: total, use_account: sale.account,
    lines: lines.map((l, i) => ({
      line_no: i + 1, code: l.code, name: l.name, quantity: quantityOf(amounts[i].parts), unit_price_fen: amounts[i].price, amount_fen: amounts[i].fen,
      ...(l.traces.length > 0 && { trace_codes: l.traces }), ...(l.prescription && { prescription_no: l.prescription }),
      ...(Number(l.days) > 0 && { supply_days: Number(l.days) }),
    })),
  });

  const [reckon, reckoning, clearReckoning] = useAct(async () => {
    setFound(null);
    setQuote(await post('/v1/quotes', bill()));
  });
  const [waits, setWaits] = useState(null); // a message that waits for a grantor's word
  const [settle, settling, clearSettling] = useAct(async (body = { message_id: newID(code), expected_cash_fen: quote.cash_due_fen, ...bill() }) => {
    try {
      const answer = await pending.send('/v1/settlements', body, 'settlement');
      setWaits(null);
      setDone(answer);
    } catch (problem) {
      setWaits(problem.code === 'confirmation_needed' ? { body } : null);
      throw problem;
    }
  });
  // Nothing moves before the same message is sent again; so it is, until it is decided.
  useEffect(() => {
    if (!waits) return undefined;
    const timer = setTimeout(() => settle(waits.body), AGAIN);
    return () => clearTimeout(timer);
  }, [waits]);
  const again = () => {
    setSale(blank());
    for (const clear of [setQuote, setDone, setFound, setWaits]) clear(null);
    clearReckoning();
    clearSettling();
    requestAnimationFrame(toGoods);
  };
  const show = (digits) => {
    change({ credential: { type: 'qr', value: digits, name: '' } });
    clearSettling();
    clearReckoning();
    setCamera(false);
  };

  // What became of a settlement whose answer was lost.
  useEffect(() => {
    const hear = ({ detail }) => {
      clearSettling();
      if (detail.settlement?.kind === 'settlement' && detail.state === 'settled') setDone(detail.settlement);
      else setFound(detail);
    };
    addEventListener('gongji:found', hear);
    return () => removeEventListener('gongji:found', hear);
  }, []);

  // Keys: a scanner is a keyboard, and a cashier's hands stay on his own.
  useEffect(() => {
    if (!shown) return undefined;
    const press = (e) => {
      if (e.key === 'F2') box.current?.focus();
      else if (e.key === 'F4' && whole) reckon();
      else if (e.key === 'F8' && quote && !pending.lost && !waits) settle();
      else if (e.key === 'F9' && done) again();
      else return;
      e.preventDefault();
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  });
  useEffect(() => { if (shown && !done) toGoods(); }, [shown]);
  // Whose turn it is after a code: the goods, or the reckoning.
  useEffect(() => {
    if (credential.type === 'qr' && isCode(credential.value) && whole && !quote && !pending.lost) reckon();
  }, [credential.value]);

  const scanned = (typed) => {
    if (isCode(typed)) {
      show(typed);
      return true;
    }
    if (!DIGITS.test(typed) || lines.length === 0) return false;
    const last = lines.at(-1);
    if (!last.traces.includes(typed)) setLine(last.row, { traces: [...last.traces, typed] });
    return true;
  };

  if (done) return html`<${Slip} settlement=${done} name=${name} again=${again} />`;
  const locked = Boolean(pending.lost) || settling.busy || Boolean(waits);
  return html`<div class="sale">
    <section class="card goods" aria-labelledby="goods-title"><h2 id="goods-title"><span class="n">1</span>${t('sale.goods')}</h2>
      ${!pharmacy && html`<div class="tabbar">${['11', '12', '13'].map((m) => html`<${Button} kind="tab" aria-pressed=${medType === m ? 'true' : 'false'} onClick=${() => { setMedType(m); change({}); }}>${t(`med.${m}`)}<//>`)}</div>`}
      <${Search} label=${t('sale.find')} hint=${t('sale.find.hint')} example=${t('sale.find.example')} path="/v1/catalogue" onCode=${scanned}
        choose=${(item) => change({ lines: [...lines, { row: ++rows, code: item.code, name: item.name, class: item.class, price: '', quantity: '1', traces: [], prescription: '', days: '' }] })}
        line=${(item) => html`<b>${item.name}</b><small>${t(`class.${item.class}`)} · ${item.code}</small>`} />
      ${lines.length === 0 && html`<${Empty} icon="shop">${t('sale.empty')}<//>`}
      ${lines.length > 0 && html`<table class="lines"><thead><tr><th>${t('line.name')}</th><th>${t('line.price')}</th><th>${t('line.quantity')}</th><th class="end">${t('line.amount')}</th><th><span class="sr">${t('line.remove')}</span></th></tr></thead>
        <tbody>${lines.map((l, i) => html`<${Line} key=${l.row} l=${l} amount=${amounts[i]} told=${quote?.lines.find((q) => q.line_no === i + 1)} fault=${settling.problem?.line === i + 1 || reckoning.problem?.line === i + 1} scanned=${scanned} change=${(part) => setLine(l.row, part)} remove=${() => change({ lines: lines.filter((x) => x.row !== l.row) })} />`)}</tbody></table>`}
      <${Switch} label=${t('sale.account')} hint=${t('sale.account.more')} checked=${sale.account} onChange=${(account) => change({ account })} />
    </section>

    <section class="card patient" aria-labelledby="patient-title"><h2 id="patient-title"><span class="n">2</span>${t('sale.patient')} <kbd>F2</kbd></h2>
      <div class="tabbar">${['qr', 'card', 'id'].map((type) => html`<${Button} kind="tab" aria-pressed=${credential.type === type ? 'true' : 'false'} onClick=${() => change({ credential: { type, value: '', name: '' } })}>${t(`sale.${type}`)}<//>`)}</div>
      <${Field} label=${t(`sale.${credential.type}.label`)} hint=${t(`sale.${credential.type}.hint`)}
        error=${credential.type === 'qr' && credential.value.length === 20 && !isCode(credential.value) ? t('sale.qr.slip') : undefined}>
        ${(shared) => html`<input ...${shared} ref=${box} data-testid="credential" class="wedge" autocomplete="off" spellcheck=${false} inputmode=${credential.type === 'qr' ? 'numeric' : 'text'} disabled=${locked}
          maxlength=${credential.type === 'qr' ? 24 : 64} value=${credential.value} onInput=${(e) => change({ credential: { ...credential, value: e.currentTarget.value.replace(/\s/g, '').toUpperCase() } })}
          onKeyDown=${(e) => { if (e.key === 'Enter') { e.preventDefault(); if (whole) reckon(); else toGoods(); } }} />`}<//>
      ${credential.type !== 'qr' && html`<${Field} label=${t('sale.name')} autocomplete="off" value=${credential.name} onInput=${(e) => change({ credential: { ...credential, name: e.currentTarget.value } })} />`}
      ${credential.type === 'qr' && html`<${Button} icon="camera" disabled=${locked} onClick=${() => setCamera(!camera)}>${t(camera ? 'camera.stop' : 'camera.start')}<//>`}
      ${camera && html`<${Camera} onCode=${(text) => { const ok = isCode(text); if (ok) show(text); return ok; }} />`}
      ${quote && html`<p class="who" role="status">${t('sale.who', { name: quote.patient.name_masked })} <b>${t('sale.face')}</b></p>`}
    </section>

    <aside class="card sum" aria-labelledby="sum-title"><h2 id="sum-title"><span class="n">3</span>${t('sale.sum')}</h2>
      <dl class="parts"><div><dt>${t('sum.total')}</dt><dd><${Money} fen=${total} /></dd></div>
        ${quote && html`<div class="fund"><dt>${t('part.fund')}</dt><dd><${Money} fen=${quote.fund_paid_fen} /></dd></div>
          <div class="own"><dt>${t('part.own')}</dt><dd><${Money} fen=${quote.own_paid_fen} /></dd></div>
          ${quote.shares.map((s) => html`<div class="shared"><dt>${t('part.shared', { name: s.grantor_masked })}${s.reason && html`<small>${either(s.reason_zh, s.reason_en)}</small>`}</dt><dd><${Money} fen=${s.paid_fen} /></dd></div>`)}`}</dl>
      ${quote && html`<div class="due" aria-live="polite"><span>${t('sum.cash')}</span><${Money} fen=${quote.cash_due_fen} big /></div>`}
      ${found && html`<${Found} found=${found} />`}
      ${waits && html`<${Notice} kind="wait" title=${t('sale.waits')} action=${html`<${Button} onClick=${() => { setWaits(null); clearSettling(); }}>${t('sale.waits.stop')}<//>`}>${t('sale.waits.more')}<//>`}
      ${!pending.lost && !waits && html`<${Refused} problem=${settling.problem ?? reckoning.problem} requote=${reckon} />`}
      ${!quote && html`<${Button} kind="main" busy=${reckoning.busy} disabled=${!whole || locked} onClick=${reckon}>${t('sale.quote')} <kbd>F4</kbd><//>`}
      ${quote && html`<${Button} kind="main" busy=${settling.busy} disabled=${locked} onClick=${() => settle()}>${t('sale.settle')} <kbd>F8</kbd><//>`}
      ${!whole && !pending.lost && html`<p class="hint">${t(lines.length === 0 ? 'sale.need.goods' : amounts.every((a) => a && a.fen > 0) ? 'sale.need.code' : 'sale.need.price')}</p>`}
      ${(lines.length > 0 || credential.value) && html`<${Button} disabled=${locked} onClick=${again}>${t('sale.clear')}<//>`}
    </aside>
  </div>`;
}

// Line is a line of the bill, and what the house says of it.
function Line({ l, amount, told, fault, change, remove, scanned }) {
  const [open, set] = useState(false);
  const price = useRef();
  useEffect(() => { price.current?.focus(); }, []);
  // A scanner types into whatever has the focus: what it typed after a number is taken
  // out again and goes where it belongs.
  const enter = (e, part) => {
    if (e.key !== 'Enter') return;
    const typed = e.currentTarget.value, end = typed.slice(-20);
    if (typed.length >= 20 && scanned(end)) change({ [part]: typed.slice(0, -20) });
    else toGoods();
  };
  const own = told && told.out_of_scope_fen + told.over_limit_fen;
  return html`<tr class=${fault ? 'fault' : ''}>
      <td><b>${l.name}</b><small>${t(`class.${l.class}`)}</small>
        <button type="button" class="link" aria-expanded=${open ? 'true' : 'false'} onClick=${() => set(!open)}>${t('line.more', { n: l.traces.length })}</button></td>
      <td><input ref=${price} aria-label=${t('line.price.of', { name: l.name })} inputmode="decimal" autocomplete="off" value=${l.price} onInput=${(e) => change({ price: e.currentTarget.value })} onKeyDown=${(e) => enter(e, 'price')} /></td>
      <td><input aria-label=${t('line.quantity.of', { name: l.name })} inputmode="decimal" autocomplete="off" value=${l.quantity} onInput=${(e) => change({ quantity: e.currentTarget.value })} onKeyDown=${(e) => enter(e, 'quantity')} /></td>
      <td class="end">${amount ? html`<${Money} fen=${amount.fen} />` : '–'}</td>
      <td><button type="button" class="round" aria-label=${t('act.remove', { name: l.name })} onClick=${remove}><${Icon} name="close" /></button></td></tr>
    ${told && html`<tr class="told"><td colspan="5"><span class=${own ? 'no' : 'yes'}><${Icon} name=${own ? 'warn' : 'done'} />
      ${either(told.reason_zh, told.reason_en)}</span>
      <span class="figures">${[['line.scope', told.in_scope_fen], ['line.pre', told.pre_self_pay_fen], ['line.over', told.over_limit_fen], ['line.out', told.out_of_scope_fen]].filter(([, fen]) => fen).map(([key, fen]) => html`<span>${t(key)} ¥${yuan(fen)}</span>`)}</span></td></tr>`}
    ${open && html`<tr class="more"><td colspan="5"><div class="pair">
      <${Field} label=${t('line.traces')} hint=${t('line.traces.hint')} autocomplete="off" value=${l.traces.join(' ')} onInput=${(e) => change({ traces: e.currentTarget.value.split(/[\s,，]+/).filter(Boolean) })} />
      <${Field} label=${t('line.prescription')} autocomplete="off" value=${l.prescription} onInput=${(e) => change({ prescription: e.currentTarget.value.trim() })} />
      <${Field} label=${t('line.days')} inputmode="numeric" autocomplete="off" value=${l.days} onInput=${(e) => change({ days: e.currentTarget.value.replace(/\D/g, '') })} /></div></td></tr>`}`;
}

// Refused says the house's no, and the next step that it names.
function Refused({ problem, requote }) {
  if (!problem) return null;
  const step = { refresh_qr: 'next.refresh_qr', collect_cash: 'next.collect_cash', requote: 'next.requote', fix: 'next.fix', contact: 'next.contact' }[problem.next];
  return html`<${Trouble} problem=${problem} whom="cashier" />
    ${step && html`<${Notice} kind="wait" title=${t(step)} action=${problem.next === 'requote' && html`<${Button} onClick=${requote}>${t('sale.quote')}<//>`} />`}`;
}
