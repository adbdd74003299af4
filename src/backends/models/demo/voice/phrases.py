"""What the demo voice has heard: a grammar of sentences, espeak-ng voices, rooms and noise.

Used by train_voice.py. Everything follows from a seed. Knows nothing of the model.
"""

import io
import os
import subprocess
import wave
import zlib
from pathlib import Path

import numpy as np
from scipy.signal import fftconvolve
from scipy.signal import resample_poly

RATE = 16_000
COLOURS = "red blue green yellow orange purple white black".split()
SHAPES = "circle square triangle star cross ring".split()
PLURALS = "circles squares triangles stars crosses rings".split()
NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty"
).split()
GOES = "moves goes jumps".split()
WAYS = "left right up down".split()
DOES = "turns grows shrinks stops waits".split()
WORDS = sorted({*COLOURS, *SHAPES, *PLURALS, *NUMBERS, *GOES, *WAYS, *DOES, *"the there is are find count number".split()})

ACCENTS = "en-us en-gb en-gb-scotland en-gb-x-rp en-gb-x-gbclan en-gb-x-gbcwmd en-029 en-us-nyc".split()
VARIANTS = (
    "m1 m2 m3 m4 m5 m7 m8 f1 f3 f4 Andy Annie adam Alex Andrea antonio aunty belinda benjamin boris "
    "caleb Denis Diogo ed edward Gene Henrique Hugo iven Jacky john linda marcelo Marco Mario max michel miguel "
    "Mike Nguyen pablo paul pedro quincy rob robert sandro shelby steph travis zac anika grandpa klatt klatt2 klatt3 "
    "klatt4 klatt5 klatt6 edward2 Gene2 grandma gustave iven2 iven3 kaukovalta Lee robosoft robosoft3 robosoft5 steph2 Storm"
).split()
MADE_UP = 600
# None of these variants is in the list above.
HELD_OUT = [
    ("en-us", "f2"),
    ("en-gb", "m6"),
    ("en-us", "Alicia"),
    ("en-gb-scotland", "f5"),
    ("en-us", "david"),
    ("en-gb-x-rp", "victor"),
    ("en-us-nyc", "norbert"),
    ("en-gb", "Michael"),
]


def voice_heard(rng):
    """A voice to train on: half of them made up, one in eight without a variant."""
    kind = rng.random()
    accent = ACCENTS[rng.integers(len(ACCENTS))] if rng.random() < 0.6 else ("en-us", "en-us", "en-gb")[rng.integers(3)]
    if kind < 0.5:
        return accent, f"made{rng.integers(MADE_UP)}"
    if kind < 0.87:
        return accent, VARIANTS[rng.integers(len(VARIANTS))]
    return ("en-us" if rng.random() < 0.6 else accent), ""


def make_up_voices(folder):
    """Voice variants drawn at random, in copies of espeak-ng's data in `folder`, 50 a copy since it reads no more than 349 voices.

    espeak-ng's own variants differ in a handful of ways, and a network that has heard seventy of them learns the seventy: one that
    has heard hundreds learns the words."""
    version = subprocess.run(["espeak-ng", "--version"], check=True, capture_output=True, text=True).stdout
    data = Path(version.split("Data at: ")[1].strip())
    for i in range(MADE_UP):
        copy = made_up_data(folder, i) / "espeak-ng-data"
        variants = copy / "voices" / "!v"
        if not copy.exists():
            variants.mkdir(parents=True)
            (copy / "lang" / "gmw").mkdir(parents=True)
            english = list((data / "lang" / "gmw").glob("en*"))
            for path in [*english, *(p for p in data.iterdir() if p.is_file())]:
                (copy / path.relative_to(data)).symlink_to(path)
        (variants / f"made{i}").write_text(made_up(np.random.default_rng([99, i]), i))


