// 首页: what one came for, within one tap.

import { html, Page, Link, Button, Icon, Money, Notice, Trouble, SayButton, useAct, useEffect, useLoad } from '../ui.js';
import { t } from '../text.js';
import { get, post } from '../door.js';
import { yuan } from '../money.js';
import { Looks } from '../looks.js';
import { prefs, prefer } from '../prefs.js';
import { canShow, openStep, live, relationOf, other, readiness } from './kin.js';

export function Home({ bindings }) {
  const me = useLoad((signal) => get('/v1/me', { signal }));
  const items = bindings.data?.items ?? [];
  const members = items.filter((b) => b.role === 'holder' && live(b));
  const waiting = items.filter((b) => live(b) && openStep(b)?.mine);
  return html`<div class="home">
    <header class="bar"><span class="brand"><b>${t('app.brand')}</b></span><${Looks} light=${false} /></header>
    <${Page} title=${me.data ? t('home.hello', { name: me.data.name_masked }) : t('tab.home')}>
      <${Trouble} problem=${bindings.problem ?? me.problem} again=${() => { bindings.again(); me.again(); }} />
      <${Confirmations} />
      ${waiting.map((b) => html`<a class="card row ask" href=${`#/members/${b.binding_id}`}>
        <span class="dot"><${Icon} name="wait" /></span><span class="grow"><b>${readiness(b).text}</b></span><${Icon} name="next" /></a>`)}

      <section class="card hero" aria-labelledby="family-title">
        <header><h2 id="family-title">${t('members.title')}</h2><p>${t('home.family')}</p></header>
        <ul class="members">
          ${members.filter(canShow).map((b) => html`<li>
            <a href=${`#/show/${b.binding_id}`} class="member">
              <span class="avatar" aria-hidden="true">${other(b).slice(0, 1)}</span>
              <span class="grow"><b>${relationOf(b)}</b><small>${other(b)}</small></span>
              <span class="go"><${Icon} name="code" />${t('act.show')}</span>
            </a></li>`)}
          ${!bindings.data && !bindings.problem && html`<li class="none" aria-busy="true">${t('app.loading')}</li>`}
          ${bindings.data && members.filter(canShow).length === 0 && html`<li class="none">${t('home.nobody')}</li>`}
        </ul>
        <footer>
          <${Link} kind="quiet" icon="add" href="/add">${t('add.title')}<//>
          ${members.length > 0 && html`<${Link} kind="quiet" icon="family" href="/members">${t('home.all')}<//>`}
        </footer>
      </section>

      <nav class="tiles" aria-label=${t('tab.home')}>
        <a class="tile" href="#/show/me"><${Icon} name="code" /><b>${t('home.mine')}</b><small>${t('home.mine.more')}</small></a>
        <a class="tile" href="#/check"><${Icon} name="ask" /><b>${t('home.check')}</b><small>${t('home.check.more')}</small></a>
        <a class="tile" href="#/receipts"><${Icon} name="receipt" /><b>${t('receipts.title')}</b><small>${t('home.receipts.more')}</small></a>
      </nav>

      ${me.data && html`<a class="card row" href="#/account">
        <span class="grow"><small>${t('account.balance')}</small><${Money} fen=${me.data.account.balance_fen} big /></span><${Icon} name="next" /></a>
        <${SayButton} text=${t('say.balance', { amount: yuan(me.data.account.balance_fen) })} />`}
      ${me.data?.frozen && html`<${Notice} kind="bad" title=${t('me.frozen')} />`}
      ${prefs.elder > 0 && html`<div class="sizes" role="group" aria-label=${t('elder.size')}>
        ${[1, 2, 3].map((n) => html`<${Size} n=${n} />`)}</div>`}
    <//>
  </div>`;
}

const LOOK = 5000; // ms between two looks at what waits for my word

// Confirmations are settlements that a till has stopped at, until I say whether my
// account pays.
function Confirmations() {
  const { data, again } = useLoad((signal) => get('/v1/confirmations?limit=20', { signal }));
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === 'visible' && again(), LOOK);
    return () => clearInterval(timer);
  }, []);
  const open = (data?.items ?? []).filter((c) => ['waiting', 'approved'].includes(c.state));
  return open.map((c) => html`<${Confirmation} key=${c.confirmation_id} c=${c} done=${again} />`);
}

function Confirmation({ c, done }) {
  const [say, { busy, problem }] = useAct(async (word) => {
    await post(`/v1/confirmations/${c.confirmation_id}/${word}`);
    done();
  });
  const values = { name: c.patient.name_masked, place: c.institution.name };
  return html`<section class="card confirm" role="alert"><h2>${t(c.state === 'waiting' ? 'confirm.title' : 'confirm.approved')}</h2>
    <p>${t('confirm.what', values)}</p><${Money} fen=${c.amount_fen} big />
    <p class="fine">${t('confirm.most')}</p><${Trouble} problem=${problem} />
    <div class="pair"><${Button} busy=${busy} onClick=${() => say('decline')}>${t(c.state === 'waiting' ? 'act.decline' : 'confirm.back')}<//>
      ${c.state === 'waiting' && html`<${Button} kind="main" busy=${busy} onClick=${() => say('approve')}>${t('act.accept')}<//>`}</div></section>`;
}

const Size = ({ n }) => html`<${Button} aria-pressed=${prefs.elder === n ? 'true' : 'false'} onClick=${() => prefer({ elder: n })}>${t(`elder.size${n}`)}<//>`;
