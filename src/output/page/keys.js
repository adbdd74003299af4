// The keyboard, wherever the focus is; a field keeps the letters that are written in it.

const SEEK_SECONDS = 5;

const listenToKeys = ({ player, timeline, moments }) => {
  const click = (id) => () => byId(id).click();
  const keys = {
    " ": () => player.toggle(),
    ArrowLeft: () => player.seek(player.time - SEEK_SECONDS),
    ArrowRight: () => player.seek(player.time + SEEK_SECONDS),
    "/": () => byId("query").select(),
    "?": click("help-open"),
    "+": () => timeline.zoom(0.5),
    "=": () => timeline.zoom(0.5),
    "-": () => timeline.zoom(2),
    0: () => timeline.zoom(Infinity),
    n: () => moments.step(1),
    p: () => moments.step(-1),
    b: click("boxes"),
    c: click("captions"),
    m: click("sound"),
    f: click("full"),
    t: click("theme"),
  };
  const shifted = { ArrowLeft: () => player.step(-1), ArrowRight: () => player.step(1) };
  document.addEventListener("keydown", (event) => {
    const isOther = event.ctrlKey || event.metaKey || event.altKey;
    if (isOther || byId("help").open || isWriting(event)) return;
    const act = (event.shiftKey && shifted[event.key]) || keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
};

// Whether a key belongs to what has the focus.
const isWriting = ({ key, target }) => {
  if (target.type === "range") return key.startsWith("Arrow");
  if (target.matches("input, select")) return true;
  const isPress = key === " " || key === "Enter";
  return isPress && target.matches("button, summary");
};
