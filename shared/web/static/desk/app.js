// The review desk: for reviewers, operators and auditors, each what he may see.

import { html, Icon, Notice, useEffect, useState } from '../ui.js';
import { t } from '../text.js';
import { signOut } from '../session.js';
import { Looks } from '../looks.js';
import { Reviews, Review } from './reviews.js';
import { Feeds } from './feeds.js';
import { Brakes } from './brakes.js';
import { Proofs } from './proofs.js';
import { Counter } from './counter.js';
import { Policies } from './policies.js';
import { Adjustments } from './adjustments.js';

export const texts = 'desk';

const sheet = new URL('./desk.css', import.meta.url).href;
const styled = new Promise((done) => {
  const link = Object.assign(document.createElement('link'), { rel: 'stylesheet', href: sheet });
  link.onload = link.onerror = done;
  document.head.append(link);
});

const rooms = [
  ['/', 'desk.reviews', 'paper', ['operator', 'reviewer'], Reviews],
  ['/counter', 'desk.counter', 'person', ['operator'], Counter],
  ['/feeds', 'desk.feeds', 'add', ['operator'], Feeds],
  ['/brakes', 'desk.brakes', 'pause', ['operator'], Brakes],
  ['/adjustments', 'desk.adjustments', 'account', ['operator', 'auditor'], Adjustments],
  ['/policies', 'desk.policies', 'receipt', ['operator', 'auditor'], Policies],
  ['/proofs', 'desk.proofs', 'done', ['operator', 'auditor'], Proofs],
];

export function App({ claims, where }) {
  const [ready, set] = useState(false);
  useEffect(() => { styled.then(() => set(true)); }, []);
  const mine = rooms.filter(([, , , roles]) => roles.some((r) => (claims.roles ?? []).includes(r)));
  const review = /^\/reviews\/([^/]+)$/.exec(where)?.[1];
  const [path, label, , , Room] = mine.find(([to]) => to === where) ?? mine[0] ?? [];
  useEffect(() => { document.title = `${t(label ?? 'desk.none')} · ${t('app.name')}`; });
  if (!ready) return null;
  return html`<div class="desk">
    <header class="desk-bar"><span class="brand"><b>${t('app.brand')}</b></span>
      <nav aria-label=${t('app.name')}>${mine.map(([to, name, icon]) => html`<a class="button quiet" href=${'#' + to} aria-current=${path === to ? 'page' : null}><${Icon} name=${icon} /><span>${t(name)}</span></a>`)}</nav>
      <span class="grow"></span><${Looks} /><button type="button" class="round" aria-label=${t('desk.leave')} title=${t('desk.leave')} onClick=${signOut}><${Icon} name="leave" /></button></header>
    <main id="content"><h1>${t(label ?? 'desk.none')}</h1>
      ${!Room && html`<${Notice} kind="bad">${t('desk.none.more')}<//>`}
      ${Room === Reviews ? html`<div class="two"><${Reviews} open=${review} />${review && html`<${Review} key=${review} id=${review} />`}</div>` : Room && html`<${Room} claims=${claims} />`}
    </main>
  </div>`;
}
