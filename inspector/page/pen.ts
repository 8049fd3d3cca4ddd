import { type Drawing, escaped, fontFamily } from './picture.ts';

/** The operations of a drawing: on the screen's canvas, or in SVG for a file. */
export interface Pen {
  line(points: readonly number[], style: Stroke): void;
  rect(x: number, y: number, width: number, height: number, style: Fill & { readonly radius?: number }): void;
  circle(x: number, y: number, radius: number, style: Fill & Partial<Stroke>): void;
  /** A closed shape. */
  shape(points: readonly number[], style: Fill): void;
  text(text: string, x: number, y: number, style: TextStyle): void;
}

export interface Stroke {
  readonly stroke: string;
  readonly width: number;
  readonly dash?: readonly number[];
  readonly alpha?: number;
}

export interface Fill {
  readonly fill: string;
  readonly alpha?: number;
}

export interface TextStyle extends Fill {
  readonly size: number;
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly bold?: boolean;
}

export function canvasPen(context: CanvasRenderingContext2D): Pen {
  const trace = (points: readonly number[]) => {
    context.beginPath();
    context.moveTo(points[0]!, points[1]!);
    for (let index = 2; index < points.length; index += 2) context.lineTo(points[index]!, points[index + 1]!);
  };
  const stroke = ({ stroke: colour, width, dash, alpha }: Stroke) => {
    context.globalAlpha = alpha ?? 1;
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.setLineDash(dash === undefined ? [] : [...dash]);
    context.stroke();
  };
  const fill = ({ fill: colour, alpha }: Fill) => {
    context.globalAlpha = alpha ?? 1;
    context.fillStyle = colour;
    context.fill();
  };
  return {
    line: (points, style) => {
      trace(points);
      stroke(style);
    },
    rect: (x, y, width, height, style) => {
      if (style.radius === undefined) {
        context.globalAlpha = style.alpha ?? 1;
        context.fillStyle = style.fill;
        context.fillRect(x, y, width, height);
        return;
      }
      context.beginPath();
      context.roundRect(x, y, width, height, style.radius ?? 0);
      fill(style);
    },
    circle: (x, y, radius, style) => {
      context.beginPath();
      context.arc(x, y, radius, 0, Math.PI * 2);
      fill(style);
      if (style.stroke !== undefined) stroke({ stroke: style.stroke, width: style.width ?? 1 });
    },
    shape: (points, style) => {
      trace(points);
      context.closePath();
      fill(style);
    },
    text: (text, x, y, { fill: colour, size, anchor, bold, alpha }) => {
      context.globalAlpha = alpha ?? 1;
      context.fillStyle = colour;
      context.font = `${bold === true ? '600 ' : ''}${size}px ${fontFamily}`;
      context.textAlign = anchor === 'middle' ? 'center' : (anchor ?? 'start');
      context.fillText(text, x, y);
    },
  };
}

/** Collects the drawing as the text of an SVG. */
export class SvgPen implements Pen {
  readonly #parts: string[] = [];

  line(points: readonly number[], { stroke, width, dash, alpha }: Stroke): void {
    const dashes = dash === undefined ? '' : ` stroke-dasharray="${dash.join(' ')}"`;
    this.#parts.push(
      `<polyline points="${points.map(short).join(' ')}" fill="none" stroke="${stroke}" stroke-width="${width}"${dashes}${opacity(alpha)}/>`,
    );
  }

  rect(
    x: number,
    y: number,
    width: number,
    height: number,
    style: Fill & { readonly radius?: number },
  ): void {
    this.#parts.push(
      `<rect x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${short(height)}" rx="${style.radius ?? 0}" fill="${style.fill}"${opacity(style.alpha)}/>`,
    );
  }

  circle(x: number, y: number, radius: number, { fill, alpha, stroke, width }: Fill & Partial<Stroke>): void {
    const rim = stroke === undefined ? '' : ` stroke="${stroke}" stroke-width="${width ?? 1}"`;
    this.#parts.push(
      `<circle cx="${short(x)}" cy="${short(y)}" r="${radius}" fill="${fill}"${rim}${opacity(alpha)}/>`,
    );
  }

  shape(points: readonly number[], { fill, alpha }: Fill): void {
    this.#parts.push(`<polygon points="${points.map(short).join(' ')}" fill="${fill}"${opacity(alpha)}/>`);
  }

  text(text: string, x: number, y: number, { fill, size, anchor, bold, alpha }: TextStyle): void {
    const weight = bold === true ? ' font-weight="600"' : '';
    this.#parts.push(
      `<text x="${short(x)}" y="${short(y)}" font-family="${fontFamily}" font-size="${size}" text-anchor="${anchor ?? 'start'}" fill="${fill}"${weight}${opacity(alpha)}>${escaped(text)}</text>`,
    );
  }

  /** The drawing, of this size. */
  drawing(width: number, height: number): Drawing {
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${this.#parts.join('')}</svg>`;
    return { width, height, svg };
  }
}

function short(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function opacity(alpha: number | undefined): string {
  return alpha === undefined || alpha === 1 ? '' : ` opacity="${alpha}"`;
}
