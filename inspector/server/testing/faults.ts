import type { Page } from 'playwright-core';

/** The smallest size of a text: 11 px, but for rounding. */
const leastPx = 10.95;

/** Height of the name of a site: two names that touch are higher. */
const mostNamePx = 18;

/** Texts of drawings smaller than they may be, panels without content, and parts that stick out of the page. */
export async function faults(page: Page): Promise<readonly string[]> {
  return page.evaluate(`(() => {
    const found = [];
    for (const text of document.querySelectorAll('.drawing text')) {
      if (text.textContent.trim() === '') continue;
      const { a, b } = text.getScreenCTM();
      const size = parseFloat(getComputedStyle(text).fontSize) * Math.hypot(a, b);
      if (size < ${leastPx}) found.push('a text of ' + size.toFixed(1) + ' px: ' + text.textContent);
    }
    for (const element of document.querySelectorAll('body *')) {
      if (element.closest('svg') !== null || element.children.length > 0 || element.textContent.trim() === '') continue;
      const { width, height } = element.getBoundingClientRect();
      if (width <= 1 || height <= 1) continue;
      const size = parseFloat(getComputedStyle(element).fontSize);
      if (size < ${leastPx}) found.push('a text of ' + size + ' px: ' + element.textContent);
    }
    for (const panel of document.querySelectorAll('.panel')) {
      const { width, height } = panel.getBoundingClientRect();
      if (width < 150 || height < 120) found.push('a panel of ' + width + ' x ' + height + ': ' + panel.ariaLabel);
      const body = [...panel.querySelectorAll('.body')].find((one) => !one.hidden);
      if (body.textContent.trim() === '' && body.querySelector('canvas') === null) found.push('an empty panel: ' + panel.ariaLabel);
    }
    const forest = document.querySelector('.forest');
    if (forest !== null) {
      const shown = new Map([...forest.querySelectorAll('.site')].map((site) => [site.querySelector('.id').textContent, site]));
      const view = forest.getBoundingClientRect();
      for (const name of document.querySelectorAll('.state-table thead th + th')) {
        const id = name.textContent;
        const disc = shown.get(id)?.querySelector('.disc');
        const box = disc?.getBoundingClientRect();
        const isSeen = disc?.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && box.width > 20;
        if (!isSeen) found.push('a hidden site: ' + id);
        else if (box.left < view.left - 1 || box.right > view.right + 1 || box.top < view.top - 1 || box.bottom > view.bottom + 1)
          found.push('a site out of view: ' + id);
      }
    }
    for (const table of document.querySelectorAll('.side table')) {
      const { scrollWidth, clientWidth } = table.closest('.scroll') ?? table;
      if (scrollWidth > clientWidth) found.push('a table is ' + (scrollWidth - clientWidth) + ' px wider than its panel');
      for (const cell of table.querySelectorAll('td, th'))
        if (cell.scrollWidth > cell.clientWidth + 1) found.push('a text sticks out of its cell: ' + cell.textContent);
    }
    for (const shown of document.querySelectorAll('.sequence')) {
      const names = namesIn(shown);
      const sites = /^Sequence chart of (.*): \\d+ steps/.exec(shown.ariaLabel)[1].split(', ');
      const { scrollHeight, clientHeight } = shown.closest('.sequence-canvas');
      const isWhole = scrollHeight <= clientHeight;
      if (names.length < (isWhole ? sites.length : 1) || names.some((high) => high > ${mostNamePx}))
        found.push(names.length + ' names in the sequence chart of ' + sites);
    }
    for (const opened of document.querySelectorAll('.reads[open] > .causes, .downloads[open] > div, dialog[open]')) {
      const { left, right, width, height } = opened.getBoundingClientRect();
      if (left < 0 || right > innerWidth || width < 60 || height < 40)
        found.push('an opened part from ' + left + ' to ' + right + ' px: ' + opened.textContent);
    }
    const over = document.documentElement.scrollWidth - innerWidth;
    if (over > 0) found.push('the page is ' + over + ' px wider than the window');
    for (const name of ['.top', '.story', '.controls', '.panel > header']) {
      for (const element of document.querySelectorAll(name)) {
        const { right } = element.getBoundingClientRect();
        for (const child of element.children) {
          if (child.getBoundingClientRect().right > Math.min(innerWidth, right) + 1) found.push(name + ' sticks out: ' + child.textContent);
        }
      }
    }
    return found;

    /** The heights of the texts at the left edge of a sequence chart, below the numbers of the steps. */
    function namesIn(shown) {
      const ratio = devicePixelRatio;
      const { width, height } = shown;
      if (width === 0 || height <= 24 * ratio) return [];
      const canvas = Object.assign(document.createElement('canvas'), { width, height });
      const context = canvas.getContext('2d', { willReadFrequently: true });
      context.drawImage(shown, 0, 0);
      const wide = Math.round((Number(shown.dataset.gutter) - 12) * ratio);
      const top = Math.round(24 * ratio);
      const { data } = context.getImageData(0, top, wide, height - top);
      const heights = [];
      let since = null;
      for (let y = 0; y <= height - top; y++) {
        let isText = false;
        for (let at = y * wide; y < height - top && at < (y + 1) * wide && !isText; at++)
          isText = [0, 1, 2].some((of) => Math.abs(data[4 * at + of] - data[of]) > 60);
        if (isText) since ??= y;
        else if (since !== null) {
          heights.push((y - since) / ratio);
          since = null;
        }
      }
      return heights;
    }
  })()`);
}

/** Is anything drawn on the canvas of the messages but its background? */
export function drawnShare(page: Page): Promise<number> {
  return page.evaluate(`(() => {
    const shown = document.querySelector('.sequence');
    const canvas = Object.assign(document.createElement('canvas'), { width: shown.width, height: shown.height });
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context.drawImage(shown, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    let drawn = 0;
    for (let at = 3; at < data.length; at += 4) if (data[at] > 0) drawn++;
    return drawn / (data.length / 4);
  })()`);
}

/** For each arrow between sites, the least distance from the rim of a disc of a third site; negative: it goes through. */
export function clearances(page: Page): Promise<number[]> {
  return page.evaluate(`(() => {
    const discs = [...document.querySelectorAll('.forest .site')].map((site) => {
      const { e, f } = new DOMMatrix(site.style.transform);
      return { x: e, y: f, r: 25 };
    });
    return [...document.querySelectorAll('.forest path.last, .forest path.next, .forest path.way')].map((path) => {
      const length = path.getTotalLength();
      const at = (part) => path.getPointAtLength(length * part);
      const far = (point) => (disc) => Math.hypot(disc.x - point.x, disc.y - point.y) - disc.r;
      const ends = [at(0), at(1)];
      const others = discs.filter((disc) => !ends.some((end) => Math.abs(far(end)(disc)) < 6));
      let least = Infinity;
      for (let part = 0; part <= 1; part += 0.02) for (const disc of others) least = Math.min(least, far(at(part))(disc));
      return least;
    });
  })()`);
}
