// 我的: who I am, my family, how the pages look, and leaving.

import { html, Page, Button, Link, Icon, Trouble, useLoad } from '../ui.js';
import { t, either } from '../text.js';
import { get } from '../door.js';
import { prefs, prefer } from '../prefs.js';
import { signOut } from '../session.js';

const Choices = ({ label, values, now, choose, name }) => html`<fieldset class="choices inline"><legend>${label}</legend>
  <div class="tabbar">${values.map((v) => html`<${Button} kind="tab" aria-pressed=${now === v ? 'true' : 'false'} onClick=${() => choose(v)}>${name(v)}<//>`)}</div></fieldset>`;

export function Me() {
  const { data: me, problem, again } = useLoad((signal) => get('/v1/me', { signal }));
  return html`<${Page} title=${t('tab.me')}>
    <${Trouble} problem=${problem} again=${again} />
    ${me && html`<section class="card"><div class="row"><span class="avatar" aria-hidden="true"><${Icon} name="person" /></span>
      <span class="grow"><b>${me.name_masked}</b><small>${me.id_no_masked}</small></span></div>
      <dl class="facts"><div><dt>${t('me.insurance')}</dt><dd>${t(`insutype.${['310', '390'].includes(me.insurance.insutype) ? me.insurance.insutype : 'none'}`)}${!me.insurance.insured && t('me.uninsured')}</dd></div>
        <div><dt>${t('me.region')}</dt><dd>${either(me.insurance.region_zh, me.insurance.region_en)} <small>${me.insurance.region}</small></dd></div><div class="fine"><dt>${t('binding.policy')}</dt><dd>${me.policy}</dd></div></dl></section>`}
    <nav class="stack">
      <a class="card row" href="#/add"><${Icon} name="add" /><span class="grow"><b>${t('me.add')}</b></span><${Icon} name="next" /></a>
      <a class="card row" href="#/members"><${Icon} name="family" /><span class="grow"><b>${t('members.title')}</b></span><${Icon} name="next" /></a>
      <a class="card row" href="#/premiums"><${Icon} name="shield" /><span class="grow"><b>${t('premium.title')}</b></span><${Icon} name="next" /></a>
      <a class="card row" href="#/receipts"><${Icon} name="receipt" /><span class="grow"><b>${t('receipts.title')}</b></span><${Icon} name="next" /></a>
      <a class="card row" href="#/show/me"><${Icon} name="code" /><span class="grow"><b>${t('home.mine')}</b></span><${Icon} name="next" /></a>
    </nav>
    <section class="card">
      <${Choices} label=${t('me.language')} values=${['zh', 'en']} now=${prefs.language} choose=${(language) => prefer({ language })} name=${(v) => ({ zh: '简体中文', en: 'English' })[v]} />
      <${Choices} label=${t('me.theme')} values=${['auto', 'light', 'dark']} now=${prefs.theme} choose=${(theme) => prefer({ theme })} name=${(v) => t(`theme.name.${v}`)} />
      <${Choices} label=${t('elder.name')} values=${[0, 1, 2, 3]} now=${prefs.elder} choose=${(elder) => prefer({ elder })} name=${(v) => t(`elder.size${v}`)} />
    </section>
    <${Button} kind="danger" icon="leave" onClick=${signOut}>${t('me.leave')}<//>
  <//>`;
}
