// A day, written year-month-day and meant in Shanghai, whatever the browser speaks: its
// own field would write it as the browser's language does.

import { html, Field, Icon, useEffect, useState } from './ui.js';
import { t, stamp, dayOf } from './text.js';

// today is the day in Shanghai.
export const today = () => dayOf(stamp().slice(0, 8));

// isDay tells whether a text is a day of the calendar, as YYYY-MM-DD.
export function isDay(text) {
  const at = new Date(`${text}T00:00:00Z`);
  return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text);
}

const beside = (day, n) => new Date(Date.parse(`${day}T00:00:00Z`) + n * 86_400_000).toISOString().slice(0, 10);

const written = (typed) => {
  const digits = typed.replace(/\D/g, '').slice(0, 8);
  return [digits.slice(0, 4), digits.slice(4, 6), digits.slice(6)].filter(Boolean).join('-');
};

// DayField says through onDay what was typed, which is a day or not yet one. With
// `steps` it goes a day back or on, up to today.
export function DayField({ label, hint, error, value, onDay, steps }) {
  const [typed, type] = useState(value);
  const [left, leave] = useState(false);
  useEffect(() => type(value), [value]);
  const change = (text) => {
    type(text);
    leave(false);
    onDay(text);
  };
  const wrong = error ?? (left && typed !== '' && !isDay(typed) ? t('dayfield.wrong') : undefined);
  const step = (n, icon, name) => steps && html`<button type="button" class="round" aria-label=${t(name)} disabled=${!isDay(typed) || (n > 0 && typed >= today())} onClick=${() => change(beside(typed, n))}><${Icon} name=${icon} /></button>`;
  return html`<${Field} label=${label} hint=${[t('dayfield.hint'), hint].filter(Boolean).join(' ')} error=${wrong}>${(shared) => html`<span class="dayfield">${step(-1, 'back', 'dayfield.before')}
    <input ...${shared} inputmode="numeric" autocomplete="off" maxlength="10" placeholder="YYYY-MM-DD" value=${typed} onInput=${(e) => change(written(e.currentTarget.value))} onBlur=${() => leave(true)} />${step(1, 'next', 'dayfield.after')}</span>`}<//>`;
}
