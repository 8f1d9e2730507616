// Numbers, sizes and times in the reader's language.
import { locale } from '../strings';

export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;
  let n = value;
  let unit = 0;
  while (n >= 1000 && unit < units.length - 1) {
    n /= 1000;
    unit += 1;
  }
  return new Intl.NumberFormat(locale(), {
    style: 'unit',
    unit: units[unit] ?? 'byte',
    unitDisplay: 'short',
    maximumFractionDigits: n < 10 && unit > 1 ? 1 : 0,
  }).format(n);
}

export function number(value: number): string {
  return new Intl.NumberFormat(locale()).format(value);
}

export function compact(value: number): string {
  return new Intl.NumberFormat(locale(), { notation: 'compact', maximumFractionDigits: 1 }).format(value);
}

export function seconds(ms: number): string {
  return new Intl.NumberFormat(locale(), {
    style: 'unit',
    unit: ms < 1000 ? 'millisecond' : 'second',
    unitDisplay: 'short',
    maximumFractionDigits: ms < 10_000 && ms >= 1000 ? 1 : 0,
  }).format(ms < 1000 ? ms : ms / 1000);
}

/** How long something took, in whole seconds and two units at most: `1m 12s`. */
export function duration(ms: number): string {
  const unit = (value: number, name: 'hour' | 'minute' | 'second') =>
    new Intl.NumberFormat(locale(), { style: 'unit', unit: name, unitDisplay: 'narrow' }).format(value);
  const whole = Math.floor(ms / 1000);
  if (whole < 1) return `<${unit(1, 'second')}`;
  const parts = [
    [Math.floor(whole / 3600), 'hour'],
    [Math.floor(whole / 60) % 60, 'minute'],
    [whole % 60, 'second'],
  ] as const;
  const first = parts.findIndex(([value]) => value > 0);
  return parts
    .slice(first, first + 2)
    .filter(([value]) => value > 0)
    .map(([value, name]) => unit(value, name))
    .join(' ');
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

export function relative(at: string, now = Date.now()): string {
  const diff = (Date.parse(at) - now) / 1000;
  const format = new Intl.RelativeTimeFormat(locale(), { numeric: 'auto', style: 'short' });
  for (const [unit, size] of STEPS) {
    if (Math.abs(diff) >= size) return format.format(Math.trunc(diff / size), unit);
  }
  return format.format(0, 'second');
}

export function exact(at: string): string {
  return new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeStyle: 'medium' }).format(
    Date.parse(at),
  );
}

/** Day and minute, where seconds would be noise. */
export function moment(at: string): string {
  return new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeStyle: 'short' }).format(
    Date.parse(at),
  );
}

export function clock(at: string): string {
  return new Intl.DateTimeFormat(locale(), { timeStyle: 'medium' }).format(Date.parse(at));
}

export function day(at: string): string {
  return new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeZone: 'UTC' }).format(Date.parse(at));
}

/** Long ids shortened in the middle: `inst_01h…9xk2`. */
export function short(id: string): string {
  return id.length <= 18 ? id : `${id.slice(0, 9)}…${id.slice(-4)}`;
}

/** A server's message as a sentence: it begins them small and ends them without a stop, so that they can be joined. */
export function sentence(text: string): string {
  const begun = text.charAt(0).toLocaleUpperCase() + text.slice(1);
  return /[\p{L}\p{N})`'"”]$/u.test(begun) ? `${begun}.` : begun;
}
