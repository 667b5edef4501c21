// The two switches of a binding, and the caps under the second. One form for asking
// and for changing.

import { html, Switch, Field } from '../ui.js';
import { t } from '../text.js';
import { fenOf, yuan } from '../money.js';
import { DayField, isDay } from '../dayfield.js';

const caps = ['monthly_cap_fen', 'per_settlement_cap_fen', 'quota_fen'];
const purposes = ['care', 'pharmacy', 'premium'];

// blank is the form as it opens: both switches off, nothing is given unasked.
export const blank = () => ({ show: false, pays: false, purposes: ['care', 'pharmacy'], monthly_cap_fen: '', per_settlement_cap_fen: '', quota_fen: '', valid_until: '' });

// formOf is the form of a binding as it stands.
export function formOf(b) {
  const form = { ...blank(), show: b.show, pays: b.pay !== null };
  if (b.pay) {
    form.purposes = b.pay.purposes;
    for (const cap of caps) form[cap] = b.pay[cap] ? yuan(b.pay[cap]).replaceAll(',', '') : '';
    if (b.pay.valid_until) form.valid_until = `${b.pay.valid_until.slice(0, 4)}-${b.pay.valid_until.slice(4, 6)}-${b.pay.valid_until.slice(6)}`;
  }
  return form;
}

// payOf is what the form says to the door; errors names what cannot be read.
export function payOf(form) {
  const errors = {};
  if (!form.pays) return { pay: null, errors };
  const pay = { purposes: purposes.filter((p) => form.purposes.includes(p)) };
  if (pay.purposes.length === 0) errors.purposes = t('terms.purposes.none');
  for (const cap of caps) {
    if (form[cap].trim() === '') continue;
    pay[cap] = fenOf(form[cap]);
    if (pay[cap] === null) errors[cap] = t('form.amount');
  }
  if (form.valid_until && !isDay(form.valid_until)) errors.valid_until = t('dayfield.wrong');
  else if (form.valid_until) pay.valid_until = form.valid_until.replaceAll('-', '');
  return { pay, errors };
}

// Terms draws the switches. `name` is the relative's, as the form has it so far.
export function Terms({ form, change, errors, name }) {
  const set = (key) => (e) => change({ [key]: e.currentTarget.value });
  return html`
    <fieldset class="card terms">
      <legend>${t('terms.legend')}</legend>
      <${Switch} label=${t('terms.show')} hint=${t('terms.show.more', { name })} checked=${form.show} onChange=${(show) => change({ show })} />
      <${Switch} label=${t('terms.pay')} hint=${t('terms.pay.more', { name })} checked=${form.pays} onChange=${(pays) => change({ pays })} />
      ${form.pays && html`<div class="caps">
        <fieldset class="choices"><legend>${t('terms.purposes')}</legend>
          ${purposes.map((p) => html`<label class="choice"><input type="checkbox" checked=${form.purposes.includes(p)}
            onChange=${(e) => change({ purposes: e.currentTarget.checked ? [...form.purposes, p] : form.purposes.filter((x) => x !== p) })} /><span>${t(`terms.purpose.${p}`)}</span></label>`)}
          ${errors.purposes && html`<p class="error">${errors.purposes}</p>`}
        </fieldset>
        ${caps.slice(0, 2).map((cap) => html`<${Field} label=${t(`terms.${cap}`)} hint=${t('terms.cap.hint')} error=${errors[cap]} inputmode="decimal" autocomplete="off" value=${form[cap]} onInput=${set(cap)} />`)}
        <details class="more"><summary>${t('terms.more')}</summary>
          <${Field} label=${t('terms.quota_fen')} hint=${t('terms.quota.hint')} error=${errors.quota_fen} inputmode="decimal" autocomplete="off" value=${form.quota_fen} onInput=${set('quota_fen')} />
          <${DayField} label=${t('terms.valid_until')} hint=${t('terms.until.hint')} error=${errors.valid_until} value=${form.valid_until} onDay=${(valid_until) => change({ valid_until })} />
        </details>
      </div>`}
      ${errors.neither && html`<p class="error" role="alert">${errors.neither}</p>`}
    </fieldset>`;
}
