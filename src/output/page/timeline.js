// The timeline: a clock along the top, lanes below it, and what the pointer and keys do there.

const AXIS_HEIGHT = 24;
const LANE_HEIGHT = 24;
// The shortest stretch that fills the width, in seconds.
const CLOSEST = 1;
// Steps that people count time in.
const TICKS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 18000, 36000];
const TICK_ROOM = 70;
// Pixels that a pointer moves before a click becomes a drag.
const DRAG = 4;

class Timeline {
  constructor({ onSeek, onHide }) {
    this.box = byId("lanes");
    this.canvas = byId("lane-canvas");
    this.tip = byId("tip");
    this.onSeek = onSeek;
    this.onHide = onHide;
    this.lanes = [];
    this.moments = runsOf([]);
    this.time = 0;
    this.listen();
  }

  listen() {
    const { canvas, box } = this;
    new ResizeObserver(() => this.draw()).observe(box);
    box.addEventListener("scroll", () => this.draw(), { passive: true });
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    canvas.addEventListener("pointerdown", (event) => this.grab(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.release(event));
    canvas.addEventListener("pointercancel", () => (this.grip = null));
    canvas.addEventListener("pointerleave", () => this.hover(null));
    byId("zoom-in").addEventListener("click", () => this.zoom(0.5));
    byId("zoom-out").addEventListener("click", () => this.zoom(2));
    byId("zoom-whole").addEventListener("click", () => this.zoom(Infinity));
  }

  show(video) {
    this.video = video;
    this.lanes = lanesOf(video);
    [this.from, this.to] = [0, video.duration];
    this.canvas.setAttribute("aria-valuemax", video.duration.toFixed(1));
    const names = this.lanes.map((lane) => this.laneName(lane));
    byId("lane-names").replaceChildren(element("span", "lane-name axis"), ...names);
    this.draw();
  }

  // The name of a class hides and shows its boxes.
  laneName(lane) {
    const text = isolated(shown(lane.name));
    if (!lane.classes) return element("span", "lane-name", text);
    const dot = element("i", "dot");
    dot.style.background = lane.colour;
    const toggle = button("lane-name", dot, text);
    toggle.title = `Show or hide ${shown(lane.name)}`;
    press(toggle, !lane.classes.every((of) => this.video.hidden.has(of)));
    toggle.addEventListener("click", () => {
      press(toggle, !isPressed(toggle));
      this.onHide(lane.classes, !isPressed(toggle));
      this.draw();
    });
    return toggle;
  }

  // Counts anew which boxes are confident enough.
  recount() {
    this.lanes.forEach((lane) => lane.count?.());
    this.draw();
  }

  // What is drawn of time, and where.
  view() {
    const width = this.canvas.parentElement.clientWidth;
    const [from, to] = [this.from, this.to];
    const x = (seconds) => ((seconds - from) / (to - from)) * width;
    return { from, to, width, x };
  }

  draw() {
    if (!this.video) return;
    const height = this.box.clientHeight;
    const view = this.view();
    this.canvas.style.width = `${view.width}px`;
    this.canvas.style.height = `${height}px`;
    const context = fitted(this.canvas, view.width, height);
    const scrolled = this.box.scrollTop;
    this.drawMoments(context, view, height);
    this.lanes.forEach((lane, at) => {
      const top = AXIS_HEIGHT + at * LANE_HEIGHT - scrolled;
      if (top + LANE_HEIGHT < AXIS_HEIGHT || top > height) return;
      context.fillStyle = styleColour("--line");
      context.fillRect(0, top + LANE_HEIGHT - 1, view.width, 1);
      lane.draw(context, view, top, LANE_HEIGHT - 1);
    });
    this.drawAxis(context, view);
    this.drawNow(context, view, height);
  }

  // Behind the lanes; the clock has a bar for each.
  drawMoments(context, view, height) {
    context.fillStyle = styleColour("--found");
    drawRuns(context, view, this.moments, () => [AXIS_HEIGHT, height - AXIS_HEIGHT]);
  }

  drawAxis(context, view) {
    context.fillStyle = styleColour("--panel");
    context.fillRect(0, 0, view.width, AXIS_HEIGHT);
    const least = ((view.to - view.from) / view.width) * TICK_ROOM;
    const step = TICKS.find((it) => it >= least) ?? Math.ceil(least / 36000) * 36000;
    context.font = "11px system-ui, sans-serif";
    context.textBaseline = "middle";
    for (let tick = Math.ceil(view.from / step) * step; tick <= view.to; tick += step) {
      const x = Math.round(view.x(tick));
      context.fillStyle = styleColour("--line");
      context.fillRect(x, 0, 1, AXIS_HEIGHT);
      context.fillStyle = styleColour("--quiet");
      context.fillText(clockText(tick, step < 1), x + 4, AXIS_HEIGHT / 2);
    }
    context.fillStyle = styleColour("--line");
    context.fillRect(0, AXIS_HEIGHT - 1, view.width, 1);
    context.fillStyle = styleColour("--found-bar");
    drawRuns(context, view, this.moments, () => [AXIS_HEIGHT - 4, 4]);
  }

  drawNow(context, view, height) {
    if (this.pointer !== undefined && this.pointer !== null) {
      context.fillStyle = styleColour("--quiet");
      context.fillRect(Math.round(view.x(this.pointer)), 0, 1, height);
    }
    const x = Math.round(view.x(this.time));
    context.fillStyle = styleColour("--accent");
    context.fillRect(x - 1, 0, 2, height);
    context.beginPath();
    context.arc(x, 5, 5, 0, 2 * Math.PI);
    context.fill();
  }

  setTime(seconds) {
    this.time = seconds;
    this.canvas.setAttribute("aria-valuenow", seconds.toFixed(1));
    this.canvas.setAttribute("aria-valuetext", clockText(seconds));
    // What plays out of sight turns the page.
    const span = this.to - this.from;
    if (!this.grip && span < this.video.duration && (seconds < this.from || seconds > this.to)) {
      this.shift(seconds - span * 0.1 - this.from);
    }
    this.draw();
  }

  setMoments(moments) {
    this.moments = runsOf(moments);
    this.draw();
  }

  timeAt(event) {
    const { left, width } = this.canvas.getBoundingClientRect();
    return this.from + ((event.clientX - left) / width) * (this.to - this.from);
  }

  // Shows so many times as much, and keeps a moment where it is.
  zoom(times, around = this.time) {
    const whole = this.video.duration;
    const span = clamp((this.to - this.from) * times, Math.min(CLOSEST, whole), whole);
    const centre = clamp(around, this.from, this.to);
    const share = (centre - this.from) / (this.to - this.from);
    this.from = centre - share * span;
    this.to = this.from + span;
    this.shift(0);
  }

  // Moves what is shown, within what there is.
  shift(seconds) {
    const span = this.to - this.from;
    this.from = clamp(this.from + seconds, 0, this.video.duration - span);
    this.to = this.from + span;
    this.draw();
  }

  wheel(event) {
    event.preventDefault();
    const span = this.to - this.from;
    const isSideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
    const way = event.deltaX || event.deltaY;
    if (isSideways) this.shift((way / 1000) * span);
    else this.zoom(Math.exp(event.deltaY / 400), this.timeAt(event));
  }

  grab(event) {
    if (event.button !== 0) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.grip = { x: event.clientX, from: this.from, isDrag: false };
  }

  move(event) {
    const { grip } = this;
    if (grip) {
      const moved = event.clientX - grip.x;
      grip.isDrag ||= Math.abs(moved) > DRAG;
      const span = this.to - this.from;
      if (grip.isDrag) this.shift(grip.from - (moved / this.canvas.clientWidth) * span - this.from);
    }
    this.hover(event);
  }

  release(event) {
    const { grip } = this;
    this.grip = null;
    if (grip && !grip.isDrag) this.onSeek(this.timeAt(event));
  }

  // Tells what is at the pointer.
  hover(event) {
    this.pointer = event ? this.timeAt(event) : null;
    this.tip.hidden = !event;
    if (event) this.tellAt(event);
    this.draw();
  }

  tellAt(event) {
    const told = this.lanes.map((lane) => lane.tell(this.pointer)).filter(Boolean);
    const lines = told.slice(0, 12).map((line) => element("span", "", isolated(line)));
    this.tip.replaceChildren(element("b", "", clockText(this.pointer)), ...lines);
    const box = this.tip.parentElement.getBoundingClientRect();
    const room = box.width - this.tip.offsetWidth - 8;
    this.tip.style.left = `${clamp(event.clientX - box.left + 14, 8, Math.max(room, 8))}px`;
    this.tip.style.top = `${event.clientY - box.top + 18}px`;
  }
}
