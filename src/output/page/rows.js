// A list of any length of which only the rows in sight are there. Heights are estimated, and known
// once a row was shown.

// Rows above and below what is in sight that are there too.
const SPARE_ROWS = 6;

class RowList {
  // `fill` makes the row of a place; `estimate` says how high it is, about, at a width.
  constructor(box, fill, estimate) {
    this.box = box;
    this.fill = fill;
    this.estimate = estimate;
    this.space = element("ol", "row-space");
    box.append(this.space);
    this.heights = new Float64Array(0);
    this.rows = new Map();
    box.addEventListener("scroll", () => this.draw(), { passive: true });
    new ResizeObserver(() => this.measureAnew()).observe(box);
  }

  // Shows so many rows from the beginning.
  setCount(count) {
    this.heights = new Float64Array(count);
    this.box.scrollTop = 0;
    this.measureAnew();
  }

  measureAnew() {
    this.width = this.box.clientWidth;
    for (let at = 0; at < this.heights.length; at++) this.heights[at] = this.estimate(at, this.width);
    this.clear();
    this.place();
    this.draw();
  }

  // Makes the rows in sight anew, as what they show has changed.
  refresh() {
    this.clear();
    this.draw();
  }

  clear() {
    this.rows.clear();
    this.space.replaceChildren();
  }

  // Where each row begins, as far as heights are known.
  place() {
    this.tops = new Float64Array(this.heights.length + 1);
    this.heights.forEach((height, at) => (this.tops[at + 1] = this.tops[at] + height));
    this.space.style.height = `${this.tops[this.heights.length]}px`;
  }

  draw() {
    if (this.box.clientHeight === 0) return;
    // Rows that turn out higher or lower move others into sight, twice at most.
    for (let turn = 0; turn < 2 && this.drawOnce(); turn++);
  }

  // Whether a height was another than thought.
  drawOnce() {
    const [top, bottom] = [this.box.scrollTop, this.box.scrollTop + this.box.clientHeight];
    const first = Math.max(lastAtMost(this.tops, top) - SPARE_ROWS, 0);
    const last = Math.min(lastAtMost(this.tops, bottom) + SPARE_ROWS, this.heights.length - 1);
    for (const [at, row] of this.rows) {
      if (at >= first && at <= last) continue;
      row.remove();
      this.rows.delete(at);
    }
    for (let at = first; at <= last; at++) {
      if (!this.rows.has(at)) this.add(at);
    }
    return this.measure(top);
  }

  add(at) {
    const row = element("li", "row", this.fill(at));
    row.setAttribute("aria-setsize", this.heights.length);
    row.setAttribute("aria-posinset", at + 1);
    this.rows.set(at, row);
    this.space.append(row);
  }

  measure(top) {
    const anchor = lastAtMost(this.tops, top);
    const before = this.tops[anchor] ?? 0;
    let differs = false;
    for (const [at, row] of this.rows) {
      const height = row.offsetHeight;
      differs ||= Math.abs(this.heights[at] - height) > 0.5;
      this.heights[at] = height;
    }
    if (differs) {
      this.place();
      // What is in sight stays where it is.
      this.box.scrollTop += (this.tops[anchor] ?? 0) - before;
    }
    for (const [at, row] of this.rows) row.style.transform = `translateY(${this.tops[at]}px)`;
    return differs;
  }

  // Brings a row to the middle. Heights around it are known after the first turn.
  scrollTo(at) {
    for (let turn = 0; turn < 3; turn++) {
      const middle = (this.tops[at] + this.tops[at + 1]) / 2;
      this.box.scrollTop = middle - this.box.clientHeight / 2;
      this.draw();
    }
  }

  // The row of a place, where it is there.
  row(at) {
    return this.rows.get(at) ?? null;
  }
}
