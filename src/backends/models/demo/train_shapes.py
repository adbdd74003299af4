"""Trains the built-in demo detector and writes shapes.onnx and train_shapes.log beside this file.

    python train_shapes.py --work /tmp/shapes            # everything: renders, training, export, test

Plain PyTorch on the CPU. Two processes of one thread each share the work and average their gradients. The network is an
anchor-free detector of our own whose output has the layout many YOLO tools read: [1, 4 + classes, cells], box centre
and size in input pixels, then a score from 0 to 1 for each class.

Needs: torch==2.15.0 numpy==2.4.6 opencv-python-headless==5.0.0.93 onnx==1.23.2 onnxscript==0.7.2 onnxruntime==1.32.0,
and the ffmpeg program with libx264 for the renders that go through a video codec.
"""

import argparse
import copy
import math
import os
import platform
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import torch.nn as nn
import torch.nn.functional as F

import scenes
from scenes import CLASSES, LEAST_VISIBLE, SIZE

HERE = Path(__file__).parent
NC = len(CLASSES)
STRIDES = (8, 16, 32)
REACH = ((0, 60), (44, 132), (100, 1e9))  # longest side of the boxes a level learns
CROP = 224
MOST = 24  # rows a picture
WORKERS = 2
ADVISED, SURE = 0.25, 0.95  # see calibrate()
TEST_SEED = 5_000_000  # test renders; validation and training seeds lie below
VAL_SEED = 4_000_000


# ---- data


def _render_part(rank, work, stills, coded, seed):
    """Fills this worker's share of the bank: stills first, frames from x264 behind them."""
    torch.set_num_threads(1)
    total = stills + coded
    pics = np.memmap(work / "bank.u8", np.uint8, "r+", shape=(total, SIZE, SIZE, 3))
    rows = np.memmap(work / "rows.f32", np.float32, "r+", shape=(total, MOST, 6))
    for i in range(rank, stills, WORKERS):
        img, r = scenes.still(seed * 1_000_000 + i)
        pics[i], rows[i, : len(r)] = img, r[:MOST]
    i, n = stills + rank, 0
    while i < total:
        for img, r in scenes.coded_frames((seed * 1000 + rank) * 10_000 + n, 12):
            if i < total:
                pics[i], rows[i, : len(r)] = img, r[:MOST]
                i += WORKERS
        n += 1


def bank(work, stills, coded, seed):
    total = stills + coded
    stamp = work / f"bank-{stills}-{coded}-{seed}"
    if not stamp.exists():
        work.mkdir(parents=True, exist_ok=True)
        np.memmap(work / "bank.u8", np.uint8, "w+", shape=(total, SIZE, SIZE, 3)).flush()
        fill = np.memmap(work / "rows.f32", np.float32, "w+", shape=(total, MOST, 6))
        fill[:] = -1
        fill.flush()
        mp.spawn(_render_part, (work, stills, coded, seed), WORKERS)
        stamp.touch()
    return (
        np.memmap(work / "bank.u8", np.uint8, "r", shape=(total, SIZE, SIZE, 3)),
        np.memmap(work / "rows.f32", np.float32, "r", shape=(total, MOST, 6)),
    )


def vary(rng, img, rows):
    """Flips, transpose, colour channels, light: cheap and exact for the boxes."""
    n = img.shape[0]
    rows = rows.copy()
    if rng.random() < 0.5:
        img = img[:, ::-1]
        rows[:, [1, 3]] = n - rows[:, [3, 1]]
    if rng.random() < 0.5:
        img = img[::-1]
        rows[:, [2, 4]] = n - rows[:, [4, 2]]
    if rng.random() < 0.5:
        img = img.transpose(1, 0, 2)
        rows[:, 1:5] = rows[:, [2, 1, 4, 3]]
    if rng.random() < 0.5:
        img = img[:, :, rng.permutation(3)]
    table = np.arange(256, dtype=np.float32)
    if rng.random() < 0.5:
        table = (table - 128) * rng.uniform(0.6, 1.3) + 128 + rng.uniform(-25, 25)
    return np.clip(table, 0, 255).astype(np.uint8)[img], rows


