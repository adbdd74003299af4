// Elements of the page. Texts become text and nothing else: no string is ever read as HTML.

const byId = (id) => document.getElementById(id);

// A new element with a class and children; a string is text.
const element = (tag, name = "", ...children) => {
  const made = document.createElement(tag);
  if (name) made.className = name;
  made.append(...children);
  return made;
};

// A text whose direction is its own, so that marks in it turn nothing beside it.
const isolated = (text, name = "") => {
  const made = element("bdi", name, text);
  made.dir = "auto";
  return made;
};

// Letters that are not seen or that turn others round, shown by their numbers.
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;
const shown = (text) =>
  text.replace(UNSEEN, (letter) => `\\u{${letter.codePointAt(0).toString(16)}}`);

const button = (name, ...children) => {
  const made = element("button", name, ...children);
  made.type = "button";
  return made;
};

const isPressed = (toggle) => toggle.getAttribute("aria-pressed") === "true";
const press = (toggle, pressed) => toggle.setAttribute("aria-pressed", String(pressed));

// Fits a canvas to its place on the screen, and gives its context in CSS pixels.
const fitted = (canvas, width, height) => {
  const scale = window.devicePixelRatio || 1;
  const [across, down] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== across) canvas.width = across;
  if (canvas.height !== down) canvas.height = down;
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
};

// A colour of the style, such as "--ink", as light or dark has it: only a property that takes a colour
// says which of the two it is.
const styleColour = (name) => {
  const probe = byId("probe");
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
};

// Black or white, whichever is read better on `#rrggbb`.
const inkOn = (colour) => {
  const parts = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255);
  const [red, green, blue] = parts.map((part) => part * part);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.3 ? "#000" : "#fff";
};
