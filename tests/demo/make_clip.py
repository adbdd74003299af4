"""Makes clip.mp4 and truth.json beside this file: shapes that move, and a voice that says what they do.

    python make_clip.py

Needs: numpy==2.4.6 opencv-python-headless==5.0.0.93 (requirements.txt), and the programs ffmpeg (with libx264) and
espeak-ng. Shapes and background come from the demo detector's own renderer, with a seed that no training picture has.
"""

import json
import math
import subprocess
import sys
import tempfile
import wave
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "src" / "backends" / "local" / "demo"))
import scenes  # noqa: E402
from scenes import CLASSES, PALETTE, Shape  # noqa: E402

WIDTH, HEIGHT, FPS = 1280, 720, 30
GROUND_SEED = [31415, 9]  # training and test renders use 20260 and 20261 as their first number
VOICE, PACE = "en-us", 150
GAPS = (0.7, 0.5, 0.8, 0.6, 0.45, 0.75, 0.55, 0.85, 0.65, 0.5, 0.7)  # silence after each sentence, s
FIRST = 0.6  # when the voice begins
TAIL = 0.6
LISTED = 15  # truth is listed every so many frames
CLEAR = 0.6  # at full seconds, at least this share of every shape can be seen

# name: kind, colour, x, y, r, angle, idle turn (rad/s), other looks
ACTORS = {
    "red circle": ("circle", 1060, 160, 78, 0.0, 0.0, {"edge": (250, 250, 250), "edge_width": 4}),
    "blue square": ("square", 190, 560, 72, 0.2, 0.25, {"second": (70, 130, 240)}),
    "green triangle": ("triangle", 400, 190, 84, 0.3, -0.2, {}),
    "yellow star": ("star", 690, 420, 96, 0.1, 0.15, {"edge": (120, 80, 0), "edge_width": 3}),
    "purple cross": ("cross", 1090, 540, 88, 0.4, -0.3, {"inner": 0.7}),
    "white ring": ("ring", 160, 150, 62, 0.0, 0.0, {"inner": 0.3}),
    "orange square": ("square", 1420, 350, 54, 0.5, 0.3, {}),
    "white circle": ("circle", 640, -120, 46, 0.0, 0.0, {}),
    "red star": ("star", -140, 610, 66, 0.0, 0.5, {"inner": 0.8}),
}

# sentence; then what moves with it: name, dx, dy, turn, growth, seconds (0: as long as the sentence), delay
SCRIPT = [
    ("the red circle moves left", [("red circle", -250, 30, 0, 1, 0, 0)]),
    ("the blue square moves up", [("blue square", 40, -150, 0.5, 1, 0, 0)]),
    ("the green triangle moves right", [("green triangle", 150, -20, 0, 1, 0, 0)]),
    ("the orange square moves left", [("orange square", -250, -10, -0.6, 1, 0, 0)]),
    ("the yellow star turns", [("yellow star", 0, 0, 1.8, 1, 0, 0)]),
    ("the white circle moves down", [("white circle", -280, 660, 0, 1, 1.9, 0)]),
    ("the purple cross moves left", [("purple cross", -150, 20, 0.6, 1, 0, 0)]),
    ("the white ring moves down", [("white ring", -30, 95, 0, 1, 0, 0)]),
    ("the red star moves right", [("red star", 290, 10, 0.8, 1, 0, 0)]),
    ("the green triangle grows", [("green triangle", 10, 10, 0, 1.4, 0, 0)]),
    ("the red circle moves right", [("red circle", 640, -20, 0, 1, 0, 0)]),
]


def say(text, folder):
    """One sentence as float samples at 22050 Hz, without the silence around it."""
    path = Path(folder) / "say.wav"
    subprocess.run(["espeak-ng", "-v", VOICE, "-s", str(PACE), "-w", str(path), text], check=True)
    with wave.open(str(path)) as w:
        assert (w.getframerate(), w.getnchannels(), w.getsampwidth()) == (22050, 1, 2)
        x = np.frombuffer(w.readframes(w.getnframes()), np.int16).astype(np.float32) / 32768
    loud = np.nonzero(np.abs(x) > 0.01)[0]
    return x[loud[0] : loud[-1] + 1]


def narrate():
    with tempfile.TemporaryDirectory() as folder:
        parts = [say(text, folder) for text, _ in SCRIPT]
    speech, t = [], FIRST
    for (text, _), part, gap in zip(SCRIPT, parts, GAPS):
        speech.append({"start": round(t, 3), "end": round(t + len(part) / 22050, 3), "text": text})
        t += len(part) / 22050 + gap
    duration = math.ceil((t - GAPS[-1] + TAIL) * FPS) / FPS
    sound = np.zeros(round(duration * 22050), np.float32)
    for s, part in zip(speech, parts):
        at = round(s["start"] * 22050)
        sound[at : at + len(part)] += part
    sound *= 0.7 / np.abs(sound).max()
    return speech, sound, duration


