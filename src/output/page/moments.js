// The moments that a search finds: a list, what each term stands for, and ways from one to the next.

class Moments {
  constructor({ library, onGo, onFound }) {
    this.library = library;
    this.onGo = onGo;
    this.onFound = onFound;
    this.moments = [];
    this.current = -1;
    this.box = byId("moments");
    this.empty = element("p", "empty quiet");
    this.box.append(this.empty);
    this.rows = new RowList(this.box, (at) => this.row(at), () => LINE * 2 + 14);
  }

  // Searches for what stands in the field.
  find() {
    const within = Number(byId("within").value);
    const { terms, moments } = search(this.library, byId("query").value, within);
    this.moments = moments;
    this.terms = terms;
    this.current = -1;
    this.empty.hidden = moments.length > 0;
    this.empty.textContent =
      terms.length > 0 ? "No such moment." : 'Search above: a thing, a word, a "phrase in quotes".';
    const count = terms.length > 0 ? ` ${moments.length.toLocaleString("en")}` : "";
    byId("tab-moments").textContent = `Moments${count}`;
    byId("terms").replaceChildren(...terms.map((term) => this.told(term)));
    this.rows.setCount(moments.length);
    this.onFound(terms.length > 0);
  }

  // "red circle": said 3 times.
  told({ text, isPhrase, seen, said }) {
    const parts = [];
    if (seen > 0) parts.push(`seen in ${counted(seen, "stretch", "stretches")}`);
    if (said > 0) parts.push(`said ${counted(said, "time")}`);
    if (parts.length === 0) parts.push(isPhrase ? "not said" : "neither seen nor said");
    const name = isolated(isPhrase ? `“${shown(text)}”` : shown(text), "term");
    return element("span", "", name, ` ${parts.join(", ")}`);
  }

  row(at) {
    const { at: videoAt, start, end } = this.moments[at];
    const video = this.library.get(videoAt);
    const length = end - start >= 0.1 ? ` for ${lengthText(end - start)}` : "";
    const head = element("span", "quiet", element("time", "", clockText(start)), length);
    if (this.library.list.length > 1) head.append(" · ", isolated(shown(video.name)));
    const row = button("moment", element("span", "found", head, this.excerpt(video, start, end)));
    row.addEventListener("click", () => this.go(at));
    if (at === this.current) row.setAttribute("aria-current", "true");
    return row;
  }

  // What is seen and said then, in a line or two.
  excerpt(video, start, end) {
    const frame = video.frameAt(start) >= 0 ? video.frameAt(start) : video.frameAt(end);
    const excerpt = element("span", "excerpt");
    for (const [of, count] of this.countsIn(video, frame)) {
      const dot = element("i", "dot");
      dot.style.background = video.classes[of].colour;
      const name = isolated(`${count} ${shown(video.classes[of].name)}`);
      excerpt.append(element("span", "chip", dot, name));
    }
    const said = video.speeches.flatMap((speech) => this.spokenIn(speech, start, end));
    if (said.length > 0) excerpt.append(this.marked(said[0]));
    return excerpt;
  }

  countsIn(video, frame) {
    const counts = new Map();
    if (frame < 0) return counts;
    for (let box = video.firsts[frame]; box < video.firsts[frame + 1]; box++) {
      const of = video.boxClasses[box];
      if (video.isShown(box)) counts.set(of, (counts.get(of) ?? 0) + 1);
    }
    return [...counts].slice(0, 4);
  }

  spokenIn(speech, start, end) {
    const first = Math.max(segmentAt(speech, start), lastAtMost(speech.ends, start) + 1);
    return speech.texts.slice(first, lastAtMost(speech.starts, end) + 1);
  }

  // A text with the words that were searched for.
  marked(text) {
    const words = shown(text).split(/\s+/).filter(Boolean);
    const spoken = spokenWords(text);
    const hits = new Set();
    for (const term of this.terms) {
      for (const [first, last] of placesIn(spoken, term)) {
        for (let place = first; place <= last; place++) hits.add(place);
      }
    }
    const parts = words.flatMap((word, at) => [hits.has(at) ? element("mark", "", word) : word, " "]);
    return element("bdi", "said", ...parts);
  }

  go(at) {
    const moment = this.moments[at];
    if (!moment) return;
    this.rows.row(this.current)?.firstChild.removeAttribute("aria-current");
    this.current = at;
    this.rows.row(at)?.firstChild.setAttribute("aria-current", "true");
    this.onGo(moment);
  }

  // The moment so many after this one.
  step(count) {
    this.go(clamp(this.current + count, 0, this.moments.length - 1));
    if (this.current >= 0) this.rows.scrollTo(this.current);
  }
}
