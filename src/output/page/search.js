// Search: words and quoted phrases to the moments in which all of them hold.

// A term is a word, which a class or a spoken word begins with, or a phrase, which is said just so.
const parseQuery = (text) => {
  const terms = [];
  for (const [, phrase, word] of text.matchAll(/"([^"]*)"?|([^\s"]+)/g)) {
    const { words } = spokenWords(phrase ?? word);
    if (words.length > 0) terms.push({ isPhrase: phrase !== undefined, words, text: phrase ?? word });
  }
  return terms;
};

// Case, accents and punctuation make no difference, as for `vpipe find`.
const MARKS = /\p{M}/gu;
const APOSTROPHES = /['\u2019\u02bc]/g;
const BETWEEN_WORDS = /[^\p{Alphabetic}\p{N}]+/u;
const plain = (text) =>
  text
    .normalize("NFKD")
    .replace(MARKS, "")
    .replace(APOSTROPHES, "")
    .toLowerCase()
    // The sigma that ends a word is another letter.
    .replaceAll("ς", "σ");

// The words of a text, and where each stands among what the spaces part: "left/right" is two in one place.
const spokenWords = (text) => {
  const spoken = { words: [], places: [] };
  text.split(/\s+/).filter(Boolean).forEach((part, place) => {
    for (const word of plain(part).split(BETWEEN_WORDS).filter(Boolean)) {
      spoken.words.push(word);
      spoken.places.push(place);
    }
  });
  return spoken;
};

// Scripts that put no spaces between words: what is looked for stands anywhere.
const SPACELESS =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;

// Where the term is said, as the places of its first and its last word.
const placesIn = ({ words, places }, term) => {
  const fits = (said, wanted, at) => {
    if (SPACELESS.test(wanted)) return said.includes(wanted);
    return term.isPhrase || at < term.words.length - 1 ? said === wanted : said.startsWith(wanted);
  };
  const found = [];
  for (let at = 0; at + term.words.length <= words.length; at++) {
    if (!term.words.every((wanted, ahead) => fits(words[at + ahead], wanted, ahead))) continue;
    found.push([places[at], places[at + term.words.length - 1]]);
  }
  return found;
};

// When a term is said, as [start, end]: by its words where those have times.
const saidSpans = (speech, term) => {
  speech.spoken ??= speech.texts.map(spokenWords);
  const spans = [];
  speech.spoken.forEach((words, at) => {
    const starts = speech.words[at];
    const [start, end] = [speech.starts[at], speech.ends[at]];
    for (const [first, last] of placesIn(words, term)) {
      const next = starts[last + 1];
      if (starts.length === 0) {
        spans.push([start, end]);
        break;
      }
      spans.push([start + starts[first] / 1000, next === undefined ? end : start + next / 1000]);
    }
  });
  return spans;
};

const recordSpans = (video, records, term) => {
  records.spoken ??= records.texts.map(spokenWords);
  const spans = [];
  records.spoken.forEach((words, at) => {
    if (placesIn(words, term).length === 0) return;
    spans.push([records.times[at], records.times[at + 1] ?? records.times[at] + video.period]);
  });
  return spans;
};

const seenSpans = (video, term) => {
  if (term.isPhrase) return [];
  const isMeant = video.classes.map(({ name }) => placesIn(spokenWords(name), term).length > 0);
  if (!isMeant.includes(true)) return [];
  const runs = video.sightings((of) => isMeant[of]);
  return joined(runs.starts.map((start, at) => [start, runs.ends[at]]));
};

// Spans in order, those that touch as one.
const joined = (spans) => {
  const sorted = [...spans].sort(([one], [other]) => one - other);
  const whole = [];
  for (const [start, end] of sorted) {
    const last = whole[whole.length - 1];
    if (last && start <= last[1] + SLACK) last[1] = Math.max(last[1], end);
    else whole.push([start, end]);
  }
  return whole;
};

// What holds in both lists of spans, each in order.
const inBoth = (ones, others) => {
  const both = [];
  for (let [one, other] = [0, 0]; one < ones.length && other < others.length; ) {
    const start = Math.max(ones[one][0], others[other][0]);
    const end = Math.min(ones[one][1], others[other][1]);
    if (start <= end) both.push([start, end]);
    if (ones[one][1] < others[other][1]) one++;
    else other++;
  }
  return both;
};

// When a term is seen and when it is said.
const termSpans = (video, term) => ({
  seen: seenSpans(video, term),
  said: [
    ...video.speeches.flatMap((speech) => saidSpans(speech, term)),
    ...video.records.flatMap((records) => recordSpans(video, records, term)),
  ],
});

// The moments in which all terms hold, none further than `within` seconds from the others. Each span
// is made longer by half of that on both sides, what they share is found, and made shorter again.
const momentsIn = (spansOfTerms, within) => {
  const longer = ([start, end]) => [start - within / 2, end + within / 2];
  const all = spansOfTerms.map(({ seen, said }) => [...seen, ...said]);
  const [first, ...others] = all.map((spans) => joined(spans));
  if (!first) return [];
  if (others.length === 0) return first;
  const reaches = (spans) => joined(spans.map(longer));
  const shared = others.reduce((both, spans) => inBoth(both, reaches(spans)), reaches(first));
  // What lies apart shares the time between.
  const shorter = ([start, end]) => {
    const [from, to] = [start + within / 2, end - within / 2];
    return from <= to ? [from, to] : [to, from];
  };
  return joined(shared.map(shorter));
};

// What a query finds: the moments in all videos, and how often each term is seen and said.
const search = (library, text, within) => {
  const terms = parseQuery(text).map((term) => ({ ...term, seen: 0, said: 0 }));
  const moments = [];
  if (terms.length === 0) return { terms, moments };
  library.list.forEach((_, at) => {
    const video = library.get(at);
    const spans = terms.map((term) => termSpans(video, term));
    spans.forEach(({ seen, said }, place) => {
      terms[place].seen += seen.length;
      terms[place].said += said.length;
    });
    moments.push(...momentsIn(spans, within).map(([start, end]) => ({ at, start, end })));
  });
  return { terms, moments };
};
