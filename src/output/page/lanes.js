// The lanes of the timeline: what each is called, what it shows, and what it tells of a moment.

// More classes than these share a lane.
const MOST_CLASS_LANES = 200;

// All lanes of a video: what is missing, speech, then the classes.
const lanesOf = (video) => [
  ...troubleLanes(video),
  ...video.speeches.filter(({ texts }) => texts.length > 0).map(speechLane),
  ...classLanes(video),
];

const troubleLanes = (video) => {
  if (video.troubles.length === 0) return [];
  const runs = runsOf(video.troubles);
  const kinds = video.troubles.map(({ kind }) => kind);
  return [{
    name: "no answer",
    runs,
    draw: (context, view, top, height) => {
      runs.starts.forEach((start, at) => {
        if (runs.ends[at] < view.from || start > view.to) return;
        context.fillStyle = styleColour(kinds[at] === "skipped" ? "--skipped" : "--failed");
        const [left, right] = [view.x(start), view.x(runs.ends[at])];
        context.fillRect(left, top + 4, Math.max(right - left, 2), height - 8);
      });
    },
    tell: (seconds) => {
      const told = video.troubles.filter(({ start, end }) => start <= seconds && seconds < end);
      return told.map(troubleText).join(", ");
    },
  }];
};

const runsOf = (stretches) => ({
  starts: stretches.map(({ start }) => start),
  ends: stretches.map(({ end }) => end),
});

const speechLane = (speech) => ({
  name: speech.stage ? `speech ${speech.stage}` : "speech",
  draw: (context, view, top, height) => {
    context.fillStyle = styleColour("--speech");
    const runs = { starts: speech.starts, ends: speech.ends };
    drawRuns(context, view, runs, () => [top + 5, height - 10]);
  },
  tell: (seconds) => {
    const at = segmentAt(speech, seconds);
    return at < 0 ? "" : `“${shown(speech.texts[at])}”`;
  },
});

const classLanes = (video) => {
  const all = video.classes.map((_, of) => of);
  const own = all.slice(0, MOST_CLASS_LANES);
  const lanes = own.map((of) => classLane(video, [of], video.classes[of].name));
  const others = all.slice(MOST_CLASS_LANES);
  if (others.length > 0) lanes.push(classLane(video, others, `${others.length} more classes`));
  return lanes;
};

const classLane = (video, classes, name) => {
  const ofLane = new Set(classes);
  const { colour } = video.classes[classes[0]];
  const lane = {
    name,
    classes,
    colour,
    // Which frames have how many, counted anew where confidence is chosen anew.
    count: () => {
      lane.runs = video.sightings((of) => ofLane.has(of));
    },
    draw: (context, view, top, height) => {
      context.fillStyle = colour;
      context.globalAlpha = classes.every((of) => video.hidden.has(of)) ? 0.2 : 1;
      const room = height - 4;
      drawRuns(context, view, lane.runs, (share) => {
        // One of many is still seen.
        const high = Math.max(Math.round(room * share), 3);
        return [top + 2 + room - high, high];
      });
      context.globalAlpha = 1;
    },
    tell: (seconds) => {
      const at = lastAtMost(lane.runs.starts, seconds + SLACK);
      const count = at >= 0 && seconds < lane.runs.ends[at] ? lane.runs.counts[at] : 0;
      return count > 0 ? `${count} × ${shown(name)}` : "";
    },
  };
  lane.count();
  return lane;
};

// Draws runs column by column of the screen, so that a view of ten hours draws no more than its width.
// Where many fall on a column it shows their mean over its time. `span` says where a column stands:
// from the top and how high, given its share of the highest one.
const drawRuns = (context, view, runs, span) => {
  const means = meansOf(view, runs);
  const most = means.reduce((one, other) => Math.max(one, other), 0);
  for (let column = 0, next; column < means.length; column = next) {
    for (next = column + 1; next < means.length && means[next] === means[column]; next++);
    if (means[column] === 0) continue;
    const [top, height] = span(means[column] / most);
    context.fillRect(column, top, next - column, height);
  }
};

// The mean of the counts of runs, one without counts being one, over the time of each column.
const meansOf = (view, runs) => {
  const means = new Float64Array(Math.ceil(view.width));
  let at = Math.max(lastAtMost(runs.starts, view.from), 0);
  for (; at < runs.starts.length && runs.starts[at] <= view.to; at++) {
    // What is shorter than a column is still seen.
    const left = clamp(view.x(runs.starts[at]), 0, view.width);
    const right = clamp(Math.max(view.x(runs.ends[at]), left + 0.01), 0, view.width);
    const count = runs.counts?.[at] ?? 1;
    for (let column = Math.floor(left); column < right; column++) {
      means[column] += count * (Math.min(right, column + 1) - Math.max(left, column));
    }
  }
  return means;
};
