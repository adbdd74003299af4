"""Renders scenes of six flat shapes on busy backgrounds, with true boxes.

Two ways in:

    still(seed)                     one finished training or test picture, 320 x 320
    backdrop(), paint(), Shape      the parts, for moving scenes (coded_frames() here, tests/demo/make_clip.py)

A box is the tight upright box of the shape's sharp outline, cut at the picture's border. `visible` is the share of
the shape's own area that can be seen: not covered by another shape or an occluder, and not outside of the picture.

Needs: numpy==2.4.6 opencv-python-headless==5.0.0.93; coded_frames() also the ffmpeg program with libx264.
"""

import math
import subprocess
from dataclasses import dataclass

import cv2
import numpy as np

CLASSES = ["circle", "square", "triangle", "star", "cross", "ring"]
PALETTE = {  # RGB
    "red": (214, 40, 40),
    "blue": (38, 84, 214),
    "green": (36, 160, 70),
    "yellow": (240, 208, 40),
    "orange": (240, 128, 24),
    "purple": (134, 56, 176),
    "white": (240, 240, 240),
    "black": (22, 22, 26),
}
GREY = 114  # letterbox padding
SIZE = 320
LEAST_VISIBLE = 0.6  # a still holds no shape of which less can be seen

cv2.setNumThreads(0)


@dataclass
class Shape:
    kind: int
    x: float
    y: float
    r: float  # half the size before turning
    angle: float = 0.0
    colour: tuple = (214, 40, 40)
    edge: tuple | None = None  # colour of the outline
    edge_width: float = 0.0  # px
    second: tuple | None = None  # other end of a gradient
    squash: float = 1.0  # height to width before turning
    inner: float = 0.5  # 0..1: hole of a ring, waist of a star, thickness of a cross
    opacity: float = 1.0
    blur: tuple = (0.0, 0.0)  # motion while the shutter is open, px

    def contours(self):
        """Outline points, float pixels; a ring has two contours."""
        r, k = self.r, CLASSES[self.kind]
        if k in ("circle", "ring"):
            a = np.arange(72) * (2 * math.pi / 72)
            unit = [np.stack([np.cos(a), np.sin(a)], 1)]
            if k == "ring":
                unit.append(unit[0] * (0.42 + 0.3 * self.inner))
        elif k == "square":
            unit = [np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * 0.88]
        elif k == "triangle":
            a = -math.pi / 2 + np.arange(3) * (2 * math.pi / 3)
            unit = [np.stack([np.cos(a), np.sin(a)], 1) * 1.1]
        elif k == "star":
            a = -math.pi / 2 + np.arange(10) * (math.pi / 5)
            rad = np.where(np.arange(10) % 2 == 0, 1.1, 1.1 * (0.38 + 0.12 * self.inner))
            unit = [np.stack([np.cos(a) * rad, np.sin(a) * rad], 1)]
        else:  # cross
            t = 0.24 + 0.16 * self.inner
            unit = [
                np.array(
                    [[-t, -1], [t, -1], [t, -t], [1, -t], [1, t], [t, t], [t, 1], [-t, 1], [-t, t], [-1, t], [-1, -t], [-t, -t]]
                )
            ]
        c, s = math.cos(self.angle), math.sin(self.angle)
        turn = np.array([[c, s], [-s, c]])
        return [(u * [r, r * self.squash]) @ turn + [self.x, self.y] for u in unit]

    def box(self):
        p = self.contours()[0]
        return np.concatenate([p.min(0), p.max(0)])

    def area(self):
        """Pixels of the whole shape, as if nothing hid it."""
        x1, y1, x2, y2 = self.box()
        m = np.zeros((int(y2 - y1) + 4, int(x2 - x1) + 4), np.uint8)
        _poly(m, self.contours(), (int(x1) - 1, int(y1) - 1), 1, False)
        return max(1, int(np.count_nonzero(m)))


def _poly(img, contours, origin, value, antialias):
    pts = [np.round((c - origin) * 16).astype(np.int32) for c in contours]
    cv2.fillPoly(img, pts, value, cv2.LINE_AA if antialias else cv2.LINE_8, 4)
    return pts


