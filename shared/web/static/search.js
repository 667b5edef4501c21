// A box in which one finds something by name, pinyin initials or code; used with the
// keyboard as with the finger.

import { html, Field, useEffect, useMemo, useRef, useState } from './ui.js';
import { t } from './text.js';
import { get } from './door.js';

const WAIT = 180; // ms after the last key

let lists = 0;

export function Search({ label, hint, example, path, line, choose, chosen, focus, onCode }) {
  const list = useMemo(() => `found-${++lists}`, []);
  const [typed, type] = useState('');
  const [found, find] = useState(null);
  const [at, move] = useState(0);
  const [failed, fail] = useState(false);
  const input = useRef();
  useEffect(() => {
    const q = typed.trim();
    find(null);
    fail(false);
    if (q === '') return undefined;
    const ending = new AbortController();
    const timer = setTimeout(() => {
      get(`${path}?q=${encodeURIComponent(q)}&limit=8`, { signal: ending.signal }).then(
        (page) => { find(page.items); move(0); },
        () => ending.signal.aborted || fail(true),
      );
    }, WAIT);
    return () => {
      clearTimeout(timer);
      ending.abort();
    };
  }, [typed]);
  useEffect(() => {
    if (focus) input.current?.focus();
  }, [focus]);
  const take = (item) => {
    type('');
    find(null);
    choose(item);
    input.current?.focus();
  };
  const key = (e) => {
    if (e.isComposing) return; // the Enter of an input method
    if (e.key === 'ArrowDown' && found) move(Math.min(at + 1, found.length - 1));
    else if (e.key === 'ArrowUp' && found) move(Math.max(at - 1, 0));
    else if (e.key === 'Enter' && onCode?.(typed.trim())) type('');
    else if (e.key === 'Enter' && found?.[at]) take(found[at]);
    else if (e.key === 'Escape') type('');
    else return;
    e.preventDefault();
  };
  const open = typed.trim() !== '' && (found || failed);
  return html`<div class="search">
    <${Field} label=${label} hint=${hint}>${(shared) => html`<input ...${shared} ref=${input} role="combobox" aria-autocomplete="list" aria-expanded=${open ? 'true' : 'false'} aria-controls=${list}
      aria-activedescendant=${open && found?.length ? `${list}-${at}` : null} autocomplete="off" spellcheck=${false} placeholder=${chosen ?? example ?? ''} value=${typed} onInput=${(e) => type(e.currentTarget.value)} onKeyDown=${key} />`}<//>
    ${chosen && html`<p class="chosen">${chosen}</p>`}
    <ul class="found" id=${list} role="listbox" aria-label=${label} hidden=${!open || !found?.length}>
      ${(found ?? []).map((item, i) => html`<li role="option" id=${`${list}-${i}`} aria-selected=${i === at ? 'true' : 'false'} onMouseDown=${(e) => { e.preventDefault(); take(item); }}>${line(item)}</li>`)}
    </ul>
    <p role="status" class="hint">${open && failed ? t('search.failed') : open && found?.length === 0 ? t('search.none') : ''}</p>
  </div>`;
}