def crop(rng, img, rows):
    """A 224 px window; what it cuts below LEAST_VISIBLE becomes class -2: neither right nor wrong."""
    x, y = rng.integers(0, SIZE - CROP + 1, 2)
    box = rows[:, 1:5] - [x, y, x, y]
    inside = np.clip(box, 0, CROP)
    share = ((inside[:, 2] - inside[:, 0]) * (inside[:, 3] - inside[:, 1])) / np.maximum(
        1e-6, (box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1])
    )
    out = np.concatenate([rows[:, :1], inside, rows[:, 5:6] * share[:, None]], 1)
    out[(share * rows[:, 5] < LEAST_VISIBLE), 0] = -2
    return img[y : y + CROP, x : x + CROP], out[share > 0.01]


def batch(rng, pics, rows, size, full):
    side = SIZE if full else CROP
    x = np.empty((size, side, side, 3), np.uint8)
    t = np.full((size, MOST, 5), -1, np.float32)
    for b in range(size):
        i = int(rng.integers(len(pics)))
        img, r = pics[i], rows[i]
        r = r[r[:, 0] >= 0].copy()
        r[r[:, 5] < LEAST_VISIBLE * 0.99, 0] = -2
        if not full and b % 2 == 0:
            img, r = crop(rng, img, r)
        elif not full:
            img = scenes.cv2.resize(img, (CROP, CROP), interpolation=scenes.cv2.INTER_AREA)
            r[:, 1:5] *= CROP / SIZE
        x[b], r = vary(rng, np.asarray(img), r)
        t[b, : len(r)] = r[:, :5]
    return torch.from_numpy(x).permute(0, 3, 1, 2).float().div_(255), torch.from_numpy(t)


# ---- network


