// The buttons and fields of the page, each with what it does.

// A search is made when writing pauses for so long, in milliseconds.
const PAUSE = 120;

const listenToControls = ({ player, timeline, moments, overlay }) => {
  const onClick = (id, act) =>
    byId(id).addEventListener("click", ({ currentTarget }) => act(currentTarget));
  const toggled = (id, act) => onClick(id, (toggle) => {
    press(toggle, !isPressed(toggle));
    act(isPressed(toggle));
  });
  onClick("play", () => player.toggle());
  onClick("back", () => player.step(-1));
  onClick("forth", () => player.step(1));
  onClick("full", showFull);
  onClick("theme", switchTheme);
  onClick("help-open", () => byId("help").showModal());
  onClick("tab-transcript", () => choose("transcript"));
  onClick("tab-moments", () => choose("moments"));
  onClick("stage", () => player.toggle());
  toggled("boxes", (isOn) => {
    overlay.isOn = isOn;
    overlay.draw();
  });
  toggled("captions", () => showMoment(player.time));
  toggled("sound", (isOn) => (player.media.muted = !isOn));
  const onChange = (id, act) => byId(id).addEventListener("input", ({ target }) => act(target));
  onChange("rate", ({ value }) => (player.media.playbackRate = Number(value)));
  onChange("file", ({ files }) => files[0] && player.open(files[0]));
  onChange("videos", ({ value }) => showVideo(Number(value)));
  onChange("least", ({ value }) => showFrom(Number(value), { player, timeline, moments }));
  listenToSearch(moments);
};

const listenToSearch = (moments) => {
  let pause;
  const find = () => {
    clearTimeout(pause);
    moments.find();
  };
  byId("query").addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(find, PAUSE);
  });
  byId("within").addEventListener("change", find);
  byId("search").addEventListener("submit", (event) => {
    event.preventDefault();
    find();
    moments.go(0);
  });
};

// Shows boxes from a confidence on, in thousandths.
const showFrom = (least, { player, timeline, moments }) => {
  library.least = least;
  video.least = least;
  byId("least-text").textContent = (least / 1000).toFixed(2);
  timeline.recount();
  showMoment(player.time);
  if (byId("query").value) moments.find();
};

const showFull = () => {
  if (document.fullscreenElement) document.exitFullscreen();
  else byId("stage").requestFullscreen();
};

// From what the system asks for to the other, and back.
const switchTheme = () => {
  const root = document.documentElement;
  const isDark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = isDark ? "light" : "dark";
  timeline.draw();
};

// An example of what could be searched for, out of the video itself.
const suggestSearch = () => {
  const seen = video.classes[0]?.name.split(/\s+/)[0];
  const said = video.speeches[0].texts[0]?.split(/\s+/).slice(0, 3).join(" ");
  const examples = [seen, said && `"${said.replace(/[".,!?]/g, "")}"`].filter(Boolean);
  const example = examples.length > 0 ? `, such as ${shown(examples.join(" "))}` : "";
  byId("query").placeholder = `Things and words together${example}`;
};
