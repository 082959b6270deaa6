// Search: how well a setting matches what was typed. admin/search.py has the same rule.

export const CLOSE = 100, NONE = 200; // ranks: from CLOSE on it is only close, NONE doesn't match
const HELP = 4; // its place among the parts
const MOST_IN_HELP = 4; // words that a help is searched for with mistakes
const LETTERS = { ß: "ss", æ: "ae", œ: "oe", ø: "o", đ: "d", ł: "l", ı: "i", ς: "σ" };
const WORD = /[\p{L}\p{N}\u0300-\u036f]+/gu;

export const fold = (text) => text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase()
  .replace(/[ßæœøđłıς]/g, (letter) => LETTERS[letter]);
const wordsOf = (text) => text.match(WORD) ?? [];

// Whether two words differ by mistakes of such a cost: letters in the wrong order cost 1, others 2.
function within(a, b, cost) {
  if (Math.abs(a.length - b.length) * 2 > cost) return false;
  let i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  const rest = (j, k, paid) => paid <= cost && within(a.slice(i + j), b.slice(i + k), cost - paid);
  return i === a.length || i === b.length || (a[i] === b[i + 1] && a[i + 1] === b[i] && rest(2, 2, 1))
    || rest(1, 1, 2) || rest(1, 0, 2) || rest(0, 1, 2);
}

export class Search {
  constructor(text) {
    const folded = fold(text.slice(0, 200));
    this.pieces = wordsOf(folded);
    this.words = [...new Set(folded.match(/\S+/g))].map((typed, number, { length: count }) => {
      const joined = wordsOf(typed).join(""), { length } = joined;
      const cost = length < 4 ? 0 : length === 4 ? 1 : length < 9 ? 2 : 4;
      const known = new Map();
      const isNear = (word) => known.get(word) ?? known.set(word, within(joined, word, cost)).get(word);
      const letters = cost && length <= 16 ? [...joined] : [];
      const swapped = letters.slice(1).map((letter, i) => [...letters.slice(0, i), letter, letters[i], ...letters.slice(i + 2)].join(""));
      const hasSwapped = (text) => swapped.some((other) => text.includes(other));
      const isClose = (part) => {
        const words = wordsOf(part), all = words.join("");
        return all.includes(joined) || hasSwapped(all) || [...words, all].some(isNear);
      };
      const rank = (parts, helpWords) => {
        const exact = parts.findIndex((part) => part.includes(typed));
        const close = exact < 0 && cost ? parts.findIndex((part, i) =>
          i < HELP ? isClose(part) : i === HELP && count > 1 && number < MOST_IN_HELP && helpWords(part).some(isNear)) : -1;
        return exact >= 0 ? exact : close >= 0 ? CLOSE + close : NONE;
      };
      return { rank, means: (word) => isNear(word) || hasSwapped(word) || (word.length > 2 && joined.includes(word)) };
    });
  }

  // Of name, key, keywords, group, help and value, folded.
  rank(parts) {
    let worst = 0, place = HELP, words;
    const helpWords = (help) => words ??= [...new Set(wordsOf(help))]; // found once
    for (const word of this.words) {
      const rank = word.rank(parts, helpWords);
      if (rank === NONE) return NONE;
      worst = Math.max(worst, rank);
      place = Math.min(place, rank % CLOSE);
    }
    return worst === CLOSE + HELP && place === HELP ? NONE : worst;
  }

  // Where matching words begin and end.
  spans(text, close) {
    return [...text.matchAll(WORD)].filter(([found]) => {
      const word = fold(found);
      return this.pieces.some((piece) => word.includes(piece)) || (close && this.words.some(({ means }) => means(word)));
    }).map(({ 0: { length }, index }) => [index, index + length]);
  }
}