class Conv(nn.Module):
    def __init__(self, i, o, k=3, s=1, p=None):
        super().__init__()
        self.conv = nn.Conv2d(i, o, k, s, k // 2 if p is None else p, bias=False)
        self.norm = nn.BatchNorm2d(o)

    def forward(self, x):
        return F.silu(self.norm(self.conv(x)))


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.a, self.b = Conv(c, c // 2), Conv(c // 2, c)

    def forward(self, x):
        return x + self.b(self.a(x))


class Shapes(nn.Module):
    """A thin backbone, a top-down pyramid, and one head whose convolutions all levels share."""

    def __init__(self, widths=(24, 48, 72, 96), neck=48):
        super().__init__()
        self.stem = nn.Sequential(Conv(3, widths[0], 6, 4, 1), Block(widths[0]))
        self.down = nn.ModuleList(nn.Sequential(Conv(a, b, 3, 2), Block(b)) for a, b in zip(widths, widths[1:]))
        self.side = nn.ModuleList(nn.Conv2d(c, neck, 1) for c in widths[1:])
        self.head = nn.ModuleList(nn.Conv2d(neck, neck, 3, 1, 1, bias=False) for _ in range(2))
        self.norm = nn.ModuleList(nn.ModuleList(nn.BatchNorm2d(neck) for _ in range(2)) for _ in STRIDES)
        self.out = nn.Conv2d(neck, 4 + NC, 1)
        nn.init.zeros_(self.out.weight[:4])
        nn.init.constant_(self.out.bias[:4], 0.5)
        nn.init.constant_(self.out.bias[4:], -4.5)

    def forward(self, x):
        """[batch, cells, 4 + classes]: logarithm of the four distances in strides, class logits."""
        x = self.stem(x)
        feats = []
        for d in self.down:
            x = d(x)
            feats.append(x)
        up, out = None, []
        for i in (2, 1, 0):
            up = self.side[i](feats[i]) + (0 if up is None else F.interpolate(up, scale_factor=2.0, mode="nearest"))
            y = up
            for conv, norm in zip(self.head, self.norm[i]):
                y = F.silu(norm(conv(y)))
            y = self.out(y)
            out.insert(0, y.flatten(2))
        return torch.cat(out, 2)


def grid(side):
    """Centre x, centre y and stride of every cell, in the order of the output."""
    rows = [(((i % (side // s)) + 0.5) * s, ((i // (side // s)) + 0.5) * s, s) for s in STRIDES for i in range((side // s) ** 2)]
    return torch.tensor(rows, dtype=torch.float32).T.contiguous()


def boxes(raw, g):
    """Corners from log distances: [batch, 4, cells]."""
    d = raw[:, :4].float().clamp(max=6).exp() * g[2]
    return torch.stack([g[0] - d[:, 0], g[1] - d[:, 1], g[0] + d[:, 2], g[1] + d[:, 3]], 1)


class Deployed(nn.Module):
    """What is exported: batch norms folded, boxes and scores decoded, everything of a fixed size."""

    def __init__(self, net, shift=0.0):
        super().__init__()
        net = copy.deepcopy(net).eval()
        self.net = net
        fold = torch.nn.utils.fusion.fuse_conv_bn_eval
        for m in net.modules():
            if isinstance(m, Conv):
                m.conv, m.norm = fold(m.conv, m.norm), nn.Identity()
        self.heads = nn.ModuleList(nn.ModuleList(fold(c, n) for c, n in zip(net.head, level)) for level in net.norm)
        with torch.no_grad():
            net.out.bias[4:] -= shift
        g = grid(SIZE)
        self.register_buffer("centre", g[:2].reshape(1, 2, -1).clone())
        self.register_buffer("stride", g[2].reshape(1, 1, -1).clone())

    def forward(self, images):
        net = self.net
        x = net.stem(images)
        feats = []
        for d in net.down:
            x = d(x)
            feats.append(x)
        up, out = None, []
        for i, s in ((2, 32), (1, 16), (0, 8)):
            y = net.side[i](feats[i])
            up = y if up is None else y + F.interpolate(up, scale_factor=2.0, mode="nearest")
            y = up
            for conv in self.heads[i]:
                y = F.silu(conv(y))
            out.insert(0, net.out(y).reshape(1, 4 + NC, (SIZE // s) ** 2))
        y = torch.cat(out, 2)
        d = torch.exp(y[:, :4]) * self.stride
        lt, rb = d[:, :2], d[:, 2:]
        return torch.cat([self.centre + (rb - lt) * 0.5, lt + rb, torch.sigmoid(y[:, 4:])], 1)


# ---- learning


def assign(t, g):
    """For every cell the row of its box, or -1; and whether an ignored box lies there."""
    box, kind = t[:, :, 1:5], t[:, :, 0]
    cx, cy, s = g
    inside = (cx > box[..., 0:1]) & (cx < box[..., 2:3]) & (cy > box[..., 1:2]) & (cy < box[..., 3:4])  # [B, rows, cells]
    ignored = (inside & (kind == -2)[..., None]).any(1)
    mx, my = (box[..., 0:1] + box[..., 2:3]) / 2, (box[..., 1:2] + box[..., 3:4]) / 2
    near = ((cx - mx).abs() < 1.5 * s) & ((cy - my).abs() < 1.5 * s)
    w, h = box[..., 2:3] - box[..., 0:1], box[..., 3:4] - box[..., 1:2]
    longest = torch.maximum(w, h)
    low, high = torch.zeros_like(s), torch.zeros_like(s)
    for stride, (a, b) in zip(STRIDES, REACH):
        low[s == stride], high[s == stride] = a, b
    ok = inside & near & (longest >= low) & (longest <= high) & (kind >= 0)[..., None]
    area = torch.where(ok, (w * h).expand_as(ok), torch.inf)
    least, row = area.min(1)
    return torch.where(torch.isinf(least), -1, row), ignored


def giou(a, b):
    iw = (torch.minimum(a[:, 2], b[:, 2]) - torch.maximum(a[:, 0], b[:, 0])).clamp(min=0)
    ih = (torch.minimum(a[:, 3], b[:, 3]) - torch.maximum(a[:, 1], b[:, 1])).clamp(min=0)
    inter = iw * ih
    union = (a[:, 2] - a[:, 0]) * (a[:, 3] - a[:, 1]) + (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1]) - inter + 1e-6
    hull = (torch.maximum(a[:, 2], b[:, 2]) - torch.minimum(a[:, 0], b[:, 0])) * (
        torch.maximum(a[:, 3], b[:, 3]) - torch.minimum(a[:, 1], b[:, 1])
    ) + 1e-6
    iou = inter / union
    return iou, iou - (hull - union) / hull


def loss(raw, t, g, progress):
    raw = raw.float()
    row, ignored = assign(t, g)
    b, c = torch.nonzero(row >= 0, as_tuple=True)
    target = torch.zeros_like(raw[:, 4:])
    weight = torch.where(ignored & (row < 0), 0.0, 1.0)[:, None]
    n = max(1, len(b))
    l_box = l_kind = raw.sum() * 0
    if len(b):
        want = t[b, row[b, c]]
        kind = want[:, 0].long()
        iou, gi = giou(boxes(raw, g)[b, :, c], want[:, 1:5])
        l_box = (1 - gi).sum() / n
        soft = min(1.0, max(0.0, (progress - 0.15) / 0.25))  # from 1 to the overlap
        target[b, kind, c] = 1 - soft + soft * iou.detach().clamp(0, 1)
        l_kind = F.cross_entropy(raw[b, 4:, c], kind, reduction="sum") / n
    l_bce = (F.binary_cross_entropy_with_logits(raw[:, 4:], target, reduction="none") * weight).sum() / n
    return 2 * l_box + l_bce + l_kind, (float(l_box.detach()), float(l_bce.detach()), float(l_kind.detach()))


# ---- judging


def nms(box, score, kind, iou):
    """Class by class; returns kept indices, best first."""
    order, keep = np.argsort(-score, kind="stable"), []
    off = box + kind[:, None] * 4096.0
    area = (box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1])
    while len(order):
        i, rest = order[0], order[1:]
        keep.append(i)
        w = np.minimum(off[i, 2], off[rest, 2]) - np.maximum(off[i, 0], off[rest, 0])
        h = np.minimum(off[i, 3], off[rest, 3]) - np.maximum(off[i, 1], off[rest, 1])
        inter = np.clip(w, 0, None) * np.clip(h, 0, None)
        order = rest[inter <= iou * (area[i] + area[rest] - inter)]
    return keep


def decode(out, conf, iou=0.5):
    """Detections of one output [4 + classes, cells]: rows of x1, y1, x2, y2, score, class."""
    score, kind = out[4:].max(0), out[4:].argmax(0)
    at = np.nonzero(score >= conf)[0]
    x, y, w, h = out[:4, at]
    box = np.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], 1)
    keep = nms(box, score[at], kind[at], iou)
    return np.concatenate([box, score[at, None], kind[at, None]], 1)[keep]


def overlap(a, b):
    w = np.minimum(a[:, None, 2], b[None, :, 2]) - np.maximum(a[:, None, 0], b[None, :, 0])
    h = np.minimum(a[:, None, 3], b[None, :, 3]) - np.maximum(a[:, None, 1], b[None, :, 1])
    inter = np.clip(w, 0, None) * np.clip(h, 0, None)
    size = lambda v: (v[:, 2] - v[:, 0]) * (v[:, 3] - v[:, 1])
    return inter / (size(a)[:, None] + size(b)[None] - inter + 1e-9)


def judge(found, truth):
    """AP50 by class, and precision and recall at thresholds. found: decode() rows a picture; truth: class, x1..y2."""
    ap, hits = [], []
    for k in range(NC):
        marks, n = [], 0
        for f, t in zip(found, truth):
            f, t = f[f[:, 5] == k], t[t[:, 0] == k]
            n += len(t)
            used = np.zeros(len(t), bool)
            m = overlap(f[:, :4], t[:, 1:5])
            for i in np.argsort(-f[:, 4], kind="stable"):
                free = np.where(used, -1, m[i]) if len(t) else np.array([-1.0])
                j = int(free.argmax())
                ok = free[j] >= 0.5
                if ok:
                    used[j] = True
                marks.append((f[i, 4], ok))
        marks = np.array(sorted(marks, reverse=True), float).reshape(-1, 2)
        right = np.cumsum(marks[:, 1])
        recall, precision = right / max(1, n), right / np.arange(1, len(marks) + 1)
        precision = np.maximum.accumulate(precision[::-1])[::-1]
        at = np.searchsorted(recall, np.linspace(0, 1, 101))
        ap.append(float(np.mean([precision[i] if i < len(precision) else 0.0 for i in at])))
        hits.append((marks, n))

    def at_conf(conf):
        right = sum(int(m[m[:, 0] >= conf, 1].sum()) for m, _ in hits)
        said, there = sum(int((m[:, 0] >= conf).sum()) for m, _ in hits), sum(n for _, n in hits)
        return right / max(1, said), right / max(1, there)

    return ap, at_conf


def tell(say, title, found, truth, sweep=False):
    ap, at_conf = judge(found, truth)
    say(f"{title}: mAP50 {np.mean(ap):.4f}  " + "  ".join(f"{c} {a:.3f}" for c, a in zip(CLASSES, ap)))
    if sweep:
        for conf in (0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6):
            p, r = at_conf(conf)
            say(f"  confidence {conf:.2f}: P {p:.3f} R {r:.3f} F1 {2 * p * r / (p + r + 1e-9):.3f}")
    return float(np.mean(ap))


def try_net(net, samples):
    net.eval()
    g, found = grid(SIZE), []
    with torch.inference_mode():
        for i in range(0, len(samples), 20):
            x = torch.from_numpy(np.stack([s[0] for s in samples[i : i + 20]])).permute(0, 3, 1, 2).float() / 255
            raw = net(x.contiguous(memory_format=torch.channels_last))
            b, s = boxes(raw, g), raw[:, 4:].sigmoid()
            cwh = torch.stack([(b[:, 0] + b[:, 2]) / 2, (b[:, 1] + b[:, 3]) / 2, b[:, 2] - b[:, 0], b[:, 3] - b[:, 1]], 1)
            found += [decode(o, 0.01) for o in torch.cat([cwh, s], 1).numpy()]
    net.train()
    return found


# ---- the run


def train(rank, a, begun):
    torch.set_num_threads(1)
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(a.port))
    dist.init_process_group("gloo", rank=rank, world_size=WORKERS)
    log = open(a.log, "a") if rank == 0 else None

    def say(text):
        if log:
            print(text, flush=True)
            print(text, file=log, flush=True)

    total = a.stills + a.coded
    pics = np.memmap(a.work / "bank.u8", np.uint8, "r", shape=(total, SIZE, SIZE, 3))
    rows = np.memmap(a.work / "rows.f32", np.float32, "r", shape=(total, MOST, 6))
    torch.manual_seed(a.seed)
    rng = np.random.default_rng([a.seed, rank])
    net = Shapes().to(memory_format=torch.channels_last)
    params = [p for p in net.parameters()]
    say(f"parameters {sum(p.numel() for p in params)}")
    decayed = [p for p in params if p.ndim == 4]
    plain = [p for p in params if p.ndim != 4]
    opt = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.02}, {"params": plain, "weight_decay": 0.0}], lr=a.rate)
    ema = copy.deepcopy(net).eval()
    val = [scenes.still(VAL_SEED + i) for i in range(100)] if rank == 0 else []
    val_truth = [r for _, r in val]
    grids = {side: grid(side) for side in (CROP, SIZE)}
    sums, marked = np.zeros(3), 0
    for step in range(a.steps):
        progress = step / a.steps
        rate = a.rate * min(1, (step + 1) / a.warm) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))
        for group in opt.param_groups:
            group["lr"] = rate
        full = progress >= 0.88
        x, t = batch(rng, pics, rows, a.batch, full)
        total_loss, parts = loss(net(x.contiguous(memory_format=torch.channels_last)), t, grids[SIZE if full else CROP], progress)
        opt.zero_grad(set_to_none=False)
        total_loss.backward()
        flat = torch.cat([p.grad.reshape(-1) for p in params])
        dist.all_reduce(flat)
        flat /= WORKERS
        norm = float(flat.norm())
        if norm > 10:
            flat *= 10 / norm
        at = 0
        for p in params:
            p.grad.copy_(flat[at : at + p.numel()].view_as(p))
            at += p.numel()
        opt.step()
        with torch.no_grad():
            keep = min(0.998, (1 + step) / (10 + step))
            for e, p in zip(ema.state_dict().values(), net.state_dict().values()):
                if e.dtype.is_floating_point:
                    e.mul_(keep).add_(p, alpha=1 - keep)
                else:
                    e.copy_(p)
        sums, marked = sums + parts, marked + 1
        if (step + 1) % a.every == 0 or step + 1 == a.steps:
            s = sums / marked
            sums, marked = np.zeros(3), 0
            cpu = time.process_time()
            say(
                f"step {step + 1}/{a.steps} rate {rate:.2e} box {s[0]:.3f} score {s[1]:.3f} kind {s[2]:.3f} "
                f"cpu {cpu * WORKERS:.0f} s wall {time.time() - begun:.0f} s"
            )
            if rank == 0 and ((step + 1) % (a.every * 3) == 0 or step + 1 == a.steps):
                tell(say, "  100 validation renders", try_net(ema, val), val_truth)
            if rank == 0:
                torch.save(ema.state_dict(), a.work / "shapes.pt")
    dist.barrier()
    dist.destroy_process_group()


