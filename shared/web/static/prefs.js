// What somebody prefers is kept on his device. It is no secret and nothing of his case.

const KEY = 'gongji.prefs';
const themes = ['auto', 'light', 'dark'];
const sizes = [0, 1, 2, 3]; // 0 is the usual look, the rest elder mode in growing letters

function stored() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    return {}; // no storage, or something else's
  }
}

const kept = stored();

export const prefs = {
  language: ['zh', 'en'].includes(kept.language) ? kept.language : navigator.language?.toLowerCase().startsWith('zh') === false ? 'en' : 'zh',
  theme: themes.includes(kept.theme) ? kept.theme : 'auto',
  elder: sizes.includes(kept.elder) ? kept.elder : 0,
};

const listeners = new Set();

// onPrefs calls back whenever a preference has changed; the answer ends that.
export function onPrefs(callback) {
  listeners.add(callback);
  return () => listeners.delete(callback);
}

// prefer changes a preference: the language, the theme, or the size of elder mode.
export function prefer(change) {
  Object.assign(prefs, change);
  try {
    localStorage.setItem(KEY, JSON.stringify(prefs));
  } catch {
    // then it holds until the page is closed
  }
  show();
  for (const callback of listeners) callback(change);
}

// show brings the preferences to the page, where the style sheet finds them.
export function show() {
  const root = document.documentElement;
  root.lang = prefs.language === 'zh' ? 'zh-CN' : 'en';
  root.dataset.theme = prefs.theme;
  root.dataset.elder = String(prefs.elder);
}
