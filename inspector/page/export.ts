import { paletteOf } from './canvas.ts';
import { type Drawing, pictureText } from './picture.ts';

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
/** Half of the widest stroke: the box of a drawing does not contain it. */
const rim = 3;

/** Drawings of the page as one picture. */
export function savedPicture(drawings: readonly SVGSVGElement[], caption: readonly string[]): string {
  return pictureText(drawings.map(drawingOf), caption, paletteOf(document.documentElement));
}

/** A whole drawing of the page, at scale 1, with the styles that it needs in a file of its own. */
function drawingOf(drawing: SVGSVGElement): Drawing {
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
  const [width, height] = [Math.ceil(box.width + 2 * rim), Math.ceil(box.height + 2 * rim)];
  const frame = document.createElementNS(svgNamespace, 'svg');
  frame.setAttribute('width', String(width));
  frame.setAttribute('height', String(height));
  frame.setAttribute('viewBox', `${box.x - rim} ${box.y - rim} ${width} ${height}`);
  frame.append(copy);
  return { width, height, svg: new XMLSerializer().serializeToString(frame) };
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