def calibrate(net, say):
    """What to take from the class logits so that ADVISED is the lowest confidence with precision SURE in validation.

    The order of the scores, and so the average precision, stays as it is.
    """
    val = [scenes.still(VAL_SEED + i) for i in range(200)]
    _, at_conf = judge(try_net(net, val), [r for _, r in val])
    conf = next((c for c in np.arange(0.05, 0.95, 0.01) if at_conf(c)[0] >= SURE), 0.5)
    logit = lambda p: math.log(p / (1 - p))
    shift = logit(conf) - logit(ADVISED)
    say(f"200 validation renders: precision {SURE} from confidence {conf:.2f}; class logits lowered by {shift:.3f}")
    return shift


def export(net, path, version, shift):
    import onnx

    model = Deployed(net, shift).eval()
    sample = torch.zeros(1, 3, SIZE, SIZE)
    torch.onnx.export(
        model, (sample,), str(path), input_names=["images"], output_names=["output0"], opset_version=17, dynamo=False, do_constant_folding=True
    )
    m = onnx.load(path)
    for i in m.graph.node:
        i.doc_string = ""
    m = onnx.shape_inference.infer_shapes(m)
    del m.metadata_props[:]
    facts = {
        "description": "vpipe demo detector of six flat shapes",
        "author": "vpipe",
        "version": version,
        "license": "MIT OR Apache-2.0",
        "task": "detect",
        "stride": "32",
        "batch": "1",
        "imgsz": f"[{SIZE}, {SIZE}]",
        "names": "{" + ", ".join(f"{i}: '{c}'" for i, c in enumerate(CLASSES)) + "}",
    }
    for k, v in facts.items():
        m.metadata_props.add(key=k, value=v)
    onnx.checker.check_model(m)
    onnx.save(m, path)


