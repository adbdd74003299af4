// The page: its parts, and what they tell each other.

const library = new Library();
const several = library.list.length > 1;
let shownAt = -1;
let video = null;

const overlay = new Overlay(byId("stage"));
const transcript = new Transcript({ onSeek: (seconds) => player.seek(seconds) });
const timeline = new Timeline({
  onSeek: (seconds) => player.seek(seconds),
  onHide: (classes, isHidden) => {
    classes.forEach((of) => (isHidden ? video.hidden.add(of) : video.hidden.delete(of)));
    showMoment(player.time);
  },
});
const player = new Player({ onTime: (seconds) => showMoment(seconds), onState: () => showState() });
const moments = new Moments({
  library,
  onGo: ({ at, start }) => {
    showVideo(at);
    player.seek(start);
  },
  onFound: (isAsked) => {
    markMoments();
    choose(isAsked ? "moments" : "transcript");
  },
});

// Shows a video of the page.
function showVideo(at) {
  if (at === shownAt) return;
  shownAt = at;
  video = library.get(at);
  byId("videos").value = String(at);
  byId("title").textContent = shown(video.name);
  document.title = `${shown(video.name)} – vpipe report`;
  byId("facts").textContent = factsText(library.list[at]);
  overlay.show(video);
  transcript.show(video);
  timeline.show(video);
  showDetails(video);
  markMoments();
  player.show(video, library.pictures(at));
}

const factsText = ({ duration, objects, segments, failed }) => {
  const parts = [lengthText(duration)];
  if (video.width > 0) parts.push(`${video.width} × ${video.height}`);
  parts.push(counted(video.times.length, "frame"), counted(objects, "object"));
  parts.push(counted(video.classes.length, "class", "classes"));
  parts.push(counted(segments, "sentence"));
  if (failed > 0) parts.push(`${failed.toLocaleString("en")} without an answer`);
  return parts.join(" · ");
};

// Shows what there is at a moment, in all parts.
function showMoment(seconds) {
  const boxes = video.boxesAt(seconds);
  const away = player.showPicture();
  showBlank(away);
  overlay.draw(boxes);
  showNow(video, boxes, seconds);
  byId("time").textContent = `${clockText(seconds)} / ${clockText(video.duration)}`;
  byId("caption").textContent = isPressed(byId("captions")) ? transcript.caption(seconds) : "";
  timeline.setTime(seconds);
  transcript.setTime(seconds);
}

// Says what the stage shows in place of the video, where that is not this moment.
function showBlank(away) {
  const blank = byId("blank");
  blank.hidden = away === 0 && !(player.plays && video.width === 0);
  if (blank.hidden) return;
  if (player.plays) blank.textContent = "Sound alone";
  else blank.textContent = away === Infinity ? "No picture" : `A picture ${lengthText(away)} away`;
}

function showState() {
  const play = byId("play");
  play.classList.toggle("playing", player.isPlaying);
  play.setAttribute("aria-label", player.isPlaying ? "Pause" : "Play");
  press(byId("sound"), !player.media.muted);
}

function markMoments() {
  timeline.setMoments(moments.moments.filter(({ at }) => at === shownAt));
}

// Shows the list of this name, and not the other.
function choose(name) {
  for (const one of ["transcript", "moments"]) {
    byId(one).hidden = one !== name;
    byId(`tab-${one}`).setAttribute("aria-selected", String(one === name));
  }
  byId("follow").hidden = name !== "transcript";
  (name === "moments" ? moments : transcript).rows.draw();
}

const fillChoice = () => {
  byId("choice").hidden = !several;
  const options = library.list.map((listed, at) => {
    const parts = [lengthText(listed.duration), counted(listed.objects, "object")];
    return new Option(`${shown(listed.name)} · ${parts.join(" · ")}`, at);
  });
  byId("videos").replaceChildren(...options);
};

fillChoice();
listenToControls({ player, timeline, moments, overlay });
listenToKeys({ player, timeline, moments });
showVideo(0);
suggestSearch();
moments.find();
