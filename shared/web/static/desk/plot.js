// Bars side by side, above and below nothing: what each group would have more or less.

import uPlot from '../lib/uplot.js';

const colours = ['--c1', '--c3', '--c2'];
const SIDE = 0.24; // a bar's share of its group's place
const WIDEST = 64; // px

// draw draws series of fen, one bar for each group and series, and returns how to end it.
export function draw(box, groups, series) {
  const sheet = new URL('../lib/uplot.css', import.meta.url).href;
  if (!document.querySelector(`link[href="${sheet}"]`)) {
    document.head.append(Object.assign(document.createElement('link'), { rel: 'stylesheet', href: sheet }));
  }
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const font = `12px ${style.fontFamily}`;
  // Each series has its own places, a little beside the group's: one x for every bar.
  const xs = groups.flatMap((_, g) => series.map((_, s) => g + (s - (series.length - 1) / 2) * SIDE));
  const columns = series.map((one, s) => xs.map((_, i) => (i % series.length === s ? one.fen[Math.floor(i / series.length)] / 100 : null)));
  const most = Math.max(1, ...series.flatMap((one) => one.fen.map((fen) => Math.abs(fen) / 100))) * 1.15;
  const least = series.some((one) => one.fen.some((fen) => fen < 0)) ? -most : 0;
  const top = series.some((one) => one.fen.some((fen) => fen > 0)) ? most : 0;
  const bars = (u, s, from, to) => {
    const path = new Path2D(), width = Math.min(WIDEST * devicePixelRatio, Math.abs(u.valToPos(SIDE * 0.9, 'x', true) - u.valToPos(0, 'x', true))), zero = u.valToPos(0, 'y', true);
    for (let i = from; i <= to; i++) {
      const value = u.data[s][i];
      if (value === null || value === 0) continue;
      const y = u.valToPos(value, 'y', true);
      path.rect(u.valToPos(u.data[0][i], 'x', true) - width / 2, Math.min(y, zero), width, Math.abs(y - zero));
    }
    return { fill: path, stroke: null };
  };
  const chart = new uPlot({
    width: box.clientWidth, height: 240, padding: [12, 12, 0, 0], legend: { show: false }, cursor: { show: false },
    scales: { x: { time: false, range: [-0.6, groups.length - 0.4] }, y: { range: [least, top || 1] } },
    axes: [
      { stroke: colour('--quiet'), font, size: 34, grid: { show: false }, ticks: { show: false }, splits: groups.map((_, i) => i), values: () => groups },
      { stroke: colour('--quiet'), font, size: 76, grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false }, values: (_, at) => at.map((v) => `${v < 0 ? '−' : ''}¥${Math.abs(v)}`) },
    ],
    series: [{}, ...series.map((one, s) => ({ label: one.name, paths: bars, points: { show: false }, fill: colour(colours[s % colours.length]) }))],
  }, [xs, ...columns], box);
  const legend = document.createElement('ul');
  legend.className = 'legend';
  series.forEach((one, s) => {
    const item = document.createElement('li'), mark = document.createElement('i');
    mark.style.background = `var(${colours[s % colours.length]})`;
    item.append(mark, one.name);
    legend.append(item);
  });
  box.append(legend);
  const fit = new ResizeObserver(() => chart.setSize({ width: box.clientWidth, height: 240 }));
  fit.observe(box);
  return { end: () => { fit.disconnect(); chart.destroy(); legend.remove(); } };
}