def test(path, say, count):
    """The exported file, run by onnxruntime one picture at a time, on renders no one trained on."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    run = lambda img: session.run(None, {"images": img.transpose(2, 0, 1)[None].astype(np.float32) / 255})[0][0]
    stills = [scenes.still(TEST_SEED + i) for i in range(count)]
    tell(say, f"{count} held-out renders", [decode(run(i), 0.01) for i, _ in stills], [r for _, r in stills], True)
    coded = list(scenes.coded_frames(TEST_SEED, 20))
    truth = [r[r[:, 5] >= LEAST_VISIBLE] for _, r in coded]
    tell(say, f"{len(coded)} held-out frames from x264", [decode(run(i), 0.01) for i, _ in coded], truth, True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--work", type=Path, required=True, help="folder for renders and checkpoints (2 GB)")
    p.add_argument("--out", type=Path, default=HERE / "shapes.onnx")
    p.add_argument("--log", type=Path, default=HERE / "train_shapes.log")
    p.add_argument("--stills", type=int, default=5000)
    p.add_argument("--coded", type=int, default=1200)
    p.add_argument("--steps", type=int, default=2000)
    p.add_argument("--batch", type=int, default=16, help="pictures a step and process")
    p.add_argument("--rate", type=float, default=4e-3)
    p.add_argument("--warm", type=int, default=200)
    p.add_argument("--every", type=int, default=100)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--port", type=int, default=29517)
    p.add_argument("--version", default="1.0.0")
    p.add_argument("--only-export", action="store_true", help="take the checkpoint in --work, export and test it")
    a = p.parse_args()
    begun = time.time()
    if not a.only_export:
        a.log.write_text("")

    def say(text):
        print(text, flush=True)
        with open(a.log, "a") as f:
            print(text, file=f)

    if not a.only_export:
        versions = f"python {platform.python_version()} torch {torch.__version__} numpy {np.__version__} opencv {scenes.cv2.__version__}"
        say(f"{versions}\nstills {a.stills} coded {a.coded} steps {a.steps} batch {WORKERS} x {a.batch} rate {a.rate} seed {a.seed}")
        bank(a.work, a.stills, a.coded, a.seed)
        say(f"renders ready, wall {time.time() - begun:.0f} s")
        mp.spawn(train, (a, begun), WORKERS)
    net = Shapes()
    net.load_state_dict(torch.load(a.work / "shapes.pt", map_location="cpu"))
    export(net, a.out, a.version, calibrate(net, say))
    say(f"exported {a.out.stat().st_size} bytes")
    test(a.out, say, 400)
    say(f"done, wall {time.time() - begun:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
