// Bars by month, one on the other for each person, drawn by uPlot.

import uPlot from '../lib/uplot.js';
import { t } from '../text.js';

const colours = ['--c1', '--c2', '--c3', '--c4', '--c5'];

// draw draws the months' sums and returns how to end the chart.
export function draw(box, months, series) {
  const sheet = new URL('../lib/uplot.css', import.meta.url).href;
  if (!document.querySelector(`link[href="${sheet}"]`)) {
    document.head.append(Object.assign(document.createElement('link'), { rel: 'stylesheet', href: sheet }));
  }
  const style = getComputedStyle(document.documentElement);
  const ink = style.getPropertyValue('--quiet').trim(), line = style.getPropertyValue('--line').trim();
  const sums = months.map(() => 0);
  // Each series is drawn to the height of itself and all below it, the highest first.
  const stacked = series.map((s) => s.fen.map((fen, i) => (sums[i] += Math.max(0, fen) / 100)));
  const order = series.map((_, i) => i).reverse();
  const bars = uPlot.paths.bars({ size: [0.56, 44], radius: 0.12 });
  const font = `12px ${style.fontFamily}`;
  const options = (width) => ({
    width, height: 200, padding: [8, 8, 0, 0], legend: { show: false }, cursor: { show: false },
    scales: { x: { time: false, range: [-0.6, months.length - 0.4] }, y: { range: (_, __, most) => [0, most * 1.1 || 1] } },
    axes: [
      { stroke: ink, font, grid: { show: false }, ticks: { show: false }, splits: months.map((_, i) => i), size: 32, values: months.map((m) => t('account.month.of', { n: Number(m.slice(5)) })) },
      { stroke: ink, font, size: 54, grid: { stroke: line, width: 1 }, ticks: { show: false }, values: (_, at) => at.map((v) => '¥' + v) },
    ],
    series: [{}, ...order.map((i) => ({ label: series[i].name, paths: bars, points: { show: false }, stroke: 'transparent', fill: style.getPropertyValue(colours[i % colours.length]).trim() }))],
  });
  const chart = new uPlot(options(box.clientWidth), [months.map((_, i) => i), ...order.map((i) => stacked[i])], box);
  const legend = document.createElement('ul');
  legend.className = 'legend';
  series.forEach((s, i) => {
    const item = document.createElement('li'), mark = document.createElement('i');
    mark.style.background = `var(${colours[i % colours.length]})`;
    item.append(mark, s.name);
    legend.append(item);
  });
  box.append(legend);
  const fit = new ResizeObserver(() => chart.setSize({ width: box.clientWidth, height: 200 }));
  fit.observe(box);
  return { end: () => { fit.disconnect(); chart.destroy(); legend.remove(); } };
}
