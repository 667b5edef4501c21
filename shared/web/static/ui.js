// What all pages are made of.

import { h, render, Fragment } from './lib/preact.js';
import { useEffect, useMemo, useRef, useState } from './lib/hooks.js';
import htm from './lib/htm.js';
import { t, either } from './text.js';
import { yuan } from './money.js';
import { wordsOf } from './door.js';
import { prefs } from './prefs.js';
import { Icon } from './icons.js';

export const html = htm.bind(h);
export { render, Fragment, useEffect, useMemo, useRef, useState, Icon };

export const go = (hash) => { location.hash = hash; };

// Page is a page's frame: a heading that takes the focus when the page opens, so that
// a screen reader says where one is.
export function Page({ title, back, actions, children, wide }) {
  const heading = useRef();
  useEffect(() => {
    document.title = `${title} · ${t('app.name')}`;
    scrollTo(0, 0);
    heading.current?.focus({ preventScroll: true });
  }, [title]);
  return html`<div class=${'page' + (wide ? ' wide' : '')}>
    <header class="top">
      ${back !== undefined && html`<a class="round" href=${'#' + back} aria-label=${t('act.back')}><${Icon} name="back" /></a>`}
      <h1 tabindex="-1" ref=${heading}>${title}</h1>
      ${actions}
    </header>
    ${children}
  </div>`;
}

// Money writes an amount with its unit. `sign` also marks what came in.
export function Money({ fen, sign, big }) {
  return html`<span class=${'money' + (big ? ' big' : '')}>${fen < 0 ? '−' : sign && fen > 0 ? '+' : ''}<span class="unit">¥</span>${yuan(Math.abs(fen))}</span>`;
}

export function Button({ kind = 'plain', icon, busy, children, ...rest }) {
  return html`<button type="button" ...${rest} class=${`button ${kind}`} disabled=${busy || rest.disabled} aria-busy=${busy ? 'true' : null}>
    ${icon && html`<${Icon} name=${icon} />`}<span>${children}</span>
  </button>`;
}

export const Link = ({ kind = 'plain', icon, href, children, ...rest }) =>
  html`<a ...${rest} class=${`button ${kind}`} href=${'#' + href}>${icon && html`<${Icon} name=${icon} />`}<span>${children}</span></a>`;

// Notice says something to whoever is looking: kinds are info, good, wait and bad.
export const Notice = ({ kind = 'info', title, children, action }) => html`<div class=${`notice ${kind}`} role=${kind === 'bad' ? 'alert' : 'status'}>
    <${Icon} name=${{ info: 'ask', good: 'done', wait: 'wait', bad: 'warn' }[kind]} />
    <div>${title && html`<strong>${title}</strong>`}${children && html`<p>${children}</p>`}${action}</div>
  </div>`;

// Trouble says what went wrong, in the words of the house's catalogue.
export function Trouble({ problem, again, whom }) {
  if (!problem) return null;
  const button = again && html`<${Button} onClick=${again}>${t('act.again')}<//>`;
  if (problem.code === 'no_answer' || problem.document === undefined) {
    return html`<${Notice} kind="bad" title=${t(navigator.onLine ? 'trouble.silent' : 'trouble.offline')} action=${button}>${t('trouble.nothing')}<//>`;
  }
  return html`<${Notice} kind="bad" title=${titleOf(problem)} action=${button}>
    ${wordsOf(problem, whom)}
    ${problem.allowed && html`<small class="fine">${t('trouble.allowed', { observed: problem.observed || '–', allowed: problem.allowed })}</small>`}
    <small class="fine">${problem.code}${problem.request_id ? ' · ' + problem.request_id : ''}</small>
  <//>`;
}

function titleOf(problem) {
  const [zh, en] = (problem.title ?? '').split(' / '); // as the catalogue writes it
  return either(zh, en);
}

