// Boxes over the picture: where they stand in the video, fitted as the picture is.

const LABEL_HEIGHT = 18;

class Overlay {
  constructor(stage) {
    this.stage = stage;
    this.canvas = byId("overlay");
    this.isOn = true;
    new ResizeObserver(() => this.draw()).observe(stage);
  }

  show(video) {
    this.video = video;
    this.boxes = [];
    this.stage.style.setProperty("--ratio", video.width > 0 ? `${video.width} / ${video.height}` : "16 / 5");
  }

  // Where the picture is on the stage, with bars left and right or above and below.
  frame() {
    const [width, height] = [this.stage.clientWidth, this.stage.clientHeight];
    const scale = Math.min(width / this.video.width, height / this.video.height);
    const left = (width - this.video.width * scale) / 2;
    const top = (height - this.video.height * scale) / 2;
    return { width, height, scale, left, top };
  }

  draw(boxes = this.boxes) {
    if (!this.video) return;
    this.boxes = boxes;
    const frame = this.frame();
    const context = fitted(this.canvas, frame.width, frame.height);
    if (!this.isOn || this.video.width === 0) return;
    // The most confident last, above the others.
    for (const box of [...boxes].reverse()) this.drawBox(context, box, frame);
  }

  drawBox(context, box, { left, top, scale, width }) {
    const [x, y] = [left + box.left * scale, top + box.top * scale];
    const [across, down] = [(box.right - box.left) * scale, (box.bottom - box.top) * scale];
    context.lineWidth = 4;
    context.strokeStyle = "rgb(0 0 0 / 45%)";
    context.strokeRect(x, y, across, down);
    context.lineWidth = 2;
    context.strokeStyle = box.colour;
    context.strokeRect(x, y, across, down);
    this.drawLabel(context, box, x, y, width);
  }

  // The name above the box; inside of it where there is no room above.
  drawLabel(context, box, x, y, width) {
    const text = boxText(box);
    context.font = "600 12px system-ui, sans-serif";
    const across = Math.min(context.measureText(text).width + 10, width);
    const left = clamp(x - 1, 0, Math.max(width - across, 0));
    const top = y >= LABEL_HEIGHT ? y - LABEL_HEIGHT : y;
    context.fillStyle = box.colour;
    context.fillRect(left, top, across, LABEL_HEIGHT);
    context.fillStyle = box.ink;
    context.textBaseline = "middle";
    context.fillText(text, left + 5, top + LABEL_HEIGHT / 2 + 0.5, across - 10);
  }
}

// "person #3 87 %".
const boxText = ({ name, track, confidence }) =>
  `${shown(name)}${track ? ` #${track}` : ""} ${Math.round(confidence * 100)} %`;
