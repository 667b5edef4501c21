// The rules: drafted by one person, tried on what was settled, published by another.

import { html, Button, Icon, Money, Notice, Trouble, Waiting, Empty, useAct, useEffect, useLoad, useMemo, useRef, useState } from '../ui.js';
import { t, dayOf, moment, stamp } from '../text.js';
import { all, get, post } from '../door.js';
import { yuan } from '../money.js';
import { onPrefs } from '../prefs.js';
import { DayField, isDay } from '../dayfield.js';

const parts = ['fund_paid_fen', 'accounts_paid_fen', 'cash_due_fen'];
const groups = ['by_institution_grade', 'by_psn_type', 'by_region'];
const EXAMPLES = 20;

export function Policies({ claims }) {
  const { data, problem, again } = useLoad(() => all('/v1/policies'));
  const [open, show] = useState(null);
  const operator = (claims.roles ?? []).includes('operator');
  return html`<div class="two"><section class="queue">
      <p class="lead">${t('policy.lead')}</p>
      <${Trouble} problem=${problem} again=${again} />
      ${!data && !problem && html`<${Waiting} />`}
      ${data?.items.length === 0 && html`<${Empty} icon="paper">${t('policy.none')}<//>`}
      <ul class="stack">${(data?.items ?? []).map((p) => html`<li><button type="button" class="card row pick" aria-current=${open === p.policy_id ? 'true' : null} onClick=${() => show(p.policy_id)}>
        <span class="grow"><b>${p.policy_id}</b><small>${t('policy.days', { from: dayOf(p.from), to: p.to ? dayOf(p.to) : t('policy.open') })}</small></span>
        <span class=${`tag ${p.state}`}>${t(p.in_force ? 'policy.force' : `policy.${p.state}`)}</span></button></li>`)}</ul>
      ${operator && html`<${Draft} done=${(p) => { again(); show(p.policy_id); }} />`}
    </section>
    ${open && html`<${Policy} key=${open} id=${open} operator=${operator} me=${claims.sub} changed=${again} />`}</div>`;
}

// Draft takes a policy's file, as shared/policy/regions holds them.
function Draft({ done }) {
  const [name, call] = useState('');
  const [send, { busy, problem }] = useAct(async (file) => {
    if (!file) return;
    call(file.name);
    let policy = null;
    try {
      policy = JSON.parse(await file.text());
    } catch {
      call('');
    }
    if (policy) done(await post('/v1/policies', { policy }));
    else call(t('policy.nojson'));
  });
  return html`<section class="card"><h2>${t('policy.draft.title')}</h2><p class="hint">${t('policy.draft.more')}</p>
    <div class="file"><label class="button"><${Icon} name="paper" /><span>${t('policy.file')}</span><input type="file" class="hidden" accept=".json,application/json" disabled=${busy}
      onChange=${(e) => { send(e.currentTarget.files[0]); e.currentTarget.value = ''; }} /></label><span class="grow" role="status">${name}</span></div>
    <${Trouble} problem=${problem} /></section>`;
}

function Policy({ id, operator, me, changed }) {
  const { data: p, problem, again, put } = useLoad((signal) => get(`/v1/policies/${encodeURIComponent(id)}`, { signal }), [id]);
  const [publish, { busy, problem: refused }] = useAct(async () => {
    put({ ...p, ...(await post(`/v1/policies/${encodeURIComponent(id)}/approve`, { version: p.version })) });
    changed();
  });
  if (!p) return html`<section class="card"><${Trouble} problem=${problem} again=${again} />${!problem && html`<${Waiting} />`}</section>`;
  const mine = p.drafted_by === me;
  return html`<section class="review" aria-label=${id}>
    <div class="card"><h2>${id}</h2>
      <dl class="facts">${[['policy.state', t(p.in_force ? 'policy.force' : `policy.${p.state}`)], ['policy.from', dayOf(p.from)], ['policy.drafter', p.drafted_by], ['policy.drafted', moment(p.drafted_at)],
        ...(p.published_at ? [['policy.publisher', p.published_by], ['policy.publishedat', moment(p.published_at)]] : [])].map(([key, value]) => html`<div><dt>${t(key)}</dt><dd>${value}</dd></div>`)}</dl>
      <details class="more"><summary>${t('policy.text')}</summary><pre tabindex="0">${JSON.stringify(p.policy, null, 2)}</pre></details>
      ${p.state === 'draft' && html`<${Notice} kind="wait" title=${t(mine ? 'policy.other' : 'policy.yours')}>${t('policy.lead.time')}<//>`}
      <${Trouble} problem=${refused} />
      ${p.state === 'draft' && operator && html`<${Button} kind="main" busy=${busy} disabled=${mine} onClick=${publish}>${t('policy.publish')}<//>`}</div>
    <${WhatIf} id=${id} /></section>`;
}

const add = (a, b) => Object.fromEntries(Object.keys(b).map((k) => [k, (a?.[k] ?? 0) + b[k]]));

// merged joins the answers of a long time, which come in pieces.
export function merged(was, piece) {
  const sum = { settlements: (was?.settlements ?? 0) + piece.settlements, change: add(was?.change, piece.change), next_from: piece.next_from };
  for (const g of groups) {
    sum[g] = { ...was?.[g] };
    for (const [key, change] of Object.entries(piece[g])) sum[g][key] = add(sum[g][key], change);
  }
  const weight = (e) => Math.abs(e.would.cash_due_fen - e.was.cash_due_fen);
  sum.examples = [...(was?.examples ?? []), ...piece.examples].sort((a, b) => weight(b) - weight(a)).slice(0, EXAMPLES);
  return sum;
}

// WhatIf tries the policy on what was settled.
function WhatIf({ id }) {
  const today = dayOf(stamp().slice(0, 8));
  const [from, setFrom] = useState(`${today.slice(0, 8)}01`);
  const [to, setTo] = useState(today);
  const [told, tell] = useState(null);
  const [group, choose] = useState(groups[0]);
  const stopped = useRef(false);
  useEffect(() => () => { stopped.current = true; }, []);
  const [run, { busy, problem }] = useAct(async () => {
    tell(null);
    stopped.current = false;
    let sum = null, next = from.replaceAll('-', '');
    while (next && !stopped.current) {
      sum = merged(sum, await post(`/v1/policies/${encodeURIComponent(id)}/what-if`, { from: next, to: to.replaceAll('-', '') }));
      next = sum.next_from;
      tell(sum);
    }
  });
  const rows = told ? Object.entries(told[group]).sort(([a], [b]) => a.localeCompare(b)) : [];
  return html`<div class="card whatif"><h2>${t('whatif.title')}</h2><p class="hint">${t('whatif.lead')}</p>
    <div class="pair"><${DayField} label=${t('whatif.from')} value=${from} onDay=${setFrom} /><${DayField} label=${t('whatif.to')} value=${to} onDay=${setTo} /></div>
    <div class="file"><${Button} kind="main" busy=${busy} disabled=${!isDay(from) || !isDay(to) || from > to} onClick=${run}>${t('whatif.run')}<//>${busy && html`<${Button} onClick=${() => { stopped.current = true; }}>${t('feed.stop')}<//>`}</div>
    <${Trouble} problem=${problem} again=${run} />
    ${told && html`<div class="stack" aria-live="polite">
      <p class="verdict">${t(told.change.changed ? 'whatif.sum' : 'whatif.same', { all: told.settlements, ruled: told.change.settlements, changed: told.change.changed })}${told.next_from ? ` ${t('whatif.partly', { day: dayOf(told.next_from) })}` : ''}</p>
      <dl class="totals">${parts.map((k) => html`<div><dt>${t(`whatif.${k}`)}</dt><dd><${Money} fen=${told.change[k]} sign /></dd></div>`)}</dl>
      <div class="tabbar">${groups.map((g) => html`<${Button} kind="tab" aria-pressed=${group === g ? 'true' : 'false'} onClick=${() => choose(g)}>${t(`whatif.${g}`)}<//>`)}</div>
      ${rows.length > 0 && html`<${Plot} rows=${rows} name=${(key) => nameOf(group, key)} />
      <div class="scroll"><table><thead><tr><th>${t(`whatif.${group}`)}</th><th class="end">${t('whatif.ruled')}</th><th class="end">${t('whatif.changed')}</th>${parts.map((k) => html`<th class="end">${t(`whatif.${k}`)}</th>`)}</tr></thead>
        <tbody>${rows.map(([key, c]) => html`<tr><th scope="row">${nameOf(group, key)}</th><td class="end">${c.settlements}</td><td class="end">${c.changed}</td>${parts.map((k) => html`<td class="end"><${Money} fen=${c[k]} sign /></td>`)}</tr>`)}</tbody></table></div>`}
      ${told.examples.length > 0 && html`<h3>${t('whatif.examples')}</h3><div class="scroll"><table><thead><tr><th>${t('whatif.settlement')}</th>${['part.fund', 'part.cash'].map((k) => html`<th class="end">${t(k)}</th>`)}<th><span class="sr">${t('replay.do')}</span></th></tr></thead>
        <tbody>${told.examples.map((e) => html`<${Example} key=${e.settlement_id} e=${e} />`)}</tbody></table></div>`}
    </div>`}
  </div>`;
}

const grades = ['0', '1', '2', '3'], kinds = ['11', '12', '1403', '1701'];

// nameOf says what a group is, where these pages have a word for it.
const nameOf = (group, key) => {
  if (group === 'by_institution_grade' && grades.includes(key)) return t(`grade.${key}`);
  return group === 'by_psn_type' && kinds.includes(key) ? t(`psn.${key}`) : key;
};

const Change = ({ was, would }) => (was === would ? html`<${Money} fen=${was} />` : html`<span class="change"><s>¥${yuan(was)}</s> <${Money} fen=${would} /></span>`);

// Example is a settlement as it was and would be; it can be decided again as it was.
function Example({ e }) {
  const [told, tell] = useState(null);
  const [again, { busy, problem }] = useAct(async () => tell(await get(`/v1/replays/${e.settlement_id}`)));
  return html`<tr><td><code>${e.settlement_id}</code></td><td class="end"><${Change} was=${e.was.fund_paid_fen} would=${e.would.fund_paid_fen} /></td><td class="end"><${Change} was=${e.was.cash_due_fen} would=${e.would.cash_due_fen} /></td>
      <td class="end"><${Button} busy=${busy} onClick=${again}>${t('replay.do')}<//></td></tr>
    ${(told || problem) && html`<tr><td colspan="4"><${Trouble} problem=${problem} />${told && html`<${Notice} kind=${told.same ? 'good' : 'bad'} title=${t(told.same ? 'replay.same' : 'replay.other', { n: told.differences.length })}>${told.policy}<//>`}</td></tr>`}`;
}

// Plot draws for each group what each part would be more or less.
function Plot({ rows, name }) {
  const box = useRef();
  const [theme, turn] = useState(0);
  useEffect(() => onPrefs(() => turn((n) => n + 1)), []);
  const sums = useMemo(() => parts.map((k) => ({ name: t(`whatif.${k}`), fen: rows.map(([, c]) => c[k]) })), [rows, theme]);
  useEffect(() => {
    let plot, gone = false;
    import('./plot.js').then(({ draw }) => { if (!gone && box.current) plot = draw(box.current, rows.map(([key]) => name(key)), sums); });
    return () => {
      gone = true;
      plot?.end();
    };
  }, [sums]);
  return html`<div class="plot" ref=${box} aria-hidden="true"></div>`;
}
