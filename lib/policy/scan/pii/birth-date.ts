/** Dates of birth inside identity numbers: two digits each for year, month and day, so the century is open unless it is given. */

const days = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Whether there was such a day in any century, or in the one that is given (`19` for 1900 to 1999). */
export function isDay(year: string, month: string, day: string, century?: number): boolean {
  const [m, d] = [Number(month), Number(day)];
  const longest = days[m - 1];
  if (longest === undefined || d < 1 || d > longest) return false;
  if (m !== 2 || d < 29) return true;
  const y = Number(year);
  return century === undefined ? y % 4 === 0 : isLeapYear(century * 100 + y);
}

function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/** `yymmdd` in the first six digits. */
export function startsWithDay(digits: string, century?: number): boolean {
  return isDay(digits.slice(0, 2), digits.slice(2, 4), digits.slice(4, 6), century);
}