// Field is a labelled input; an error stands under it and is read with it.
let fields = 0;
export function Field({ label, hint, error, children, ...input }) {
  const id = useMemo(() => `field-${++fields}`, []);
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ') || null;
  const shared = { id, 'aria-describedby': described, 'aria-invalid': error ? 'true' : null };
  return html`<div class="field">
    <label for=${id}>${label}</label>
    ${children ? children(shared) : html`<input ...${shared} ...${input} />`}
    ${hint && html`<p class="hint" id=${`${id}-hint`}>${hint}</p>`}
    ${error && html`<p class="error" id=${`${id}-error`}>${error}</p>`}
  </div>`;
}

// Switch is one plain yes or no.
export const Switch = ({ label, hint, checked, onChange, disabled }) => html`<label class="switch">
    <span><b>${label}</b>${hint && html`<small>${hint}</small>`}</span>
    <input type="checkbox" role="switch" checked=${checked} disabled=${disabled} onChange=${(e) => onChange(e.currentTarget.checked)} />
    <i aria-hidden="true"></i>
  </label>`;

// Sheet is a dialog over the page. Escape and its cross close it.
export function Sheet({ title, onClose, children }) {
  const dialog = useRef();
  useEffect(() => {
    dialog.current.showModal();
  }, []);
  return html`<dialog class="sheet" ref=${dialog} aria-labelledby="sheet-title" onClose=${onClose} onClick=${(e) => e.target === dialog.current && dialog.current.close()}>
    <div class="inner">
      <header><h2 id="sheet-title">${title}</h2>
        <button type="button" class="round" aria-label=${t('act.close')} onClick=${() => dialog.current.close()}><${Icon} name="close" /></button></header>
      ${children}
    </div>
  </dialog>`;
}

export const Waiting = () => html`<div class="waiting" role="status"><span class="spinner"></span><span>${t('app.loading')}</span></div>`;

export const Empty = ({ icon, children }) => html`<div class="empty"><${Icon} name=${icon} /><p>${children}</p></div>`;

// useLoad asks for something when a page opens and whenever what it depends on
// changes: {data, problem, again}.
export function useLoad(load, depends = []) {
  const [state, set] = useState({});
  const [turn, next] = useState(0);
  useEffect(() => {
    const ending = new AbortController();
    set((was) => ({ data: was.data }));
    load(ending.signal).then(
      (data) => ending.signal.aborted || set({ data }),
      (problem) => ending.signal.aborted || set((was) => ({ data: was.data, problem })),
    );
    return () => ending.abort();
  }, [turn, ...depends]);
  return { ...state, again: () => next((n) => n + 1), put: (data) => set({ data }) };
}

// useAct runs what a button asks for, one at a time: [run, {busy, problem}].
export function useAct(act) {
  const [state, set] = useState({});
  const running = useRef(false);
  const run = async (...args) => {
    if (running.current) return undefined;
    running.current = true;
    set({ busy: true });
    try {
      const result = await act(...args);
      set({});
      return result;
    } catch (problem) {
      if (!(problem instanceof Error)) throw problem;
      set({ problem });
      return undefined;
    } finally {
      running.current = false;
    }
  };
  return [run, state, () => set({})];
}

// useNow is the time, again each second (or each `every` ms) while the page is open.
export function useNow(every = 1000) {
  const [now, set] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => set(Date.now()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}

// say speaks a text, where the browser can: for those who read with difficulty.
export function say(text) {
  if (!('speechSynthesis' in window)) return;
  speechSynthesis.cancel();
  const speech = new SpeechSynthesisUtterance(text);
  speech.lang = prefs.language === 'zh' ? 'zh-CN' : 'en-GB';
  speech.rate = 0.9;
  speechSynthesis.speak(speech);
}

export const SayButton = ({ text }) => prefs.elder > 0 && 'speechSynthesis' in window
  && html`<${Button} icon="sound" onClick=${() => say(text)}>${t('act.say')}<//>`;
