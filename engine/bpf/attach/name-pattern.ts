/**
 * Whether a name is as a pattern of `*` (any text) and `?` (any character) says. The pattern may be a hostile object's:
 * only the last `*` is ever tried again, so the work is at most the product of both lengths.
 */
export function matchesPattern(name: string, pattern: string): boolean {
  let at = 0;
  let place = 0;
  let star = -1;
  let afterStar = 0;
  while (at < name.length) {
    if (pattern[place] === '*') {
      star = place++;
      afterStar = at;
    } else if (pattern[place] === '?' || pattern[place] === name[at]) {
      place++;
      at++;
    } else if (star !== -1) {
      place = star + 1;
      at = ++afterStar;
    } else {
      return false;
    }
  }
  while (pattern[place] === '*') place++;
  return place === pattern.length;
}