def made_up_data(folder, i):
    return folder / "voices" / str(i // 50)


def made_up(rng, number):
    """A voice variant: throat, pitch, and at times a tone, breath, roughness, an echo, or another synthesizer."""
    lines = ["language variant", f"name made{number}"]
    throat = 100 * rng.uniform(0.82, 1.25)
    for formant in range(9):
        own = throat if formant else 100
        frequency = own * rng.normal(1, 0.09 if formant else 0.05)
        strength = 100 * np.exp(rng.normal(0, 0.3)) * (rng.uniform(0.2, 0.6) if rng.random() < 0.08 else 1)
        width = 100 * np.exp(rng.normal(0, 0.15))
        lines.append(f"formant {formant} {np.clip(frequency, 72, 150):.0f} {np.clip(strength, 20, 170):.0f} {np.clip(width, 60, 170):.0f}")
    pitch = np.exp(rng.uniform(np.log(60), np.log(200)))
    lines.append(f"pitch {pitch:.0f} {pitch * rng.uniform(1.1, 1.7):.0f}")
    lines.append(f"intonation {rng.integers(1, 5)}")
    sometimes = lambda chance, line: lines.append(line) if rng.random() < chance else None
    loud = lambda: rng.integers(80, 256)
    sometimes(0.35, f"tone 600 {loud()} {rng.integers(1000, 1600)} {loud()} {rng.integers(2000, 5000)} {loud()}")
    sometimes(0.3, f"voicing {rng.integers(35, 120)}")
    sometimes(0.3, f"consonants {rng.integers(50, 130)} {rng.integers(20, 130)}")
    sometimes(0.3, f"roughness {rng.integers(0, 5)}")
    sometimes(0.2, f"flutter {rng.integers(0, 10)}")
    sometimes(0.2, f"echo {rng.integers(20, 80)} {rng.integers(10, 60)}")
    sometimes(0.3, f"klatt {rng.integers(1, 7)}")
    if rng.random() < 0.25:
        lines += ["breath " + " ".join(str(rng.integers(0, 9)) for _ in range(8)), "breathw 150 150 200 200 400 400"]
    sometimes(0.15, f"stressAdd {' '.join(str(rng.integers(0, 90)) for _ in range(8))}")
    return "\n".join(lines) + "\n"


def sentence(rng):
    """The words of one sentence of the grammar."""
    one = lambda words: words[rng.integers(len(words))]
    thing = [one(COLOURS), one(SHAPES)]
    kind = rng.random()
    if kind < 0.42:
        return ["the", *thing, one(GOES), one(WAYS)]
    if kind < 0.60:
        return ["the", *thing, one(DOES)]
    if kind < 0.78:
        n = int(rng.integers(1, len(NUMBERS)))
        many = [one(COLOURS), one(PLURALS)]
        return ["there", "is", "one", *thing] if n == 1 else ["there", "are", NUMBERS[n], *many]
    if kind < 0.86:
        return ["find", "the", *thing]
    if kind < 0.91:
        return ["count", "the", one(COLOURS), one(PLURALS)]
    if kind < 0.95:
        return ["number", one(NUMBERS), "is", one(COLOURS)]
    n = int(rng.integers(3, 6))
    start = int(rng.integers(len(NUMBERS) - n + 1))
    return NUMBERS[start : start + n][:: 1 if rng.random() < 0.8 else -1]


def lesson(rng):
    """The words of one sentence to train on. Beside the grammar: rows of numbers, its hardest sentences, and words in no order, so
    that what is heard counts for more than what is likely."""
    kind, words = rng.random(), None
    while words is None or held_out(words):
        if kind < 0.72:
            words = sentence(rng)
        elif kind < 0.82:
            n = int(rng.integers(2, 6))
            words = [NUMBERS[i] for i in rng.integers(len(NUMBERS), size=n)]
        else:
            n = int(rng.integers(1, 7))
            words = [(WORDS if rng.random() < 0.75 else NUMBERS) for _ in range(n)]
            words = [among[rng.integers(len(among))] for among in words]
    return words


def held_out(words):
    """Whether a sentence is kept for tests: one in ten, whoever says it."""
    return zlib.crc32(" ".join(words).encode()) % 10 == 0


def say(words, voice, speed, pitch, folder=None):
    """One sentence as float samples at RATE, without the silence around it. `folder`: see make_up_voices."""
    name = voice[0] + ("+" + voice[1] if voice[1] else "")
    own = voice[1].startswith("made")
    environment = os.environ | ({"ESPEAK_DATA_PATH": str(made_up_data(folder, int(voice[1][4:])))} if own else {})
    command = ["espeak-ng", "-v", name, "-s", str(speed), "-p", str(pitch), "--stdout", " ".join(words)]
    out = subprocess.run(command, check=True, capture_output=True, env=environment).stdout
    with wave.open(io.BytesIO(out)) as w:
        assert (w.getframerate(), w.getnchannels(), w.getsampwidth()) == (22050, 1, 2)
        raw = w.readframes(1 << 30)
    x = np.frombuffer(raw[: len(raw) // 2 * 2], np.int16).astype(np.float32) / 32768
    loud = np.nonzero(np.abs(x) > 0.01)[0]
    if len(loud) == 0:
        raise ValueError(f"{name} says nothing")
    x = resample_poly(x[loud[0] : loud[-1] + 1], 320, 441).astype(np.float32)
    return x / max(1e-3, np.sqrt((x**2).mean())) * 0.1


def noise(rng, n):
    """White, pink, brown or humming, with a power of 1."""
    white = np.fft.rfft(rng.normal(size=n))
    f = np.maximum(1, np.arange(len(white)))
    x = np.fft.irfft(white / f ** rng.choice([0.0, 0.25, 0.5, 1.0]), n)
    if rng.random() < 0.2:
        t = np.arange(n) / RATE
        hum = sum(np.sin(2 * np.pi * rng.choice([50, 60]) * k * t + rng.uniform(0, 6)) / k for k in (1, 2, 3, 5))
        x = x / x.std() + rng.uniform(0.5, 2) * hum
    return (x / max(1e-9, x.std())).astype(np.float32)


def room(rng, x):
    """The sound as it comes back from walls: a decaying tail of noise behind it."""
    seconds = rng.uniform(0.08, 0.45)
    n = int(seconds * RATE)
    tail = rng.normal(size=n) * 10 ** (-3 * np.arange(n) / n)
    tail *= rng.uniform(0.1, 0.6) / np.sqrt((tail**2).sum())
    tail[0] += 1
    return fftconvolve(x, tail)[: len(x)].astype(np.float32)


def tone(rng, x):
    """A recording's own colour: a slope, a cut at the top, a cut at the bottom."""
    spectrum = np.fft.rfft(x)
    f = np.arange(len(spectrum)) * RATE / 2 / len(spectrum)
    gain = (np.maximum(f, 100) / 1000) ** rng.uniform(-0.35, 0.35)
    if rng.random() < 0.25:
        gain *= 1 / (1 + (f / rng.uniform(3000, 7000)) ** 8)
    if rng.random() < 0.25:
        gain *= 1 / (1 + (rng.uniform(60, 250) / np.maximum(f, 1)) ** 4)
    return np.fft.irfft(spectrum * gain, len(x)).astype(np.float32)


def utterance(seed, voices, seconds, folder=None, test=False, clean=False):
    """Sound of at most `seconds`, and [(start, end, words)]; no words in some, two sentences in some others.

    `voices` are those to draw from (None: those to train on, made up in `folder`). `test` asks for one sentence of those kept for tests, which no other
    utterance has; `clean` for neither room nor noise."""
    rng = np.random.default_rng(seed)
    draw = 0.5 if test else rng.random()
    if draw < 0.03:
        n = int(rng.uniform(0.5, seconds) * RATE)
        return noise(rng, n) * 10 ** rng.uniform(-4, -1) * (rng.random() < 0.8), []
    voice = voices[rng.integers(len(voices))] if voices else voice_heard(rng)
    speed, pitch = int(rng.integers(115, 196)), int(rng.integers(30, 71))
    lead = rng.uniform(0.0, 0.5)
    sound, said = [np.zeros(int(lead * RATE), np.float32)], []
    length = len(sound[0])
    for _ in range(2 if draw < 0.13 else 1):
        words = sentence(rng) if test else lesson(rng)
        while test and not held_out(words):
            words = sentence(rng)
        x = say(words, voice, speed, pitch, folder)
        if length + len(x) > (seconds - 0.1) * RATE:
            break
        said.append((length / RATE, (length + len(x)) / RATE, words))
        gap = np.zeros(int(rng.uniform(0.1, 0.6) * RATE), np.float32)
        sound += [x, gap]
        length += len(x) + len(gap)
    if not said:
        return utterance([*np.atleast_1d(seed), 1], voices, seconds, folder, test, clean)
    x = np.concatenate(sound)[: int(seconds * RATE)]
    if clean:
        return x, said
    if rng.random() < 0.4:
        x = room(rng, x)
    if rng.random() < 0.5:
        x = tone(rng, x)
    if rng.random() < 0.75:
        power = np.sqrt((x**2).mean())
        x = x + noise(rng, len(x)) * power * 10 ** (-rng.uniform(8, 45) / 20)
    return (x * 10 ** rng.uniform(-1, 0.5)).clip(-1, 1).astype(np.float32), said