def cast(t, speech):
    """The shapes at time t, back to front."""
    now = {}
    for name, (kind, x, y, r, angle, idle, looks) in ACTORS.items():
        now[name] = Shape(CLASSES.index(kind), x, y, r, angle + idle * t, PALETTE[name.split()[0]], **looks)
    for (_, moves), s in zip(SCRIPT, speech):
        for name, dx, dy, turn, growth, seconds, delay in moves:
            p = min(1.0, max(0.0, (t - s["start"] - delay) / (seconds or s["end"] - s["start"])))
            p = p * p * (3 - 2 * p)
            a = now[name]
            a.x, a.y, a.angle, a.r = a.x + dx * p, a.y + dy * p, a.angle + turn * p, a.r * growth**p
    for i, a in enumerate(now.values()):  # a slow sway, so that nothing ever stands quite still
        a.x, a.y = a.x + 7 * math.sin(0.9 * t + 2.1 * i), a.y + 5 * math.sin(1.3 * t + 1.3 * i)
    return list(now.values())


def main():
    speech, sound, duration = narrate()
    count = round(duration * FPS)
    rng = np.random.default_rng(GROUND_SEED)
    ground = scenes.backdrop(rng, WIDTH, HEIGHT, busy=0.7)
    frames = []
    with tempfile.TemporaryDirectory() as folder:
        voice = Path(folder) / "voice.wav"
        with wave.open(str(voice), "wb") as w:
            w.setparams((1, 2, 22050, 0, "NONE", ""))
            w.writeframes((sound * 32767).astype(np.int16).tobytes())
        command = ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{WIDTH}x{HEIGHT}"]
        command += ["-r", str(FPS), "-i", "-", "-i", str(voice)]
        command += ["-vf", "scale=out_color_matrix=bt709:out_range=tv", "-pix_fmt", "yuv420p", "-colorspace", "bt709"]
        command += ["-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv"]
        command += ["-c:v", "libx264", "-threads", "1", "-preset", "medium", "-crf", "25", "-bf", "3", "-g", "250"]
        command += ["-c:a", "aac", "-b:a", "64k", "-ar", "48000", "-ac", "1"]
        command += ["-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact", "-map_metadata", "-1"]
        command += ["-movflags", "+faststart", str(HERE / "clip.mp4")]
        encoder = subprocess.Popen(command, stdin=subprocess.PIPE)
        for n in range(count):
            t = n / FPS
            shapes, after = cast(t, speech), cast(t + 1 / FPS, speech)
            image = ground.copy()
            for s, a in zip(shapes, after):
                s.blur = ((a.x - s.x) / 2, (a.y - s.y) / 2)
                scenes.paint(image, s)
            encoder.stdin.write(image.tobytes())
            if n % LISTED:
                continue
            objects = []
            for s, seen in zip(shapes, scenes.visibility(shapes, WIDTH, HEIGHT)):
                if n % FPS == 0 and 0.02 < seen < CLEAR:
                    print(f"{t:.0f} s: only {seen:.2f} of the {CLASSES[s.kind]} at {s.x:.0f}, {s.y:.0f}", file=sys.stderr)
                if seen > 0.02:
                    box = [round(float(v), 1) for v in scenes.cut(s.box(), WIDTH, HEIGHT)]
                    name = CLASSES[s.kind]
                    objects.append({"class": s.kind, "class_name": name, "bbox": box, "visible": round(seen, 2)})
            frames.append({"frame_number": n, "timestamp": round(t, 6), "objects": objects})
        encoder.stdin.close()
        if encoder.wait():
            sys.exit("ffmpeg failed")
    head = {"video": "clip.mp4", "width": WIDTH, "height": HEIGHT, "fps": FPS, "duration": round(duration, 6), "classes": CLASSES}
    lines = ",\n".join("    " + json.dumps(f) for f in frames)
    said = ",\n".join("    " + json.dumps(s) for s in speech)
    text = json.dumps(head, indent=2)[:-2] + f',\n  "frames": [\n{lines}\n  ],\n  "speech": [\n{said}\n  ]\n}}\n'
    json.loads(text)
    (HERE / "truth.json").write_text(text)
    low = [o["visible"] for f in frames if f["frame_number"] % FPS == 0 for o in f["objects"]]
    print(f"{count} frames, {duration:.2f} s, {len(low)} shapes at full seconds, least visible {min(low)}")


if __name__ == "__main__":
    main()
