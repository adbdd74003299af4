"""Trains the built-in demo voice and writes its model folder and train_voice.log beside this file.

    python train_voice.py --work /tmp/voice            # everything: sound, training, export, test

A Whisper network (transformers' own class) of 1.5 million parameters that hears windows of 6 s, trained from nothing on
espeak-ng speech (phrases.py), for a given time on the clock: most of its products are in bfloat16, which a processor with AMX
does fast. Two helps during training, dropped afterwards: a head that reads phonemes off the encoder (CTC), and a loss that keeps
the decoder's attention near the place where a word must be.

Needs: torch==2.15.0 transformers==4.57.6 optimum-onnx==0.1.0 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6 scipy==1.17.1,
and the program espeak-ng.
"""

import argparse
import json
import math
import multiprocessing
import re
import subprocess
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from transformers import WhisperConfig
from transformers import WhisperFeatureExtractor
from transformers import WhisperForConditionalGeneration

import phrases

HERE = Path(__file__).parent
SECONDS = 6
FRAMES = SECONDS * 100
MELS = 80
TICKS = SECONDS * 50 + 1  # time tokens
GRID = 0.1  # s; times are taught on this grid, which is easier to learn
TRAIN, SEEN, HELD, CLEAN = 1, 2, 3, 4  # kinds of sound, and the first numbers of their seeds


# ---- tokens


def tokens():
    """{token: id}, merges: a byte-level BPE whose merges spell each word from its first letter on."""
    spelled = ["\u0120" + word for word in phrases.WORDS]
    vocab = {c: i for i, c in enumerate(sorted(set("".join(spelled))))}
    merges = []
    for size in range(2, max(map(len, spelled)) + 1):
        for word in spelled:
            if len(word) >= size and word[:size] not in vocab:
                merges.append((word[: size - 1], word[size - 1]))
                vocab[word[:size]] = len(vocab)
    return vocab, merges