def _streak(dx, dy):
    """Kernel of a straight motion of (dx, dy) pixels."""
    n = int(max(abs(dx), abs(dy))) | 1
    if n < 3:
        return None
    k = np.zeros((n, n), np.float32)
    t = np.linspace(-0.5, 0.5, 4 * n)
    for x, y in zip(t * dx, t * dy):
        k[min(n - 1, max(0, round(n // 2 + y))), min(n - 1, max(0, round(n // 2 + x)))] += 1
    return k / k.sum()


def footprint(shape, width, height):
    """Where the sharp shape covers the picture: (slice, bool mask), or None when it is outside."""
    x1, y1, x2, y2 = shape.box()
    x1, y1, x2, y2 = max(0, int(x1) - 1), max(0, int(y1) - 1), min(width, int(x2) + 2), min(height, int(y2) + 2)
    if x2 <= x1 or y2 <= y1:
        return None
    m = np.zeros((y2 - y1, x2 - x1), np.uint8)
    _poly(m, shape.contours(), (x1, y1), 1, False)
    return (slice(y1, y2), slice(x1, x2)), m.astype(bool)


def paint(canvas, shape):
    """Draws one shape with its motion blur, in place."""
    h, w = canvas.shape[:2]
    pad = int(max(abs(shape.blur[0]), abs(shape.blur[1])) / 2) + 2
    bx1, by1, bx2, by2 = shape.box()
    x1, y1, x2, y2 = max(0, int(bx1) - pad), max(0, int(by1) - pad), min(w, int(bx2) + pad + 1), min(h, int(by2) + pad + 1)
    if x2 <= x1 or y2 <= y1:
        return
    alpha = np.zeros((y2 - y1, x2 - x1), np.uint8)
    pts = _poly(alpha, shape.contours(), (x1, y1), 255, True)
    colour = np.empty((*alpha.shape, 3), np.float32)
    if shape.second is None:
        colour[:] = shape.colour
    else:
        t = np.linspace(0, 1, alpha.shape[0], dtype=np.float32)[:, None, None]
        colour[:] = np.array(shape.colour, np.float32) * (1 - t) + np.array(shape.second, np.float32) * t
    if shape.edge is not None and shape.edge_width >= 1:
        cv2.polylines(colour, pts, True, [float(c) for c in shape.edge], int(round(2 * shape.edge_width)), cv2.LINE_8, 4)
    k = _streak(*shape.blur)
    if k is not None:
        alpha = cv2.filter2D(alpha, -1, k, borderType=cv2.BORDER_CONSTANT)
    a = alpha[:, :, None].astype(np.float32) * (shape.opacity / 255)
    part = canvas[y1:y2, x1:x2]
    part[:] = (part * (1 - a) + colour * a + 0.5).astype(np.uint8)


def visibility(shapes, width, height, occluders=()):
    """Share of each shape that can be seen; shapes lie back to front, occluders above all."""
    ids = np.zeros((height, width), np.int16)
    for i, s in enumerate(shapes, 1):
        f = footprint(s, width, height)
        if f:
            ids[f[0]][f[1]] = i
    for o in occluders:
        cv2.fillPoly(ids, [np.round(o["points"]).astype(np.int32)], 0)
    seen = np.bincount(ids.ravel(), minlength=len(shapes) + 1)[1:]
    return [min(1.0, float(n) / s.area()) for n, s in zip(seen, shapes)]


def cut(box, width, height):
    return np.clip(box, 0, [width, height, width, height])


# ---- backgrounds


def _colour(rng):
    if rng.random() < 0.35:
        base = np.array(list(PALETTE.values())[rng.integers(len(PALETTE))], float)
        return tuple(np.clip(base + rng.normal(0, 14, 3), 0, 255))
    hsv = np.uint8([[[rng.integers(180), rng.integers(40, 256), rng.integers(50, 256)]]])
    return tuple(float(c) for c in cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0])


def _blob(rng, x, y, r):
    """An irregular outline that is none of the classes: long, or with an uneven rim."""
    n = int(rng.integers(5, 9))
    a = np.sort(rng.uniform(0, 2 * math.pi, n))
    rad = r * rng.uniform(0.35, 1.2, n)
    p = np.stack([np.cos(a) * rad, np.sin(a) * rad * rng.uniform(0.3, 0.8)], 1)
    t = rng.uniform(0, math.pi)
    c, s = math.cos(t), math.sin(t)
    return p @ np.array([[c, s], [-s, c]]) + [x, y]


def _bar(rng, x, y, length, thickness):
    t = rng.uniform(0, math.pi)
    d, n = np.array([math.cos(t), math.sin(t)]) * length / 2, np.array([-math.sin(t), math.cos(t)]) * thickness / 2
    c = np.array([x, y])
    return np.array([c - d - n, c + d - n, c + d + n, c - d + n])


def backdrop(rng, width, height, busy=None):
    """A background: soft colours, grain, stripes and clutter of things that are none of the classes."""
    busy = rng.uniform(0, 1) if busy is None else busy
    scale = min(width, height) / SIZE
    grid = rng.integers(2, 7, 2)
    base = np.float32([[_colour(rng) for _ in range(grid[0])] for _ in range(grid[1])])
    base = base * rng.uniform(0.3, 0.9) + rng.uniform(0, 255) * rng.uniform(0.1, 0.5)
    img = cv2.resize(base, (width, height), interpolation=cv2.INTER_CUBIC)
    for cell in (24, 6):
        g = rng.normal(0, rng.uniform(0, 16) * busy, (max(2, int(height / scale) // cell), max(2, int(width / scale) // cell), 3))
        img += cv2.resize(g.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.3:  # stripes
        t = rng.uniform(0, math.pi)
        y, x = np.mgrid[:height, :width].astype(np.float32)
        wave = np.sin((x * math.cos(t) + y * math.sin(t)) * (2 * math.pi / (rng.uniform(6, 40) * scale)))
        img += (wave if rng.random() < 0.5 else np.sign(wave))[:, :, None] * rng.uniform(5, 25)
    img = np.clip(img, 0, 255).astype(np.uint8)
    for _ in range(int(4 + 40 * busy * width * height / (max(width, height) ** 2))):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        r = math.exp(rng.uniform(math.log(5), math.log(70))) * scale
        here = img[min(height - 1, int(y)), min(width - 1, int(x))].astype(float)
        mix = rng.uniform(0.15, 1.0)
        colour = [float(c) for c in np.clip(here * (1 - mix) + np.array(_colour(rng)) * mix, 0, 255)]
        thick = int(rng.integers(1, max(2, int(4 * scale) + 1)))
        what = rng.integers(7)
        if what == 0:
            cv2.fillPoly(img, [np.round(_blob(rng, x, y, r) * 16).astype(np.int32)], colour, cv2.LINE_AA, 4)
        elif what == 1:
            bar = _bar(rng, x, y, 2.5 * r, r * rng.uniform(0.15, 0.7))
            cv2.fillPoly(img, [np.round(bar * 16).astype(np.int32)], colour, cv2.LINE_AA, 4)
        elif what == 2:
            cv2.ellipse(img, ((x, y), (2 * r, r * rng.uniform(0.3, 0.9)), rng.uniform(0, 180)), colour, -1, cv2.LINE_AA)
        elif what == 3:
            a = rng.uniform(0, 360)
            cv2.ellipse(img, (int(x), int(y)), (int(r), int(r)), 0, a, a + rng.uniform(40, 200), colour, thick, cv2.LINE_AA)
        elif what == 4:
            p = np.array([x, y]) + np.cumsum(rng.normal(0, r * 0.7, (int(rng.integers(2, 7)), 2)), 0)
            cv2.polylines(img, [np.round(p * 16).astype(np.int32)], False, colour, thick, cv2.LINE_AA, 4)
        elif what == 5:
            text = "".join(chr(rng.integers(65, 91)) for _ in range(rng.integers(2, 8)))
            cv2.putText(img, text, (int(x), int(y)), int(rng.integers(0, 5)), r / 40, colour, thick, cv2.LINE_AA)
        else:
            for i in range(int(rng.integers(3, 9))):
                dot = (int(x + i * r / 3), int(y + rng.normal(0, 2 * scale)))
                cv2.circle(img, dot, max(1, int(1.3 * scale)), colour, -1, cv2.LINE_AA)
    return img


def random_shape(rng, x, y, r, scale=1.0):
    second = None
    colour = _colour(rng)
    if rng.random() < 0.3:
        second = tuple(np.clip(np.array(colour) + rng.normal(0, 45, 3), 0, 255))
    edged = rng.random() < 0.3
    return Shape(
        kind=int(rng.integers(len(CLASSES))),
        x=x,
        y=y,
        r=r,
        angle=rng.uniform(0, 2 * math.pi) if rng.random() < 0.8 else 0.0,
        colour=colour,
        second=second,
        edge=_colour(rng) if edged else None,
        edge_width=min(r * 0.1, rng.uniform(1, 4) * scale) if edged else 0.0,
        squash=rng.uniform(0.87, 1.15),
        inner=rng.uniform(0, 1),
        opacity=rng.uniform(0.88, 1.0),
    )


def stands_out(canvas, shape, least=60, share=0.2):
    """Whether few pixels around the shape are of nearly its colour."""
    h, w = canvas.shape[:2]
    x1, y1, x2, y2 = (cut(shape.box(), w, h) + [-2, -2, 3, 3]).astype(int)
    around = canvas[max(0, y1) : y2, max(0, x1) : x2].reshape(-1, 3).astype(np.float32)
    if len(around) < 9:
        return False
    near = np.zeros(len(around), bool)
    for c in (shape.colour, shape.second):
        if c is not None:
            near |= np.linalg.norm(around - np.float32(c), axis=1) < least
    return float(near.mean()) <= share


def apart(box, others, most=0.15):
    """Whether a box overlaps none of the others by more than `most` of the smaller one."""
    area = lambda b: (b[2] - b[0]) * (b[3] - b[1])
    for o in others:
        w, h = min(box[2], o[2]) - max(box[0], o[0]), min(box[3], o[3]) - max(box[1], o[1])
        if w > 0 and h > 0 and w * h > most * min(area(box), area(o)):
            return False
    return True


def arrange(rng, canvas, count, smallest, largest, scale=1.0, border=True):
    """Places `count` shapes at most: none like its ground, none far over another, all at least LEAST_VISIBLE."""
    h, w = canvas.shape[:2]
    shapes, seen, full = [], [], []
    ids = np.zeros((h, w), np.int16)
    for _ in range(count * 4):
        if len(shapes) == count:
            break
        r = math.exp(rng.uniform(math.log(smallest), math.log(largest))) / 2
        edge = r * (0.3 if border and rng.random() < 0.3 else 1.05)
        if 2 * edge >= min(w, h):
            continue
        s = random_shape(rng, rng.uniform(edge, w - edge), rng.uniform(edge, h - edge), r, scale)
        if not apart(s.box(), [o.box() for o in shapes]) or not stands_out(canvas, s):
            continue
        where, mask = footprint(s, w, h)
        own, area = int(mask.sum()), s.area()
        if own < LEAST_VISIBLE * area:
            continue
        covered = np.bincount(ids[where][mask], minlength=len(shapes) + 1)[1:]
        if any(n - c < LEAST_VISIBLE * f for n, c, f in zip(seen, covered, full)):
            continue
        seen = [n - c for n, c in zip(seen, covered)] + [own]
        full.append(area)
        shapes.append(s)
        ids[where][mask] = len(shapes)
    return shapes, ids, seen, full


def occluders(rng, ids, seen, full, count, scale=1.0):
    """Blobs and bars above the shapes that leave all of them at least LEAST_VISIBLE."""
    h, w = ids.shape
    out = []
    for _ in range(count):
        x, y = rng.uniform(0, w), rng.uniform(0, h)
        r = math.exp(rng.uniform(math.log(6), math.log(40))) * scale
        p = _blob(rng, x, y, r) if rng.random() < 0.5 else _bar(rng, x, y, r * 4, r * rng.uniform(0.2, 0.6))
        m = np.zeros((h, w), np.uint8)
        cv2.fillPoly(m, [np.round(p).astype(np.int32)], 1)
        covered = np.bincount(ids[m > 0], minlength=len(seen) + 1)[1:]
        if any(n - c < LEAST_VISIBLE * f for n, c, f in zip(seen, covered, full)):
            continue
        seen = [n - c for n, c in zip(seen, covered)]
        ids[m > 0] = 0
        out.append({"points": p, "colour": _colour(rng)})
    return out


def paint_occluder(canvas, o):
    cv2.fillPoly(canvas, [np.round(o["points"] * 16).astype(np.int32)], [float(c) for c in o["colour"]], cv2.LINE_AA, 4)


def wear(rng, img):
    """What a camera and a JPEG do: blur, light, noise, compression."""
    if rng.random() < 0.4:
        img = cv2.GaussianBlur(img, (0, 0), rng.uniform(0.4, 1.1))
    x = img.astype(np.float32)
    if rng.random() < 0.5:
        x = (x - 128) * rng.uniform(0.7, 1.15) + 128 + rng.uniform(-25, 25)
    if rng.random() < 0.6:
        x += rng.normal(0, rng.uniform(1, 11), img.shape)
    img = np.clip(x, 0, 255).astype(np.uint8)
    if rng.random() < 0.75:
        ok, data = cv2.imencode(".jpg", img[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 93))])
        img = cv2.imdecode(data, cv2.IMREAD_COLOR)[:, :, ::-1] if ok else img
    return img


def letterbox(img, size=SIZE):
    """Scales to fit a square and centres on grey: (picture, scale, left, top)."""
    h, w = img.shape[:2]
    s = min(size / w, size / h)
    nw, nh = max(1, round(w * s)), max(1, round(h * s))
    if (nw, nh) != (w, h):
        img = cv2.resize(img, (nw, nh), interpolation=cv2.INTER_AREA if s < 1 else cv2.INTER_LINEAR)
    left, top = (size - nw) // 2, (size - nh) // 2
    out = np.full((size, size, 3), GREY, np.uint8)
    out[top : top + nh, left : left + nw] = img
    return out, s, left, top


def still(seed):
    """One picture: uint8 RGB 320 x 320 and rows of class, x1, y1, x2, y2, visible."""
    rng = np.random.default_rng([20260, seed])
    w = h = SIZE
    if rng.random() < 0.55:
        side = int(SIZE / rng.choice([16 / 9, 16 / 9, 4 / 3, 3 / 2, 2.2]))
        w, h = (SIZE, side) if rng.random() < 0.7 else (side, SIZE)
    img = backdrop(rng, w, h)
    dense = rng.random() < 0.75
    count = int(rng.integers(3, 13)) if dense else int(rng.integers(0, 4))
    shapes, ids, seen, full = arrange(rng, img, count, 18, min(w, h) * (0.45 if dense else 0.85))
    for s in shapes:
        if rng.random() < 0.35:
            a, d = rng.uniform(0, 2 * math.pi), rng.uniform(0.05, 0.35) * s.r
            s.blur = (d * math.cos(a), d * math.sin(a))
        paint(img, s)
    for o in occluders(rng, ids, seen, full, int(rng.integers(0, 5))):
        paint_occluder(img, o)
    seen = np.bincount(ids.ravel(), minlength=len(shapes) + 1)[1:]
    img, _, left, top = letterbox(wear(rng, img))
    rows = [[s.kind, *(cut(s.box(), w, h) + [left, top, left, top]), n / f] for s, n, f in zip(shapes, seen, full)]
    return img, np.array(rows, np.float32).reshape(-1, 6)


def coded_frames(seed, scenes, width=640, height=360, per_scene=9, keep=(2, 5, 8)):
    """Frames of moving scenes that went through x264 and were scaled down and letterboxed, with their rows."""
    rng = np.random.default_rng([20261, seed])
    raw, truth = [], []
    k = min(width, height) / SIZE
    for _ in range(scenes):
        ground = backdrop(rng, width, height)
        shapes, *_ = arrange(rng, ground, int(rng.integers(2, 10)), 20 * k, 130 * k, k)
        moves = [(rng.normal(0, 5), rng.normal(0, 3), rng.normal(0, 0.04), 1 + rng.normal(0, 0.008)) for _ in shapes]
        grain = rng.uniform(0, 5)
        for t in range(per_scene):
            img = ground.copy()
            for s, (dx, dy, turn, grow) in zip(shapes, moves):
                s.x, s.y, s.angle, s.r, s.blur = s.x + dx, s.y + dy, s.angle + turn, s.r * grow, (dx / 2, dy / 2)
                paint(img, s)
            if grain > 2.5:
                img = np.clip(img + rng.normal(0, grain, img.shape), 0, 255).astype(np.uint8)
            raw.append(img)
            if t in keep:
                seen = visibility(shapes, width, height)
                truth.append([[s.kind, *cut(s.box(), width, height), v] for s, v in zip(shapes, seen) if v > 0.02])
    crf = str(int(rng.integers(22, 34)))
    size = f"{width}x{height}"
    enc = ["ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-r", "30", "-i", "-"]
    enc += ["-c:v", "libx264", "-preset", "veryfast", "-threads", "1", "-crf", crf, "-pix_fmt", "yuv420p", "-f", "h264", "-"]
    coded = subprocess.run(enc, input=b"".join(f.tobytes() for f in raw), stdout=subprocess.PIPE, check=True).stdout
    dec = ["ffmpeg", "-v", "error", "-threads", "1", "-f", "h264", "-i", "-", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    back = subprocess.run(dec, input=coded, stdout=subprocess.PIPE, check=True).stdout
    frames = np.frombuffer(back, np.uint8).reshape(-1, height, width, 3)
    assert len(frames) == len(raw)
    kept = [f for i, f in enumerate(frames) if i % per_scene in keep]
    for f, rows in zip(kept, truth):
        img, s, left, top = letterbox(f)
        rows = np.array(rows, np.float32).reshape(-1, 6)
        rows[:, 1:5] = rows[:, 1:5] * s + [left, top, left, top]
        yield img, rows
