// The queue, and one request with its papers beside what the family wrote.

import { html, Button, Field, Icon, Notice, Trouble, Waiting, Empty, go, useAct, useEffect, useLoad, useState } from '../ui.js';
import { t, either, moment } from '../text.js';
import { ask, get, post } from '../door.js';

const CHANGED = 'gongji:reviewed';
const kinds = ['household_register', 'marriage_certificate', 'birth_certificate', 'commitment_letter', 'id_card', 'guardianship'];

const age = (seconds) => (seconds >= 86_400 ? t('age.days', { n: Math.floor(seconds / 86_400) }) : seconds >= 3600 ? t('age.hours', { n: Math.floor(seconds / 3600) }) : t('age.minutes', { n: Math.floor(seconds / 60) }));

export function Reviews({ open }) {
  const [claim, choose] = useState('any');
  const [region, setRegion] = useState('');
  const { data, problem, again } = useLoad((signal) => get(`/v1/reviews?limit=50&claim=${claim}${region && '&region=' + region}`, { signal }), [claim, region]);
  useEffect(() => {
    addEventListener(CHANGED, again);
    return () => removeEventListener(CHANGED, again);
  });
  return html`<section class="queue"><div class="filters">
      <div class="tabbar">${['any', 'free', 'mine'].map((c) => html`<${Button} kind="tab" aria-pressed=${claim === c ? 'true' : 'false'} onClick=${() => choose(c)}>${t(`claim.${c}`)}<//>`)}</div>
      <${Field} label=${t('review.region')} inputmode="numeric" maxlength="6" value=${region} onInput=${(e) => setRegion(e.currentTarget.value.replace(/\D/g, ''))} /></div>
    <${Trouble} problem=${problem} again=${again} />
    ${!data && !problem && html`<${Waiting} />`}
    ${data?.items.length === 0 && html`<${Empty} icon="done">${t('review.none')}<//>`}
    <ul class="stack">${(data?.items ?? []).map((r) => html`<li><a class="card row" href=${`#/reviews/${r.binding_id}`} aria-current=${open === r.binding_id ? 'true' : null}>
      <span class="grow"><b>${t('review.pair', { holder: r.holder.name_masked, member: r.member.name_masked, relation: either(r.relation_zh, r.relation_en) })}</b>
        <small>${t('review.waits', { age: age(r.age_seconds) })} · ${t('review.papers', { n: r.materials.length })}${r.claimed ? ` · ${t(r.claimed_by_me ? 'review.mine' : 'review.taken')}` : ''}</small></span><${Icon} name="next" /></a></li>`)}</ul>
    ${data?.next_after && html`<p class="fine">${t('review.more')}</p>`}
  </section>`;
}

export function Review({ id }) {
  const { data: r, problem, again, put } = useLoad((signal) => get(`/v1/reviews/${id}`, { signal }), [id]);
  const [way, choose] = useState(null);
  const [reason, setReason] = useState('');
  const [kind, setKind] = useState(kinds[0]);
  const [run, { busy, problem: refused }] = useAct(async (act, body) => {
    const after = await post(`/v1/reviews/${id}/${act}`, body);
    dispatchEvent(new Event(CHANGED));
    if (after.state === 'in_review' && ['claim', 'release'].includes(act)) put({ ...after, materials: r.materials });
    else go('/');
  });
  if (!r) return html`<section class="card"><${Trouble} problem=${problem} again=${again} />${!problem && html`<${Waiting} />`}</section>`;
  const decide = (act, more) => run(act, { version: r.version, ...(reason.trim() && { reason: reason.trim() }), ...more });
  return html`<section class="review" aria-label=${t('review.one')}>
    <div class="card"><h2>${t('review.asked')}</h2>
      <dl class="facts">${[['review.holder', r.holder.name_masked], ['review.member', r.member.name_masked], ['review.relation', either(r.relation_zh, r.relation_en)], ['review.region', r.region],
        ['review.wants', [r.show && t('review.show'), r.pay && t('review.pay')].filter(Boolean).join(t('app.comma'))], ['review.since', moment(r.since)], ['review.registry', t(`identity.${r.identity || 'none'}`)]]
        .map(([key, value]) => html`<div><dt>${t(key)}</dt><dd>${value}</dd></div>`)}</dl>
      ${r.guardian && html`<${Notice}>${t('review.guardian')}<//>`}${r.assisted && html`<${Notice}>${t('review.assisted')}<//>`}
      ${r.reason && html`<${Notice} title=${t('review.before')}>${r.reason}<//>`}
      <${Button} busy=${busy} onClick=${() => run(r.claimed_by_me ? 'release' : 'claim')} disabled=${r.claimed && !r.claimed_by_me}>${t(r.claimed_by_me ? 'review.release' : 'review.claim')}<//>
      ${r.claimed_until && html`<p class="fine">${t('review.until', { time: moment(r.claimed_until) })}</p>`}
    </div>
    <div class="papers">${r.materials.map((m) => html`<${Paper} key=${m.material_id} m=${m} />`)}
      ${r.materials.length === 0 && html`<${Empty} icon="paper">${t('review.nopapers')}<//>`}</div>
    <div class="card decide"><h2>${t('review.decide')}</h2>
      <div class="tabbar">${['approve', 'clarify', 'reject'].map((w) => html`<${Button} kind="tab" aria-pressed=${way === w ? 'true' : 'false'} onClick=${() => choose(w)}>${t(`decide.${w}`)}<//>`)}</div>
      ${way === 'clarify' && html`<${Field} label=${t('decide.kind')}>${(shared) => html`<select ...${shared} value=${kind} onChange=${(e) => setKind(e.currentTarget.value)}>${kinds.map((k) => html`<option value=${k}>${t(`paper.${k}`)}</option>`)}</select>`}<//>`}
      ${way && way !== 'approve' && html`<${Field} label=${t('decide.reason')} hint=${t('decide.reason.hint')} value=${reason} maxlength="200" onInput=${(e) => setReason(e.currentTarget.value)} />`}
      <${Trouble} problem=${refused} />
      ${way && html`<${Button} kind=${way === 'reject' ? 'danger' : 'main'} busy=${busy} disabled=${way !== 'approve' && reason.trim() === ''} onClick=${() => decide(way, way === 'clarify' ? { kind } : {})}>${t(`decide.${way}.do`)}<//>`}
    </div>
  </section>`;
}

// Paper is a paper behind its door: fetched with the token, in parts where it is large.
function Paper({ m }) {
  const [url, set] = useState(null);
  const [open, { busy, problem }] = useAct(async () => {
    const parts = [];
    let of = 1;
    for (let part = 1; part <= of; part++) {
      const answer = await ask('GET', `${m.door.url}&part=${part}`, { as: 'answer' });
      of = Number(answer.headers.get('Paper-Parts')) || 1;
      parts.push(await answer.blob());
    }
    set(URL.createObjectURL(new Blob(parts, { type: m.content_type })));
  });
  useEffect(() => () => url && URL.revokeObjectURL(url), [url]);
  const seen = ['image/jpeg', 'image/png'].includes(m.content_type);
  return html`<figure class="card"><figcaption><b>${t(`paper.${m.kind}`)}</b><small>${t(`material.${m.state}`)} · ${moment(m.at)}</small></figcaption>
    ${m.door && !url && html`<${Button} icon="paper" busy=${busy} onClick=${open}>${t('paper.look')}<//><p class="fine">${t('paper.trail')}</p>`}
    <${Trouble} problem=${problem} />
    ${url && (seen ? html`<img src=${url} alt=${t(`paper.${m.kind}`)} />` : html`<a class="button" href=${url} target="_blank" rel="noopener">${t('paper.open')}</a>`)}
  </figure>`;
}
