// What is in the frame on screen, as words below the picture.

const showNow = (video, boxes, seconds) => {
  const now = byId("now");
  const frame = video.frameAt(seconds);
  const parts = boxes.map((box) => {
    const dot = element("i", "dot");
    dot.style.background = box.colour;
    const stage = box.stage ? element("span", "quiet", ` ${shown(box.stage)}`) : "";
    return element("span", "chip", dot, isolated(boxText(box)), stage);
  });
  if (frame >= 0 && parts.length === 0) {
    const isNow = ({ kind, start, end }) => kind !== "gap" && start <= seconds && seconds < end;
    const trouble = video.answered[frame] ? undefined : video.troubles.find(isNow);
    const why = trouble ? troubleText(trouble) : "nothing to be seen here";
    parts.push(element("span", "quiet", isolated(why)));
  }
  for (const { stage, text } of video.recordsAt(seconds)) {
    parts.push(element("p", "record", element("b", "", shown(stage)), " ", isolated(shown(text))));
  }
  const of = frame < 0 ? "" : `frame ${video.numbers[frame].toLocaleString("en")}`;
  now.replaceChildren(element("span", "quiet", of), ...parts);
};

const TROUBLES = { failed: "failed", skipped: "not looked at", gap: "no transcript" };

// "yolo failed: network".
const troubleText = ({ kind, stage, why }) =>
  shown(`${stage ? `${stage} ` : ""}${TROUBLES[kind]}${why ? `: ${why}` : ""}`);
