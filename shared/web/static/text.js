// All that people read lies in texts/: one file for each part of the app and language.

import { prefs } from './prefs.js';

const loaded = new Map(); // "family.zh" to its texts
let words = {};

async function load(part, language) {
  const name = `${part}.${language}`;
  if (!loaded.has(name)) {
    const answer = await fetch(new URL(`./texts/${name}.json`, import.meta.url));
    if (!answer.ok) throw new Error(`texts ${name}: ${answer.status}`);
    loaded.set(name, await answer.json());
  }
  return loaded.get(name);
}

const parts = new Set();

// learn makes the texts of the parts known, beside those that were, in the language
// that is preferred now.
export async function learn(...more) {
  for (const part of more) parts.add(part);
  const all = await Promise.all([...parts].map((part) => load(part, prefs.language)));
  words = Object.assign({}, ...all);
}

// t returns a text, its {places} filled.
export function t(key, values) {
  const text = words[key];
  if (text === undefined) {
    console.error(`no text "${key}"`); // which fails a browser test
    return key;
  }
  return values ? text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? '') : text;
}

// either picks the language of what the house said in both: {zh, en}.
export function either(zh, en) {
  return prefs.language === 'en' && en ? en : zh;
}

const zone = 'Asia/Shanghai';

// moment writes a time, in Shanghai's, the same in both languages: 2026-03-01 09:05.
export function moment(time) {
  return new Date(time).toLocaleString('sv-SE', {
    timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', hour12: false,
  });
}

// dayOf writes a day that the door writes as YYYYMMDD.
export function dayOf(day) {
  return `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`;
}

// stamp is a moment in Shanghai as yyyyMMddHHmmss.
export function stamp(date = new Date()) {
  return new Date(date.getTime() + 8 * 3600_000).toISOString().replace(/\D/g, '').slice(0, 14);
}
