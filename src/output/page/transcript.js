// The transcript: segments in order, the one that is spoken in sight, each a way to its moment.

// About the width of a letter and the height of a line of a row, in pixels.
const LETTER = 7.2;
const LINE = 21;
// What stands beside the text of a row.
const BESIDE = 96;

// How high a row with this text is, about.
const estimatedHeight = (text, width, beside) =>
  Math.ceil((text.length * LETTER) / Math.max(width - beside, 80)) * LINE + 14;

class Transcript {
  constructor({ onSeek }) {
    this.onSeek = onSeek;
    this.box = byId("transcript");
    this.empty = element("p", "empty quiet");
    this.box.append(this.empty);
    const height = (at, width) => estimatedHeight(this.speech.texts[at], width, BESIDE);
    this.rows = new RowList(this.box, (at) => this.row(at), height);
    this.current = -1;
    byId("speech").addEventListener("change", ({ target }) => this.choose(Number(target.value)));
    byId("follow").addEventListener("click", ({ target }) => {
      press(target, !isPressed(target));
      if (isPressed(target)) this.reveal();
    });
    // Whoever scrolls wants to read elsewhere.
    for (const event of ["wheel", "touchmove"]) {
      this.box.addEventListener(event, () => press(byId("follow"), false), { passive: true });
    }
  }

  show(video) {
    this.speeches = video.speeches;
    const names = this.speeches.map(({ stage }, at) => new Option(shown(stage), at));
    byId("speech").replaceChildren(...names);
    byId("speech").hidden = names.length < 2;
    this.choose(0);
  }

  choose(at) {
    this.speech = this.speeches[at];
    this.current = -1;
    const count = this.speech.texts.length;
    this.empty.hidden = count > 0;
    const why = this.speech.absent;
    this.empty.textContent = why ? `Nothing was transcribed: ${shown(why)}.` : "Nobody speaks.";
    this.rows.setCount(count);
  }

  row(at) {
    const text = isolated("", "said");
    this.fillText(text, at, -1);
    const row = button("moment", element("time", "quiet", clockText(this.speech.starts[at])), text);
    row.addEventListener("click", () => this.onSeek(this.speech.starts[at]));
    if (at === this.current) row.setAttribute("aria-current", "true");
    return row;
  }

  // The text of a segment, with the word that is spoken now.
  fillText(text, at, word) {
    const whole = shown(this.speech.texts[at]);
    if (word < 0) {
      text.replaceChildren(whole);
      return;
    }
    const words = whole.split(/\s+/).filter(Boolean);
    const join = (some) => some.join(" ");
    text.replaceChildren(
      `${join(words.slice(0, word))} `,
      element("mark", "word", words[word] ?? ""),
      ` ${join(words.slice(word + 1))}`,
    );
  }

  setTime(seconds) {
    if (!this.speech) return;
    const at = segmentAt(this.speech, seconds);
    if (at !== this.current) this.mark(at);
    const starts = this.speech.words[at] ?? [];
    const row = this.rows.row(at)?.querySelector(".said");
    if (!row || starts.length === 0) return;
    const word = Math.max(lastAtMost(starts, (seconds - this.speech.starts[at] + SLACK) * 1000), 0);
    if (this.word !== word) this.fillText(row, at, word);
    this.word = word;
  }

  mark(at) {
    const before = this.rows.row(this.current);
    if (before) {
      before.firstChild.removeAttribute("aria-current");
      this.fillText(before.querySelector(".said"), this.current, -1);
    }
    this.current = at;
    this.word = undefined;
    if (at >= 0 && isPressed(byId("follow"))) this.reveal();
    this.rows.row(at)?.firstChild.setAttribute("aria-current", "true");
  }

  reveal() {
    if (this.current >= 0) this.rows.scrollTo(this.current);
  }

  // What is said at a moment, for the picture.
  caption(seconds) {
    const at = this.speech ? segmentAt(this.speech, seconds) : -1;
    return at < 0 ? "" : shown(this.speech.texts[at]);
  }
}
