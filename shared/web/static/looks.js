// How the pages look and speak: language, letters, light. On every first page.

import { html, Icon } from './ui.js';
import { t } from './text.js';
import { prefs, prefer } from './prefs.js';

const after = { auto: 'dark', dark: 'light', light: 'auto' };

export const Looks = ({ light = true }) => html`<div class="looks">
    ${light && html`<button type="button" class="round" onClick=${() => prefer({ theme: after[prefs.theme] })} aria-label=${t(`theme.${prefs.theme}`)} title=${t(`theme.${prefs.theme}`)}><${Icon} name="sun" /></button>`}
    <button type="button" class="pill" lang=${prefs.language === 'zh' ? 'en' : 'zh-CN'} onClick=${() => prefer({ language: prefs.language === 'zh' ? 'en' : 'zh' })}>${prefs.language === 'zh' ? 'English' : '中文'}</button>
    <button type="button" class="pill" aria-pressed=${prefs.elder > 0 ? 'true' : 'false'} onClick=${() => prefer({ elder: prefs.elder ? 0 : 1 })}><${Icon} name="letters" /><span>${t('elder.name')}</span></button>
  </div>`;
