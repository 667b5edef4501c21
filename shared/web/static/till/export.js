// The day's list as a file. XLSX is a zip of a few XML texts; stored, not compressed,
// it is written here, so that no server has to link a spreadsheet library for it.

import { t, moment } from '../text.js';

const encoder = new TextEncoder();
const columns = ['total_fen', 'fund_paid_fen', 'own_paid_fen', 'shared_paid_fen', 'cash_due_fen'];

// table is the list as rows: texts, and amounts as {fen}.
export const table = (items) => [
  ['slip.time', 'slip.number', 'slip.patient', 'day.kind', 'sum.total', 'part.fund', 'part.own', 'day.shared', 'sum.cash', 'binding.policy'].map((key) => t(key)),
  ...items.map((s) => [moment(s.settled_at), s.settlement_id, s.patient.name_masked, t(s.kind === 'settlement' ? `state.${s.state}` : `slip.${s.kind}`), ...columns.map((c) => ({ fen: s[c] })), s.policy]),
];

const plain = (fen) => `${fen < 0 ? '-' : ''}${Math.floor(Math.abs(fen) / 100)}.${String(Math.abs(fen) % 100).padStart(2, '0')}`;

// csv is the rows for a spreadsheet, which would take a text that begins like a formula
// for one.
export function csv(rows) {
  const cell = (c) => {
    if (typeof c === 'object') return plain(c.fen);
    const text = /^[=+\-@\t\r]/.test(c) ? `'${c}` : c;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return encoder.encode('\ufeff' + rows.map((row) => row.map(cell).join(',')).join('\r\n') + '\r\n');
}

const escaped = (text) => text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]).replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '');
const column = (i) => String.fromCharCode(65 + i); // fewer than 26
const head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>';
const schemas = 'http://schemas.openxmlformats.org';
const main = `${schemas}/spreadsheetml/2006/main`, office = `${schemas}/officeDocument/2006/relationships`, packed = `${schemas}/package/2006`;

// xlsx is the rows as a workbook of one sheet; amounts are numbers with two decimals.
export function xlsx(name, rows) {
  const cells = rows.map((row, r) => `<row r="${r + 1}">${row.map((c, i) => {
    const at = `r="${column(i)}${r + 1}"`;
    return typeof c === 'object' ? `<c ${at} s="1"><v>${plain(c.fen)}</v></c>` : `<c ${at} t="inlineStr"><is><t>${escaped(c)}</t></is></c>`;
  }).join('')}</row>`).join('');
  const type = (part, kind) => `<Override PartName="${part}" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.${kind}+xml"/>`;
  const relation = (id, kind, target) => `<Relationship Id="${id}" Type="${office}/${kind}" Target="${target}"/>`;
  return zip({
    '[Content_Types].xml': `${head}<Types xmlns="${packed}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>${type('/xl/workbook.xml', 'sheet.main')}${type('/xl/worksheets/sheet1.xml', 'worksheet')}${type('/xl/styles.xml', 'styles')}</Types>`,
    '_rels/.rels': `${head}<Relationships xmlns="${packed}/relationships">${relation('r1', 'officeDocument', 'xl/workbook.xml')}</Relationships>`,
    'xl/workbook.xml': `${head}<workbook xmlns="${main}" xmlns:r="${office}"><sheets><sheet name="${escaped(name)}" sheetId="1" r:id="r1"/></sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': `${head}<Relationships xmlns="${packed}/relationships">${relation('r1', 'worksheet', 'worksheets/sheet1.xml')}${relation('r2', 'styles', 'styles.xml')}</Relationships>`,
    'xl/styles.xml': `${head}<styleSheet xmlns="${main}"><fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf xfId="0"/><xf numFmtId="4" xfId="0" applyNumberFormat="1"/></cellXfs></styleSheet>`,
    'xl/worksheets/sheet1.xml': `${head}<worksheet xmlns="${main}"><cols><col min="1" max="${rows[0].length}" width="18" customWidth="1"/></cols><sheetData>${cells}</sheetData></worksheet>`,
  });
}

const polynomials = Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n >>> 0;
});
const crc = (bytes) => (bytes.reduce((sum, byte) => polynomials[(sum ^ byte) & 255] ^ (sum >>> 8), 0xffffffff) ^ 0xffffffff) >>> 0;

// zip stores files in an archive (APPNOTE 6.3.10, method 0).
function zip(files) {
  const parts = [], directory = [];
  let at = 0;
  for (const [name, text] of Object.entries(files)) {
    const title = encoder.encode(name), body = encoder.encode(text);
    // Version 2.0, UTF-8 names, stored, the first day that the format knows.
    const shared = [20, 0, 0, 8, 0, 0, 0, 0, 0x21, 0, ...u32(crc(body)), ...u32(body.length), ...u32(body.length), ...u16(title.length), 0, 0];
    directory.push(new Uint8Array([0x50, 0x4b, 1, 2, 20, 0, ...shared, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ...u32(at), ...title]));
    const local = new Uint8Array([0x50, 0x4b, 3, 4, ...shared, ...title]);
    parts.push(local, body);
    at += local.length + body.length;
  }
  const size = directory.reduce((sum, d) => sum + d.length, 0);
  const end = new Uint8Array([0x50, 0x4b, 5, 6, 0, 0, 0, 0, ...u16(directory.length), ...u16(directory.length), ...u32(size), ...u32(at), 0, 0]);
  return new Blob([...parts, ...directory, end]);
}

const u16 = (n) => [n & 255, n >>> 8];
const u32 = (n) => [...u16(n & 65535), ...u16(n >>> 16)];

// save hands a file to the browser.
export function save(name, type, content) {
  const url = URL.createObjectURL(new Blob([content], { type }));
  Object.assign(document.createElement('a'), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
