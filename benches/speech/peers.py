"""The Python side of benches/speech: the model and the sound that are compared, and OpenAI's Whisper and whisper.cpp on them.

usage: peers.py make FOLDER                      a model of the size of Whisper tiny for all three, and sound to hear
       peers.py sentences FOLDER                 sentences of the demo voice's grammar by voices that it was not trained on
       peers.py PEER FOLDER THREADS              one turn of `openai-whisper` or `whisper.cpp`
       peers.py PEER                             whether the peer is there: prints its version

A turn prints the number of text tokens and the seconds of processor and wall time, loading left out, and the peak memory of the
process in KiB. The weights are random but for what steers each window to the same 26 tokens, so that all do the same work.
"""

import importlib.util
import json
import os
import resource
import struct
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
RATE = 16_000
SECONDS = 120
PEERS = {"openai-whisper": "openai-whisper", "whisper.cpp": "pywhispercpp"}


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem + "_maker", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make(folder):
    import torch

    maker = load(ROOT / "tests/counterparts/whisper.py")
    model, special = maker.make(folder, "tiny")
    c = model.config
    dims = {
        "n_mels": c.num_mel_bins, "n_audio_ctx": c.max_source_positions, "n_audio_state": c.d_model,
        "n_audio_head": c.encoder_attention_heads, "n_audio_layer": c.encoder_layers, "n_vocab": c.vocab_size,
        "n_text_ctx": c.max_target_positions, "n_text_state": c.d_model, "n_text_head": c.decoder_attention_heads,
        "n_text_layer": c.decoder_layers,
    }  # fmt: skip
    weights = {renamed(name): value for name, value in model.state_dict().items() if name != "proj_out.weight"}
    torch.save({"dims": dims, "model_state_dict": weights}, folder / "openai.pt")
    ggml(folder / "ggml.bin", dims, weights)
    noise = np.random.default_rng(1).normal(0, 0.05, SECONDS * RATE)
    (np.clip(noise, -1, 1) * 32767).astype("<i2").tofile(folder / "sound.i16")


# Transformers' names of what OpenAI's code calls otherwise.
NAMES = [
    ("model.", ""), ("layers.", "blocks."), ("self_attn_layer_norm", "attn_ln"), ("encoder_attn_layer_norm", "cross_attn_ln"),
    ("self_attn.", "attn."), ("encoder_attn.", "cross_attn."), ("q_proj", "query"), ("k_proj", "key"), ("v_proj", "value"),
    ("out_proj", "out"), ("fc1", "mlp.0"), ("fc2", "mlp.2"), ("final_layer_norm", "mlp_ln"), ("encoder.layer_norm", "encoder.ln_post"),
    ("decoder.layer_norm", "decoder.ln"), ("embed_positions.weight", "positional_embedding"), ("embed_tokens", "token_embedding"),
]  # fmt: skip


def renamed(name):
    for theirs, openai in NAMES:
        name = name.replace(theirs, openai)
    return name


def ggml(path, dims, weights):
    """The format of github.com/ggml-org/whisper.cpp, models/README.md, with matrices in half precision."""
    from whisper.audio import mel_filters

    order = "n_vocab n_audio_ctx n_audio_state n_audio_head n_audio_layer n_text_ctx n_text_state n_text_head n_text_layer n_mels"
    whole = ("encoder.conv1.bias", "encoder.conv2.bias", "encoder.positional_embedding", "decoder.positional_embedding")
    with open(path, "wb") as out:
        out.write(struct.pack("<12i", 0x67676D6C, *(dims[name] for name in order.split()), 1))
        filters = mel_filters("cpu", dims["n_mels"]).numpy().astype("<f4")
        out.write(struct.pack("<2i", *filters.shape) + filters.tobytes())
        # Three that it looks for by name.
        tokens = [b" ", b" -", b" '", *(f"w{i}".encode() for i in range(3, 50_257))]
        out.write(struct.pack("<i", len(tokens)) + b"".join(struct.pack("<i", len(t)) + t for t in tokens))
        for name, value in weights.items():
            data = value.numpy().squeeze()
            if name in whole[:2]:
                data = data.reshape(-1, 1)
            half = data.ndim > 1 and name not in whole
            out.write(struct.pack("<3i", data.ndim, len(name), int(half)))
            out.write(struct.pack(f"<{data.ndim}i", *reversed(data.shape)) + name.encode())
            out.write(data.astype("<f2" if half else "<f4").tobytes())


def sentences(folder):
    maker = load(ROOT / "src/backends/models/demo/voice/phrases.py")
    kinds = {"rooms and noise": (3, False), "clean": (4, True)}  # as train_voice.py numbers its seeds
    sound, told = [], []
    for kind, (seed, clean) in kinds.items():
        for number in range(300):
            x, said = maker.utterance([seed, number], maker.HELD_OUT, 6, test=True, clean=clean)
            start = sum(map(len, sound))
            sound.append((x.clip(-1, 1) * 32767).astype("<i2"))
            words = " ".join(w for _, _, sentence in said for w in sentence)
            told.append({"kind": kind, "start": start, "end": start + len(x), "said": words})
    np.concatenate(sound).tofile(folder / "sentences.i16")
    (folder / "sentences.json").write_text(json.dumps(told))


def openai_whisper(folder, sound, threads):
    import torch
    import whisper

    torch.set_num_threads(threads)
    model = whisper.load_model(str(folder / "openai.pt"), device="cpu")

    def listen():
        heard = model.transcribe(
            sound, language="en", fp16=False, temperature=0.0, condition_on_previous_text=False, compression_ratio_threshold=None
        )
        return sum(token < 50_257 for segment in heard["segments"] for token in segment["tokens"])

    return listen


def whisper_cpp(folder, sound, threads):
    import _pywhispercpp as cpp
    from pywhispercpp.model import Model

    model = Model(
        str(folder / "ggml.bin"), n_threads=threads, language="en", temperature=0.0, temperature_inc=0.0, n_max_text_ctx=0,
        greedy={"best_of": 1}, print_progress=False, print_realtime=False, redirect_whispercpp_logs_to=None,
    )  # fmt: skip

    def listen():
        model.transcribe(sound)
        context = model._ctx
        tokens = 0
        for segment in range(cpp.whisper_full_n_segments(context)):
            for at in range(cpp.whisper_full_n_tokens(context, segment)):
                tokens += cpp.whisper_full_get_token_id(context, segment, at) < 50_257
        return tokens

    return listen


def turn(peer, folder, threads):
    sound = np.fromfile(folder / "sound.i16", "<i2").astype(np.float32) / 32768
    listen = (openai_whisper if peer == "openai-whisper" else whisper_cpp)(folder, sound, threads)
    processor, wall = time.process_time(), time.perf_counter()
    tokens = listen()
    times = time.process_time() - processor, time.perf_counter() - wall
    print(tokens, *times, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, flush=True)


def main(what, folder=None, threads=None):
    os.environ.setdefault("OMP_NUM_THREADS", threads or "1")
    if folder is None:
        print(version(PEERS[what]))
    elif what in PEERS:
        turn(what, Path(folder), int(threads))
    else:
        Path(folder).mkdir(parents=True, exist_ok=True)
        {"make": make, "sentences": sentences}[what](Path(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
