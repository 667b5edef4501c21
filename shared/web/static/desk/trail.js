// The trail: what operators did and whom they looked at on a day, and one binding's
// history. Nobody can change either afterwards.

import { html, Button, Icon, Trouble, Waiting, useAct, useEffect, useLoad, useState } from '../ui.js';
import { t, either, learn, moment } from '../text.js';
import { all, get } from '../door.js';
import { DayField, isDay, today } from '../dayfield.js';
import { Acts } from './acts.js';

export function Trail() {
  const [day, choose] = useState(today());
  return html`<div class="stack"><section class="card finder"><p class="lead">${t('trail.lead')}</p><${DayField} label=${t('trail.day')} value=${day} onDay=${choose} steps /></section>
    ${isDay(day) && html`<${Day} key=${day} day=${day.replaceAll('-', '')} />`}</div>`;
}

function Day({ day }) {
  const door = `/v1/acts/${day}?limit=50`;
  const { data, problem, again, put } = useLoad((signal) => get(door, { signal }), [day]);
  const [more, going] = useAct(async () => {
    const next = await get(`${door}&after=${data.next_after}`);
    put({ ...next, items: [...data.items, ...next.items] });
  });
  if (!data) return html`<${Trouble} problem=${problem} again=${again} />${!problem && html`<${Waiting} />`}`;
  return html`<section class="card"><${Acts} acts=${data.items} about />
    <${Trouble} problem=${going.problem} />${data.next_after && html`<${Button} busy=${going.busy} onClick=${more}>${t('trail.more')}<//>`}</section>`;
}

// BindingTrail is who did what with one binding, and looked at which of its papers.
export function BindingTrail({ id }) {
  const [ready, set] = useState(false);
  useEffect(() => { learn('family').then(() => set(true)); }, []); // who acts has the families' names
  const { data, problem, again } = useLoad(() => all(`/v1/trails/${encodeURIComponent(id)}`), [id]);
  if (!data || !ready) return html`<${Trouble} problem=${problem} again=${again} />${!problem && html`<${Waiting} />`}`;
  return html`<section class="card"><p><a class="button" href="#/trail"><${Icon} name="back" /><span>${t('trail.back')}</span></a></p><h2>${t('trail.binding')} <code>${id}</code></h2>
    <div class="scroll"><table><thead><tr><th>${t('acts.when')}</th><th>${t('acts.who')}</th><th>${t('acts.what')}</th></tr></thead>
    <tbody>${data.items.map((e) => html`<tr key=${e.seq}><td class="when">${moment(e.at)}</td><td>${t(`by.${e.by}`)}</td><td>${either(e.text_zh, e.text_en)}</td></tr>`)}</tbody></table></div></section>`;
}
