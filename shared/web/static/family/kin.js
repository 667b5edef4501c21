// What a relative is, and how a binding with him stands: words for both.

import { t, either } from '../text.js';
import { yuan } from '../money.js';

// relations are the codes of GB/T 4761 that a person is likely to look for, near
// relatives first. What a region takes, the house says.
export const relations = [
  ['near', ['30', '20', '11', '12', '51', '52', '61', '62', '63', '64', '71', '73', '75', '77', '41', '42', '43', '44']],
  ['other', ['53', '54', '55', '56', '28', '38']],
];

const known = relations.flatMap(([, codes]) => codes);

// relationOf is what a family says, where the code list has only 女.
export const relationOf = (b) => (known.includes(b.relation) ? t(`relation.${b.relation}`) : either(b.relation_zh, b.relation_en));

// other is whom the binding is with, seen from here.
export const other = (b) => (b.role === 'holder' ? b.member : b.holder).name_masked;

// titleOf names a relative the way the family does: 女儿 李*雨.
export const titleOf = (b) => (b.role === 'holder' ? `${relationOf(b)} ${other(b)}` : other(b));

export const live = (b) => !['ended', 'declined', 'rejected', 'expired'].includes(b.state);

// mine tells whether the next open step is for the person who looks.
export function openStep(b) {
  const step = b.steps.find((s) => !s.done);
  return step && { ...step, mine: step.by === b.role || (b.guardian && b.role === 'holder' && step.by === 'member') };
}

// can tells whether a code can be shown with this binding now.
export const canShow = (b) => b.role === 'holder' && b.state === 'active' && b.show && !b.paused;

// readiness is one sentence: would it pay now, and if not, why; and what mends it.
// kind is how it looks; mend is where the button goes.
export function readiness(b) {
  const name = other(b);
  const step = openStep(b);
  if (b.state === 'ended') return { kind: 'off', text: t('ready.ended') };
  if (!live(b)) return { kind: 'off', text: t('ready.declined', { name }) };
  if (step) {
    const words = { upload: 'ready.upload', submit: 'ready.submit', accept: 'ready.accept', review: 'ready.review' }[step.action];
    return { kind: 'wait', text: t(step.mine ? `${words}.mine` : words, { name }), mend: step.mine };
  }
  if (b.paused) return { kind: 'off', text: t(b.paused_by_me ? 'ready.paused.mine' : 'ready.paused', { name }), mend: b.paused_by_me };
  // Frozen, insured elsewhere, run out, nothing left to share: only the house knows.
  if (b.pay && !b.readiness.pays) {
    return { kind: 'wait', text: either(b.readiness.text_zh, b.readiness.text_en), mend: b.readiness.by === b.role };
  }
  if (b.role === 'member') {
    return { kind: 'good', text: t(b.pay ? (b.show ? 'ready.member.both' : 'ready.member.pay') : 'ready.member.show', { name }) };
  }
  if (!b.pay) return { kind: 'good', text: t('ready.show', { name }) };
  const left = leftOf(b.pay);
  const text = t(b.show ? 'ready.both' : 'ready.pay', { name });
  return { kind: 'good', text: left === null ? text : text + t('ready.left', { amount: yuan(left) }) };
}

// leftOf is what a grant may still pay this month, in fen; null is no cap.
export function leftOf(pay) {
  const lefts = [];
  if (pay.monthly_cap_fen) lefts.push(Math.max(0, pay.monthly_cap_fen - pay.spent_this_month_fen));
  if (pay.quota_left_fen !== undefined && pay.quota_left_fen !== null) lefts.push(pay.quota_left_fen);
  return lefts.length ? Math.min(...lefts) : null;
}
