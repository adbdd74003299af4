// Times as people read them.

// Seconds as 1:02:03.4; tenths where `tenths` is true.
const clockText = (seconds, tenths = true) => {
  const sign = seconds < 0 ? "−" : "";
  // In whole tenths first, so that 59.96 is a minute and not 60 seconds.
  const parts = Math.round(Math.abs(seconds) * 10);
  const whole = Math.floor(parts / 10);
  const two = (number) => String(number).padStart(2, "0");
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const clock = hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
  return sign + clock + (tenths ? `.${parts % 10}` : "");
};

// A length in words, such as "1 h 2 min" or "25.7 s".
const lengthText = (seconds) => {
  if (seconds < 60) return `${Math.round(seconds * 10) / 10} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const rest = minutes % 60 > 0 ? ` ${minutes % 60} min` : "";
  return `${Math.floor(minutes / 60)} h${rest}`;
};

// "1 object", "2 objects".
const counted = (count, noun, several = `${noun}s`) =>
  `${count.toLocaleString("en")} ${count === 1 ? noun : several}`;

const clamp = (value, least, most) => Math.min(Math.max(value, least), most);
