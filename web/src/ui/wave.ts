export interface WaveColours { customer: string; bot: string; rest: string; cursor: string }

const BAR = 2;
const SPACE = 1;
export const barsIn = (width: number) => Math.max(1, Math.floor(width / (BAR + SPACE)));

/** Telephone speech is quiet on a linear scale; the root makes it visible without making hiss tall. */
const tall = (peak: number) => Math.sqrt(Math.min(1, peak));

/** The customer above the middle line, the bot below it; what was played already in full colour. */
export function drawWave(canvas: HTMLCanvasElement, lanes: [Float32Array, Float32Array], played: number, colours: WaveColours): void {
  const context = canvas.getContext('2d');
  if (!context) return;
  const scale = devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  if (canvas.width !== Math.round(width * scale)) canvas.width = Math.round(width * scale);
  if (canvas.height !== Math.round(height * scale)) canvas.height = Math.round(height * scale);
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  const lane = height / 2;
  lanes.forEach((peaks, channel) => {
    const middle = lane * channel + lane / 2;
    for (let i = 0; i < peaks.length; ++i) {
      const x = i * (BAR + SPACE);
      const half = Math.max(0.75, tall(peaks[i] as number) * (lane / 2 - 3));
      context.globalAlpha = x <= played * width ? 1 : 0.42;
      context.fillStyle = channel === 0 ? colours.customer : colours.bot;
      context.fillRect(x, middle - half, BAR, 2 * half);
    }
  });
  context.globalAlpha = 1;
  context.fillStyle = colours.rest;
  context.fillRect(0, lane - 0.5, width, 1);
  context.fillStyle = colours.cursor;
  context.fillRect(Math.min(width - 2, played * width), 0, 2, height);
}
