// 亲情账户: everybody I am bound with, each with one sentence on how it stands.

import { html, Page, Link, Icon, Empty, Trouble, Waiting } from '../ui.js';
import { t } from '../text.js';
import { live, canShow, readiness, relationOf, other, openStep } from './kin.js';

function Member({ binding: b }) {
  const { kind, text } = readiness(b);
  const step = openStep(b);
  return html`<li class="card member-card">
    <a class="row" href=${`#/members/${b.binding_id}`}>
      <span class="avatar" aria-hidden="true">${other(b).slice(0, 1)}</span>
      <span class="grow"><b>${b.role === 'holder' ? relationOf(b) : other(b)}</b>${b.role === 'holder' && html`<small>${other(b)}</small>`}
        <span class=${`ready ${kind}`}>${text}</span></span>
      <${Icon} name="next" />
    </a>
    ${canShow(b) && html`<${Link} kind="main" icon="code" href=${`/show/${b.binding_id}`}>${t('act.show.code')}<//>`}
    ${live(b) && step?.mine && html`<${Link} kind="main" href=${`/members/${b.binding_id}`}>${t(`mend.${step.action}`)}<//>`}
  </li>`;
}

export function Members({ bindings }) {
  const { data, problem, again } = bindings;
  const items = data?.items ?? [];
  const mine = items.filter((b) => b.role === 'holder' && live(b));
  const theirs = items.filter((b) => b.role === 'member' && live(b));
  const gone = items.filter((b) => !live(b));
  return html`<${Page} title=${t('members.title')}>
    <p class="lead">${t('members.lead')}</p>
    <${Trouble} problem=${problem} again=${again} />
    ${!data && !problem && html`<${Waiting} />`}
    ${data && mine.length === 0 && html`<${Empty} icon="family">${t('members.none')}<//>`}
    <ul class="stack">${mine.map((b) => html`<${Member} key=${b.binding_id} binding=${b} />`)}</ul>
    <${Link} kind=${mine.length ? 'plain' : 'main'} icon="add" href="/add">${t('add.title')}<//>
    ${theirs.length > 0 && html`<h2>${t('members.theirs')}</h2>
      <ul class="stack">${theirs.map((b) => html`<${Member} key=${b.binding_id} binding=${b} />`)}</ul>`}
    ${gone.length > 0 && html`<details class="gone"><summary>${t('members.gone', { n: gone.length })}</summary>
      <ul class="stack">${gone.map((b) => html`<${Member} key=${b.binding_id} binding=${b} />`)}</ul></details>`}
    ${data?.more && html`<p class="fine">${t('app.more')}</p>`}
  <//>`;
}
