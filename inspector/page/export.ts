/** The styles of the page that a drawing in a file of its own needs. */
const carried = [
  'fill',
  'fill-opacity',
  'stroke',
  'stroke-width',
  'stroke-dasharray',
  'opacity',
  'font-family',
  'font-size',
  'font-weight',
  'font-style',
  'text-anchor',
  'transform',
  'display',
  'paint-order',
];

const svgNamespace = 'http://www.w3.org/2000/svg';
const gap = 16;
const captionLine = 18;

/**
 * Puts drawings of the page side by side, each whole and cropped, with lines of text below. The result is an
 * SVG that looks the same anywhere.
 */
export function svgText(drawings: readonly SVGSVGElement[], caption: readonly string[]): string {
  const whole = document.createElementNS(svgNamespace, 'svg');
  let right = gap;
  let bottom = 0;
  for (const drawing of drawings) {
    const { width, height } = placed(drawing, whole, right);
    right += width + gap;
    bottom = Math.max(bottom, height + 2 * gap);
  }
  const style = getComputedStyle(document.documentElement);
  for (const [index, line] of caption.entries()) {
    const text = document.createElementNS(svgNamespace, 'text');
    const attributes = {
      x: gap,
      y: bottom + index * captionLine + 8,
      'font-family': 'sans-serif',
      'font-size': 12,
    };
    for (const [name, value] of Object.entries(attributes)) text.setAttribute(name, String(value));
    text.setAttribute('fill', style.getPropertyValue(index === 0 ? '--text' : '--muted'));
    text.textContent = line;
    whole.append(text);
  }
  const longest = Math.max(0, ...caption.map((line) => line.length * captionCharWidth));
  const [width, height] = [Math.max(right, longest + 2 * gap), bottom + caption.length * captionLine];
  whole.setAttribute('xmlns', svgNamespace);
  whole.setAttribute('width', String(Math.ceil(width)));
  whole.setAttribute('height', String(Math.ceil(height)));
  whole.setAttribute('viewBox', `0 0 ${Math.ceil(width)} ${Math.ceil(height)}`);
  const background = document.createElementNS(svgNamespace, 'rect');
  background.setAttribute('width', '100%');
  background.setAttribute('height', '100%');
  background.setAttribute('fill', style.getPropertyValue('--surface'));
  whole.prepend(background);
  return new XMLSerializer().serializeToString(whole);
}

/** Width of a character of a caption at 12 px. */
export const captionCharWidth = 6.6;

/** Puts a whole drawing, at scale 1, into `whole`, and returns its size. */
function placed(drawing: SVGSVGElement, whole: SVGSVGElement, left: number): DOMRect {
  const content = drawing.querySelector<SVGGElement>('.content')!;
  const box = content.getBBox();
  const copy = content.cloneNode(true) as SVGGElement;
  const originals = [content, ...content.querySelectorAll('*')];
  const copies = [copy, ...copy.querySelectorAll('*')];
  for (const [index, original] of originals.entries()) {
    const style = getComputedStyle(original);
    const element = copies[index]!;
    // Styles become attributes, because the policy of the page forbids inline `style`.
    element.removeAttribute('style');
    element.removeAttribute('class');
    for (const name of carried) {
      const value = style.getPropertyValue(name);
      if (value !== '' && (name !== 'transform' || value !== 'none')) element.setAttribute(name, value);
    }
  }
  copy.removeAttribute('transform');
  const frame = document.createElementNS(svgNamespace, 'svg');
  const attributes = { x: left, y: gap, width: box.width, height: box.height };
  for (const [name, value] of Object.entries(attributes)) frame.setAttribute(name, String(value));
  frame.setAttribute('viewBox', `${box.x} ${box.y} ${box.width} ${box.height}`);
  frame.append(copy);
  whole.append(frame);
  return box;
}

/** Renders an SVG as a picture at double resolution. */
export async function pngOf(svg: string): Promise<Blob> {
  const image = new Image();
  image.src = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }));
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = image.naturalWidth * 2;
  canvas.height = image.naturalHeight * 2;
  canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(image.src);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob === null ? reject(new Error('The picture is too large.')) : resolve(blob)));
  });
}

export function save(name: string, content: Blob | string): void {
  const blob = typeof content === 'string' ? new Blob([content], { type: 'text/plain' }) : content;
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
