// What was found in a video, read from its block of data: columns of numbers, and what is asked of
// them. Times are seconds since the first frame.

// The place of the last number in `sorted` that is at most `value`, or -1.
const lastAtMost = (sorted, value) => {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
};

const inSeconds = (milliseconds) => Float64Array.from(milliseconds, (it) => it / 1000);
const inPixels = (tenths) => Float32Array.from(tenths, (it) => it / 10);

// Times are kept to a millisecond, and a player's clock may be half of one behind.
const SLACK = 0.0015;

// Frames in a row in which a thing may not be seen while it is still shown on its way.
const MOST_MISSED = 2;

// Addresses are made of these letters; any other text is no address.
const ADDRESS = /^(\.\.\/)*[A-Za-z0-9._~%-]+(\/[A-Za-z0-9._~%-]+)*$/;

class Video {
  constructor(data) {
    this.name = data.name;
    this.address = ADDRESS.test(data.address.relative ?? "") ? data.address.relative : null;
    this.isStill = data.address === "pictures";
    this.absence = data.address.absent ?? "its address is not one that a page may open";
    this.width = data.width;
    this.height = data.height;
    this.duration = Math.max(data.duration, 0.001);
    this.fps = data.fps;
    this.offset = data.offset;
    this.period = data.period;
    this.stages = data.stages;
    this.details = data.details;
    this.classes = data.classes.map(({ name, colour }) => ({ name, colour, ink: inkOn(colour) }));
    this.hidden = new Set();
    this.least = 0;
    this.readFrames(data.frames, data.boxes);
    this.speeches = data.speeches.map(readSpeech);
    this.records = data.records.map((it) => ({ ...it, times: inSeconds(it.times) }));
    const stretch = (it) => ({ ...it, start: it.start / 1000, end: it.end / 1000 });
    this.troubles = data.troubles.map(stretch);
  }

  readFrames(frames, boxes) {
    this.times = inSeconds(frames.times);
    this.ends = inSeconds(frames.ends);
    this.numbers = frames.numbers;
    this.answered = frames.answered;
    // Where the boxes of each frame begin; of the one behind the last, where all end.
    this.firsts = new Uint32Array(frames.counts.length + 1);
    frames.counts.forEach((count, at) => (this.firsts[at + 1] = this.firsts[at] + count));
    this.boxClasses = Uint32Array.from(boxes.classes);
    this.sides = [boxes.left, boxes.top, boxes.right, boxes.bottom].map(inPixels);
    this.confidences = Uint16Array.from(boxes.confidences);
    this.tracks = boxes.tracks;
    this.boxStages = boxes.stages;
  }

  // The sampled frame that stands for a moment, or -1.
  frameAt(seconds) {
    const frame = lastAtMost(this.times, seconds + SLACK);
    return frame >= 0 && seconds < this.ends[frame] ? frame : -1;
  }

  isShown(box) {
    return this.confidences[box] >= this.least && !this.hidden.has(this.boxClasses[box]);
  }

  // The boxes to be seen at a moment, as `annotate` draws them: one that is tracked is on its way to where
  // it is next, also over a frame or two in which it was not seen.
  boxesAt(seconds) {
    const now = lastAtMost(this.times, seconds + SLACK);
    const boxes = [];
    for (let from = now; from >= Math.max(now - MOST_MISSED, 0); from--) {
      const isHeld = from === now && seconds < this.ends[now];
      for (let box = this.firsts[from]; box < this.firsts[from + 1]; box++) {
        const way = this.wayOf(box, from, now, seconds);
        if (this.isShown(box) && (way || isHeld)) boxes.push(this.boxOf(box, way));
      }
    }
    return boxes;
  }

  // Where a thing last seen in frame `from` is going: its next sight and how much of the way it is
  // there; null where it is on no way.
  wayOf(box, from, now, seconds) {
    if (!this.tracks[box]) return null;
    for (let frame = from + 1; frame <= now; frame++) {
      if (this.sightIn(box, frame) >= 0) return null;
    }
    const last = Math.min(from + 1 + MOST_MISSED, this.times.length - 1);
    for (let frame = now + 1; frame <= last; frame++) {
      const target = this.sightIn(box, frame);
      const share = (seconds - this.times[from]) / (this.times[frame] - this.times[from]);
      if (target >= 0) return { target, share: clamp(Number.isFinite(share) ? share : 0, 0, 1) };
    }
    return null;
  }

  boxOf(box, way) {
    const side = (column) =>
      way ? column[box] + way.share * (column[way.target] - column[box]) : column[box];
    const [left, top, right, bottom] = this.sides.map(side);
    return {
      ...this.classes[this.boxClasses[box]],
      confidence: this.confidences[box] / 1000,
      track: this.tracks[box] ?? 0,
      stage: this.stages[this.boxStages[box] ?? 0],
      left, top, right, bottom,
    };
  }

  // The box of the same thing in a frame, or -1.
  sightIn(box, frame) {
    for (let other = this.firsts[frame]; other < this.firsts[frame + 1]; other++) {
      if (this.tracks[other] === this.tracks[box] && this.boxStages[other] === this.boxStages[box]) return other;
    }
    return -1;
  }

  // Of each class, or of those that `takes` takes: from when to when how many are seen.
  sightings(takes) {
    const runs = { starts: [], ends: [], counts: [] };
    for (let frame = 0; frame < this.times.length; frame++) {
      let count = 0;
      for (let box = this.firsts[frame]; box < this.firsts[frame + 1]; box++) {
        if (this.confidences[box] >= this.least && takes(this.boxClasses[box])) count++;
      }
      if (count === 0) continue;
      runs.starts.push(this.times[frame]);
      runs.ends.push(this.ends[frame]);
      runs.counts.push(count);
    }
    return runs;
  }

  // What was said of the frame at a moment by the stages that give records.
  recordsAt(seconds) {
    const frame = this.frameAt(seconds);
    const texts = this.records.map(({ stage, times, texts }) => {
      const at = lastAtMost(times, seconds + SLACK);
      return at >= 0 && times[at] >= this.times[frame] ? { stage, text: texts[at] } : null;
    });
    return texts.filter(Boolean);
  }
}

const readSpeech = (speech) => ({
  ...speech,
  starts: inSeconds(speech.starts),
  ends: inSeconds(speech.ends),
});

// The segment that is spoken at a moment, or -1.
const segmentAt = (speech, seconds) => {
  const at = lastAtMost(speech.starts, seconds + SLACK);
  return at >= 0 && seconds < speech.ends[at] ? at : -1;
};

const readBlock = (id) => JSON.parse(byId(id).textContent);

// The videos of the page, each read when it is wanted first.
class Library {
  constructor() {
    this.list = readBlock("list");
    this.videos = new Map();
    // The confidence from which boxes are looked at, in thousandths; of all videos.
    this.least = 0;
  }

  get(at) {
    if (!this.videos.has(at)) this.videos.set(at, new Video(readBlock(`video-${at}`)));
    const video = this.videos.get(at);
    video.least = this.least;
    return video;
  }

  // The pictures that were kept of a video, in order of time.
  pictures(at) {
    return readBlock(`pictures-${at}`).map(({ time, jpeg }) => ({ time: time / 1000, jpeg }));
  }
}
