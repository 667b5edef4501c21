// 账户: my balance by pocket, what moved, and where it went month by month.

import { html, Page, Money, Link, Empty, Trouble, Waiting, SayButton, useEffect, useLoad, useMemo, useRef, useState } from '../ui.js';
import { t, moment } from '../text.js';
import { all, get } from '../door.js';
import { yuan } from '../money.js';
import { prefs, onPrefs } from '../prefs.js';

const RECENT = 300; // entries and receipts that the chart and the list look at

export function Account() {
  const { data, problem, again } = useLoad(async () => {
    const [account, entries, paid] = await Promise.all([get('/v1/account'), all('/v1/account/entries', RECENT), all('/v1/settlements?role=payer', RECENT)]);
    return { account, entries, paid };
  });
  if (!data) return html`<${Page} title=${t('tab.account')}><${Trouble} problem=${problem} again=${again} />${!problem && html`<${Waiting} />`}<//>`;
  const { account, entries, paid } = data;
  return html`<${Page} title=${t('tab.account')}>
    <section class="card balance"><p>${t('account.balance')}</p><${Money} fen=${account.balance_fen} big />
      <dl class="pockets"><div><dt>${t('account.current')}</dt><dd><${Money} fen=${account.current_fen} /></dd></div>
        <div><dt>${t('account.past')}</dt><dd><${Money} fen=${account.past_fen} /></dd></div>
        ${account.frozen_fen > 0 && html`<div><dt>${t('account.frozen')}</dt><dd><${Money} fen=${account.frozen_fen} /></dd></div>`}</dl></section>
    <${SayButton} text=${t('say.balance', { amount: yuan(account.balance_fen) })} />
    ${prefs.elder === 0 && html`<${Spending} entries=${entries.items} paid=${paid.items} />`}
    <section class="card"><h2>${t('account.history')}</h2>
      ${entries.items.length === 0 && html`<${Empty} icon="account">${t('account.none')}<//>`}
      <ul class="entries">${entries.items.map((e) => html`<li><${Row} entry=${e} paid=${paid.items} /></li>`)}</ul>
      ${entries.more && html`<p class="fine">${t('app.more')}</p>`}</section>
    <${Link} icon="receipt" href="/receipts">${t('receipts.title')}<//>
  <//>`;
}

// byInsurer tells whether there is no receipt: the insurer paid in or put right, or a year turned.
const byInsurer = (e) => ['credit', 'adjustment', 'rollover'].includes(e.kind);

function Row({ entry: e, paid }) {
  const receipt = paid.find((r) => r.settlement_id === e.reference);
  const who = e.role === 'payer' ? t('entry.for', { name: receipt?.patient.name_masked ?? t('entry.relative') }) : '';
  const text = html`<span class="grow"><b>${t(`entry.${e.kind}`)}${who}</b><small>${moment(e.at)}</small></span>
    <span class="end"><${Money} fen=${e.delta_fen} sign /><small class="fine">${t('entry.after')} ¥${yuan(e.balance_fen)}</small></span>`;
  return byInsurer(e) || e.kind.startsWith('premium') ? html`<div class="row">${text}</div>` : html`<a class="row" href=${`#/receipts/${e.reference}`}>${text}</a>`;
}

const monthOf = (time) => new Date(new Date(time).getTime() + 8 * 3600_000).toISOString().slice(0, 7);

// spent sums what went out by month, for myself and for each relative, what came back
// taken off. It returns {months, series: [{name, fen: []}]}.
export function spent(entries, paid, last) {
  const months = [];
  for (let [year, month] = last.split('-').map(Number), i = 0; i < 6; i++) {
    months.unshift(`${year}-${String(month).padStart(2, '0')}`);
    month -= 1;
    if (month === 0) [year, month] = [year - 1, 12];
  }
  const series = new Map();
  for (const e of entries) {
    const at = months.indexOf(monthOf(e.at));
    if (byInsurer(e) || at < 0) continue;
    const name = e.role === 'patient' ? '' : paid.find((r) => r.settlement_id === e.reference)?.patient.name_masked ?? '?';
    if (!series.has(name)) series.set(name, months.map(() => 0));
    series.get(name)[at] -= e.delta_fen;
  }
  return { months, series: [...series].map(([name, fen]) => ({ name, fen })).filter((s) => s.fen.some((f) => f !== 0)) };
}

function Spending({ entries, paid }) {
  const { months, series } = useMemo(() => spent(entries, paid, monthOf(Date.now())), [entries, paid]);
  const box = useRef();
  const [theme, turn] = useState(0);
  useEffect(() => onPrefs(() => turn((n) => n + 1)), []);
  useEffect(() => {
    if (series.length === 0) return undefined;
    let chart;
    import('./chart.js').then(({ draw }) => { if (box.current) chart = draw(box.current, months, series.map((s) => ({ ...s, name: s.name || t('account.self') }))); });
    return () => chart?.end();
  }, [months, series, theme]);
  if (series.length === 0) return null;
  return html`<section class="card"><h2>${t('account.chart')}</h2>
    <div class="chart" ref=${box} aria-hidden="true"></div>
    <table class="sr"><caption>${t('account.chart')}</caption><thead><tr><th>${t('account.month')}</th>${series.map((s) => html`<th>${s.name || t('account.self')}</th>`)}</tr></thead>
      <tbody>${months.map((m, i) => html`<tr><th>${m}</th>${series.map((s) => html`<td>¥${yuan(s.fen[i])}</td>`)}</tr>`)}</tbody></table></section>`;
}