VOCAB, MERGES = tokens()
NAMES = ["<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|translate|>", "<|transcribe|>", "<|startoflm|>"]
NAMES += ["<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]
SPECIAL = {name: len(VOCAB) + i for i, name in enumerate(NAMES)}
TIME = len(VOCAB) + len(SPECIAL)
TIMES = {f"<|{i * 0.02:.2f}|>": TIME + i for i in range(TICKS)}
COUNT = TIME + TICKS
EOT, SOT, EN, TRANSCRIBE = (SPECIAL[n] for n in ("<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|transcribe|>"))
NOSPEECH, NOTIMES = SPECIAL["<|nospeech|>"], SPECIAL["<|notimestamps|>"]


def phonemes():
    """{word: [phoneme id]}, ids from 1, as en-us speaks the words one by one."""
    said = {}
    for word in phrases.WORDS:
        command = ["espeak-ng", "-q", "-x", "-v", "en-us", word]
        said[word] = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    said = {w: re.findall(r"[A-Za-z0-9@][:#2]?", re.sub(r"[',_;|%=\s]", "", s)) for w, s in said.items()}
    symbols = sorted({p for s in said.values() for p in s})
    return {w: [symbols.index(p) + 1 for p in s] for w, s in said.items()}, len(symbols) + 1


# ---- sound


def extractor():
    return WhisperFeatureExtractor(feature_size=MELS, chunk_length=SECONDS, sampling_rate=phrases.RATE)


def _render(job):
    work, kind, seeds = job
    torch.set_num_threads(1)
    voices = phrases.HELD_OUT if kind in (HELD, CLEAN) else None
    fe, out = extractor(), []
    for seed in seeds:
        x, said = phrases.utterance([kind, seed], voices, SECONDS, work, test=kind != TRAIN, clean=kind == CLEAN)
        mel = fe(x, sampling_rate=phrases.RATE, return_tensors="np").input_features[0]
        # What follows the sound is silence of one value: only that value is kept.
        used = min(FRAMES, len(x) // 160 + 3)
        out.append((mel[:, :used].astype(np.float16), float(mel[:, -1].min()), said))
    return out


def bank(work, kind, count):
    """`count` utterances of a kind, rendered once in parts of 3000 and kept in `work`."""
    items = []
    for part in range(0, count, 3000):
        end = min(count, part + 3000)
        path = work / f"bank-{kind}-{part}-{end}.pt"
        if not path.exists():
            phrases.make_up_voices(work)
            jobs = [(work, kind, range(i, min(end, i + 50))) for i in range(part, end, 50)]
            with multiprocessing.Pool(2) as pool:
                torch.save([u for done in pool.imap(_render, jobs) for u in done], path)
        items += torch.load(path, weights_only=False)
    return items


HISS = np.random.default_rng(5).gamma(4, 0.25, (MELS, 8192)).astype(np.float32)


def between(x, at, axis):
    """`x` read at fractional places of an axis."""
    at = np.clip(at, 0, x.shape[axis] - 1)
    low = np.minimum(at.astype(int), x.shape[axis] - 2)
    part = (at - low).astype(np.float32)
    part = part[:, None] if axis == 0 else part[None]
    return np.take(x, low, axis) * (1 - part) + np.take(x, low + 1, axis) * part


def varied(rng, x, floor):
    """A mel as another throat, speed, microphone and place would have made it, its floor, and how much longer it became."""
    if rng.random() < 0.5:
        x = between(x, np.arange(MELS) * np.exp(rng.uniform(-0.1, 0.1)), 0)
    longer = 1.0
    if rng.random() < 0.5:
        longer = float(np.exp(rng.uniform(-0.2, 0.2)))
        longer = min(longer, (FRAMES - 2) / x.shape[1])
        x = between(x, np.arange(int(x.shape[1] * longer)) / longer, 1)
    x = x + np.interp(np.arange(MELS), [0, 27, 53, 79], rng.normal(0, 0.06, 4)).astype(np.float32)[:, None]
    if rng.random() < 0.4:
        # Powers add. What a mel holds is (log10(power) + 4) / 4, cut off 8 below its peak.
        power = 10 ** (4 * x - 4)
        shape = 10 ** np.interp(np.arange(MELS), [0, 27, 53, 79], rng.normal(0, 0.5, 4) - np.array([0, 1, 2, 3]) * rng.uniform(0, 0.5))
        at = int(rng.integers(0, HISS.shape[1] - x.shape[1]))
        hiss = HISS[:, at : at + x.shape[1]] * shape.astype(np.float32)[:, None]
        loud = power.mean() / hiss.mean() * 10 ** (-rng.uniform(8, 40) / 10)
        x = np.log10(power + hiss * loud) / 4 + 1
        floor = float(x.max()) - 2
        x = np.maximum(x, floor)
    for _ in range(int(rng.integers(0, 3))):
        at, w = rng.integers(0, MELS - 8), rng.integers(1, 9)
        x[at : at + w] = x.mean()
    for _ in range(int(rng.integers(0, 3))):
        at, w = rng.integers(0, max(1, x.shape[1] - 10)), rng.integers(1, 9)
        x[:, at : at + w] = x.mean()
    return x, floor, longer


def batch(rng, items, times, frames=None, vary=True):
    """Mels [b, 80, frames], decoder input, its targets (-100: not asked), word centres, all words."""
    sounds = [(mel.astype(np.float32), floor, 1.0) for mel, floor, _ in items]
    if vary:
        sounds = [varied(rng, mel, floor) for mel, floor, _ in sounds]
    frames = frames or max(x.shape[1] for x, _, _ in sounds) // 2 * 2 + 2 + (int(rng.integers(0, 10)) * 2 if vary else 0)
    frames = min(FRAMES, frames)
    mels = np.empty((len(items), MELS, frames), np.float32)
    rows, centres, words = [], [], []
    for b, ((x, floor, longer), (_, _, said)) in enumerate(zip(sounds, items)):
        n = min(frames, x.shape[1])
        mels[b, :, n:] = floor
        shift = int(rng.integers(0, max(1, min(frames - n, 30) + 1))) if said and vary else 0
        said = [(start * longer, end * longer, sentence) for start, end, sentence in said]
        mels[b, :, :shift] = floor
        mels[b, :, shift : shift + n] = x[:, : frames - shift]
        timed = bool(times if times is not None else rng.random() < 0.5)
        row, at = [SOT, EN, TRANSCRIBE] + [NOTIMES] * (not timed), []
        at += [-1] * len(row)
        tick = lambda t: TIME + min(TICKS - 1, round(round((t + shift / 100) / GRID) * GRID * 50))
        for start, end, sentence in said:
            row += [tick(start)] * timed
            at += [-1] * timed
            for i, word in enumerate(sentence):
                row.append(VOCAB["\u0120" + word])
                at.append((start + (i + 0.5) / len(sentence) * (end - start)) * 50 + shift / 2)
            row += [tick(end)] * timed
            at += [-1] * timed
        if not said:
            row, at = [SOT, NOSPEECH], [-1, -1]
        rows.append(row + [EOT])
        centres.append(at + [-1])
        words.append([w for _, _, s in said for w in s])
    longest = max(map(len, rows))
    inputs = torch.full((len(rows), longest - 1), EOT)
    targets = torch.full((len(rows), longest - 1), -100)
    middle = torch.full((len(rows), longest - 1), -1.0)
    for b, (row, at) in enumerate(zip(rows, centres)):
        inputs[b, : len(row) - 1] = torch.tensor(row[:-1])
        targets[b, : len(row) - 1] = torch.tensor(row[1:])
        targets[b, 1] = -100  # that a language is followed by the task is no news
        if NOTIMES in row:
            targets[b, 2] = -100
        middle[b, : len(row) - 1] = torch.tensor(at[1:])
    return torch.from_numpy(mels), inputs, targets, middle, words


# ---- network


def network(width, encoder_layers, decoder_layers):
    config = WhisperConfig(
        vocab_size=COUNT,
        num_mel_bins=MELS,
        d_model=width,
        encoder_layers=encoder_layers,
        decoder_layers=decoder_layers,
        encoder_attention_heads=width // 32,
        decoder_attention_heads=width // 32,
        encoder_ffn_dim=4 * width,
        decoder_ffn_dim=4 * width,
        max_source_positions=FRAMES // 2,
        max_target_positions=48,
        dropout=0.0,
        bos_token_id=EOT,
        eos_token_id=EOT,
        pad_token_id=EOT,
        decoder_start_token_id=SOT,
        suppress_tokens=None,
        begin_suppress_tokens=None,
        use_cache=True,
    )
    config._attn_implementation = "eager"
    torch.manual_seed(1)
    return WhisperForConditionalGeneration(config)


def attend(attention, x, memory=None):
    """Attention over `memory`, or over what came before (a decoder's own), or over all (`memory` is `x`), and its weights."""
    split = lambda y: y.unflatten(-1, (attention.num_heads, -1)).transpose(1, 2)
    source = x if memory is None else memory
    q, k, v = split(attention.q_proj(x)), split(attention.k_proj(source)), split(attention.v_proj(source))
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
    if memory is None:
        scores = scores + torch.full((x.shape[1],) * 2, -1e4, dtype=scores.dtype).triu(1)
    weights = scores.softmax(-1)
    return attention.out_proj((weights.to(v.dtype) @ v).transpose(1, 2).flatten(2)), weights


def encode(model, mels):
    """The encoder on windows that may be shorter than the full one, which its own code refuses; and several times as fast."""
    e = model.model.encoder
    x = F.gelu(e.conv1(mels))
    x = F.gelu(e.conv2(x)).transpose(1, 2)
    x = x + e.embed_positions.weight[: x.shape[1]]
    for layer in e.layers:
        y = layer.self_attn_layer_norm(x)
        x = x + attend(layer.self_attn, y, y)[0]
        x = x + layer.fc2(F.gelu(layer.fc1(layer.final_layer_norm(x))))
    return e.layer_norm(x)


def decode(model, ids, hidden):
    """The decoder's last states, and the weights of its looks at `hidden`."""
    d = model.model.decoder
    x = d.embed_tokens(ids) + d.embed_positions.weight[: ids.shape[1]]
    looks = []
    for layer in d.layers:
        x = x + attend(layer.self_attn, layer.self_attn_layer_norm(x))[0]
        y, weights = attend(layer.encoder_attn, layer.encoder_attn_layer_norm(x), hidden)
        x = x + y
        x = x + layer.fc2(F.gelu(layer.fc1(layer.final_layer_norm(x))))
        looks.append(weights)
    return d.layer_norm(x), looks


def losses(model, head, data, spelled):
    mels, inputs, targets, middle, words = data
    with torch.autocast("cpu", torch.bfloat16):
        hidden = encode(model, mels)
        states, looks = decode(model, inputs, hidden)
        logits, symbols = model.proj_out(states), head(hidden)
    words_loss = F.cross_entropy(logits.float().flatten(0, 1), targets.flatten(), ignore_index=-100, label_smoothing=0.03)

    text = [[p for w in s for p in spelled[w]] for s in words]
    log = F.log_softmax(symbols.float(), -1).transpose(0, 1)
    sizes = torch.tensor([len(t) for t in text])
    flat = torch.tensor([p for t in text for p in t] or [0])
    ctc = F.ctc_loss(log, flat, torch.full((len(text),), log.shape[0]), sizes, zero_infinity=True)

    # Attention further than about 0.4 s from a word's likely middle costs.
    place = torch.arange(hidden.shape[1])
    far = 1 - torch.exp(-(((place - middle[..., None]) / 18) ** 2))
    known = (middle >= 0).float()
    guided = 0.0
    for weights in looks:
        guided = guided + ((weights.float().mean(1) * far).sum(-1) * known).sum() / known.sum().clamp(min=1)
    return words_loss, ctc, guided / len(looks)


def wer_counts(said, heard):
    """Words wrong, missing and too many."""
    row = list(range(len(heard) + 1))
    for i, a in enumerate(said, 1):
        last, row[0] = row[0], i
        for j, b in enumerate(heard, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (a != b))
    return row[-1]


SPOKEN = {i: t[1:] for t, i in VOCAB.items() if t[1:] in phrases.WORDS}


@torch.no_grad()
def hear(model, mels, times):
    """Greedy decoding, one word list and [start, end] each; rules as in Whisper but for what cannot happen here."""
    hidden = encode(model, mels)
    rows = torch.tensor([[SOT, EN, TRANSCRIBE] + [NOTIMES] * (not times)] * len(mels))
    ended = torch.zeros(len(mels), dtype=torch.bool)
    for _ in range(24):
        logits = model.proj_out(decode(model, rows, hidden)[0][:, -1])
        logits[:, SOT : TIME] = -1e9
        if not times:
            logits[:, TIME:] = -1e9
        elif rows.shape[1] == 3:
            logits[:, :TIME] = -1e9
        best = torch.where(ended, EOT, logits.argmax(-1))
        ended |= best == EOT
        rows = torch.cat([rows, best[:, None]], 1)
        if ended.all():
            break
    words = [[SPOKEN[t] for t in row if t in SPOKEN] for row in rows.tolist()]
    ticks = [[(t - TIME) * 0.02 for t in row if t >= TIME] for row in rows.tolist()]
    return words, ticks


def score(model, items, times):
    model.eval()
    wrong = total = exact = 0
    off = []
    rng = np.random.default_rng(0)
    for i in range(0, len(items), 20):
        part = items[i : i + 20]
        mels, *_, words = batch(rng, part, times, FRAMES, vary=False)
        heard, ticks = hear(model, mels, times)
        for item, said, got, tick in zip(part, words, heard, ticks):
            n = wer_counts(said, got)
            wrong, total, exact = wrong + n, total + len(said), exact + (n == 0)
            if times and len(tick) == 2:
                off += [abs(tick[0] - item[2][0][0]), abs(tick[1] - item[2][-1][1])]
    model.train()
    text = f"WER {100 * wrong / total:.1f} % of {total} words, {100 * exact / len(items):.1f} % of sentences right"
    return wrong / total, text + (f", times on {len(off) / 2 / len(items):.3f}, off by {np.mean(off):.3f} s" if off else "")


def train(work, minutes, log, width, layers, count):
    data = bank(work, TRAIN, count)
    assert not any(phrases.held_out(words) for _, _, said in data for _, _, words in said)
    tests = {
        "other made-up and trained voices, rooms and noise": bank(work, SEEN, 300),
        "held-out voices, rooms and noise": bank(work, HELD, 300),
        "held-out voices, clean": bank(work, CLEAN, 300),
    }
    spelled, symbols = phonemes()
    model = network(width, *layers)
    head = nn.Linear(width, symbols)
    model.model.encoder.embed_positions.requires_grad_(False)
    parameters = [p for p in [*model.parameters(), *head.parameters()] if p.requires_grad]
    inner = [p for n, p in model.named_parameters() if p.ndim == 2 and p.requires_grad and "embed" not in n]
    outer = [p for p in parameters if not any(p is q for q in inner)]
    muon = torch.optim.Muon(inner, lr=3e-3, weight_decay=0.02, adjust_lr_fn="match_rms_adamw")
    adam = torch.optim.AdamW(outer, lr=2e-3, betas=(0.9, 0.98), weight_decay=0.0)
    peaks = [(muon, 3e-3), (adam, 2e-3)]
    log(f"{sum(p.numel() for p in model.parameters())} parameters, {len(data)} utterances, vocabulary {COUNT}, {minutes} min")
    rng = np.random.default_rng(7)
    order = np.argsort([m.shape[1] for m, _, _ in data], kind="stable")
    step, before = 0, 0.0
    point = work / "point.pt"
    if point.exists():
        saved = torch.load(point, weights_only=False)
        for part, state in zip((model, head, muon, adam), saved["states"]):
            part.load_state_dict(state)
        step, before, rng = saved["step"], saved["clock"], saved["rng"]
        log(f"on from step {step}")
    sums, size, since, begun, cpu = np.zeros(4), 40, time.time(), time.time(), time.process_time()
    while (p := (before + time.time() - begun) / (60 * minutes)) < 1:
        for optimizer, peak in peaks:
            for group in optimizer.param_groups:
                group["lr"] = peak * min(1, (step + 1) / 100) * (0.005 + 0.995 * 0.5 * (1 + math.cos(math.pi * p)))
        # Neighbours in length, short ones first; whole windows at times towards the end.
        reach = min(1.0, 0.4 + 2 * p)
        at = int(rng.integers(0, max(1, int(reach * len(data)) - 8 * size)))
        pick = order[at + rng.choice(8 * size, size, replace=False)]
        full = p > 0.6 and rng.random() < 0.15
        words, ctc, guided = losses(model, head, batch(rng, [data[i] for i in pick], None, FRAMES if full else None), spelled)
        loss = words + 0.5 * (1 - p) * ctc + 0.3 * max(0.0, 1 - p / 0.9) * guided
        for optimizer, _ in peaks:
            optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        for optimizer, _ in peaks:
            optimizer.step()
        step += 1
        sums += [float(words.detach()), float(ctc.detach()), float(guided.detach()), 1]
        if step % 50 == 0:
            used = time.process_time() - cpu
            values = " ".join(f"{n} {v:.3f}" for n, v in zip(("words", "phonemes", "attention"), sums / sums[3]))
            log(f"step {step} ({100 * p:.1f} %) {values} cpu {used:.0f} s wall {before + time.time() - begun:.0f} s")
            sums[:] = 0
        if time.time() - since > 400:
            since, clock = time.time(), before + time.time() - begun
            states = [x.state_dict() for x in (model, head, muon, adam)]
            torch.save({"states": states, "step": step, "clock": clock, "rng": rng}, point)
            log(f"  held-out voices, rooms and noise: {score(model, tests['held-out voices, rooms and noise'][:80], True)[1]}")
    torch.save(model.state_dict(), work / "trained.pt")
    for name, items in tests.items():
        for times in (True, False):
            log(f"{name}, {'with' if times else 'without'} times: {score(model, items, times)[1]}")


# ---- export


FILES = "config.json generation_config.json preprocessor_config.json tokenizer.json encoder_model.onnx decoder_model_merged.onnx"


def halve(path):
    """Stores the weights of an ONNX file in half precision, each with a cast back; what is computed stays float32."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load(path)
    casts = []
    for weight in model.graph.initializer:
        array = numpy_helper.to_array(weight)
        if array.dtype != np.float32 or array.size < 256:
            continue
        name = weight.name
        weight.CopyFrom(numpy_helper.from_array(array.astype(np.float16), name + "_half"))
        casts.append(onnx.helper.make_node("Cast", [name + "_half"], [name], to=onnx.TensorProto.FLOAT))
    nodes = casts + list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.save(model, path)


def tokenizer():
    entry = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    added = [{"id": i, "content": n, **entry, "special": n in SPECIAL} for n, i in (SPECIAL | TIMES).items()]
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    model = {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "", "end_of_word_suffix": ""}
    model |= {"fuse_unk": False, "byte_fallback": False, "ignore_merges": False, "vocab": VOCAB}
    model |= {"merges": [list(m) for m in MERGES]}
    whole = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None}
    return whole | {"pre_tokenizer": level, "post_processor": None, "decoder": level, "model": model}


def export(model, folder):
    """The model as Transformers and Optimum lay one out, in `folder`."""
    import tempfile

    from optimum.exporters.onnx import main_export
    from transformers import GenerationConfig

    prompts = [SOT, SPECIAL["<|translate|>"], TRANSCRIBE, SPECIAL["<|startoflm|>"], SPECIAL["<|startofprev|>"], NOSPEECH]
    generation = GenerationConfig(
        bos_token_id=EOT, eos_token_id=EOT, pad_token_id=EOT, decoder_start_token_id=SOT, is_multilingual=True,
        lang_to_id={"<|en|>": EN}, task_to_id={"transcribe": TRANSCRIBE}, no_timestamps_token_id=NOTIMES,
        prev_sot_token_id=SPECIAL["<|startofprev|>"], max_initial_timestamp_index=100, max_length=48,
        suppress_tokens=prompts + [EN] + [i for t, i in VOCAB.items() if i not in SPOKEN], begin_suppress_tokens=[EOT],
    )  # fmt: skip
    model.generation_config = generation
    model.eval()
    with tempfile.TemporaryDirectory() as checkpoint, tempfile.TemporaryDirectory() as made:
        model.save_pretrained(checkpoint)
        extractor().save_pretrained(made)
        main_export(
            checkpoint, made, task="automatic-speech-recognition-with-past", opset=18, do_validation=False, nb_max_frames=FRAMES
        )
        for name in FILES.split():
            path = Path(made) / name
            if name == "tokenizer.json":
                path.write_text(json.dumps(tokenizer(), ensure_ascii=False, separators=(",", ":")) + "\n")
            if name == "generation_config.json":
                # Read by vpipe: windows are to end at pauses.
                path.write_text(json.dumps(json.loads(path.read_text()) | {"single_utterances": True}) + "\n")
            if path.suffix == ".onnx":
                halve(path)
            (folder / name).write_bytes(path.read_bytes())
    return sum((folder / name).stat().st_size for name in FILES.split())


def hear_exported(folder, mels):
    """Greedy text by onnxruntime, with times, one window after the other."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    encoder, decoder = (onnxruntime.InferenceSession(folder / f, options) for f in FILES.split()[-2:])
    past = [i for i in decoder.get_inputs() if i.name.startswith("past")]
    for mel in mels:
        hidden = encoder.run(None, {"input_features": mel[None]})[0]
        cache = {i.name: np.zeros((1, i.shape[1], 1, i.shape[3]), np.float32) for i in past}
        row, ids, words = [], [SOT, EN, TRANSCRIBE], []
        while len(row) < 24:
            given = {"input_ids": np.array([ids]), "encoder_hidden_states": hidden, "use_cache_branch": np.array([bool(row)])}
            logits, *present = decoder.run(None, given | cache)
            for port, value in zip(past, present):
                if not row or ".decoder." in port.name:
                    cache[port.name] = value
            logits = logits[0, -1].copy()
            logits[SOT:TIME] = -1e9
            if not row:
                logits[:TIME] = -1e9
            ids = [int(logits.argmax())]
            row += ids
            if ids == [EOT]:
                break
        yield [SPOKEN[t] for t in row if t in SPOKEN]


def test_exported(work, folder, log):
    for name, kind in [("held-out voices, rooms and noise", HELD), ("held-out voices, clean", CLEAN)]:
        items = bank(work, kind, 300)
        mels, *_, words = batch(np.random.default_rng(0), items, True, FRAMES, vary=False)
        wrong = sum(wer_counts(said, got) for said, got in zip(words, hear_exported(folder, mels.numpy())))
        log(f"exported, {name}: WER {100 * wrong / sum(map(len, words)):.1f} %")


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--work", type=Path, required=True)
    args.add_argument("--minutes", type=float, default=75, help="how long to train, on the clock")
    args.add_argument("--utterances", type=int, default=15000)
    args.add_argument("--threads", type=int, default=1)
    args.add_argument("--width", type=int, default=128)
    args.add_argument("--layers", type=int, nargs=2, default=(4, 2))
    args.add_argument("--only-export", action="store_true")
    args.add_argument("--out", type=Path, default=HERE)
    args.add_argument("--log", type=Path, default=HERE / "train_voice.log")
    args = args.parse_args()
    torch.set_num_threads(args.threads)
    lines = open(args.log, "a")

    def log(text):
        print(text, flush=True)
        print(text, file=lines, flush=True)

    if not args.only_export:
        train(args.work, args.minutes, log, args.width, args.layers, args.utterances)
    model = network(args.width, *args.layers)
    model.load_state_dict(torch.load(args.work / "trained.pt"))
    log(f"{export(model, args.out)} bytes in {len(FILES.split())} files")
    test_exported(args.work, args.out, log)


if __name__ == "__main__":
    main()
