// Lines of the trail: who did what, or looked at whom, and when.

import { html, Empty } from '../ui.js';
import { t, moment } from '../text.js';

// Acts writes lines; `about` also says whom or what each is about.
export const Acts = ({ acts, about }) => (acts.length === 0 ? html`<${Empty} icon="done">${t('acts.none')}<//>` : html`<div class="scroll"><table class="acts">
  <thead><tr><th>${t('acts.when')}</th><th>${t('acts.what')}</th>${about && html`<th>${t('acts.about')}</th>`}<th>${t('acts.who')}</th></tr></thead>
  <tbody>${acts.map((a) => html`<tr key=${a.act_id}><td class="when">${moment(a.at)}</td><td>${t(`acts.did.${a.what}`)}${a.reference && html`<small>${a.reference}</small>`}</td>
    ${about && html`<td>${a.person_no ?? a.institution_code}</td>`}<td>${a.by}</td></tr>`)}</tbody></table></div>`);
