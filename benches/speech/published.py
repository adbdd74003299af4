"""Published weights: sound to hear, and faster-whisper and openai-whisper on it.

usage: published.py corpus FOLDER SECONDS            FOLDER/corpus.i16 and .json: sentences.txt by ten voices of espeak-ng
       published.py int8 WEIGHTS                     WEIGHTS/int8 from WEIGHTS/onnx: matrices and embeddings in 8 bits
       published.py PEER WEIGHTS FOLDER THREADS BEAM one turn of `faster-whisper` (WEIGHTS/ct2) or `openai-whisper` (WEIGHTS/openai.pt)

A turn prints a line of JSON: what was heard, seconds of processor and wall time without loading, and the peak memory in KiB.
WEIGHTS is a Whisper as CTranslate2 (ct2), OpenAI (openai.pt) and Optimum (onnx) have it.
"""

import io
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import time
import wave
from pathlib import Path

import numpy as np

RATE = 16_000
VOICES = [
    "en-us", "en-gb", "en-us+f2", "en-gb+f4", "en-gb-scotland", "en-us+m3", "en-gb+m7", "en-gb-x-rp", "en-us+Alicia", "en-gb+Andrea",
]  # fmt: skip


def spoken(text, voice, speed, pitch):
    from scipy.signal import resample_poly

    words = ["espeak-ng", "-v", voice, "-s", str(speed), "-p", str(pitch), "--stdout", text]
    with wave.open(io.BytesIO(subprocess.run(words, capture_output=True, check=True).stdout)) as file:
        sound = np.frombuffer(file.readframes(10**9), "<i2").astype(float)
        sound = resample_poly(sound, 320, file.getframerate() * 320 // RATE)
    loud = np.where(np.abs(sound) > 40)[0]
    return sound[loud[0] : loud[-1] + 1]


def corpus(folder, seconds):
    """One voice for about four sentences; pauses of 0.25 to 4 s; what ends within so many seconds."""
    rng, parts, told = random.Random(3), [np.zeros(RATE // 2)], []
    voice = rng.choice(VOICES)
    for text in (Path(__file__).parent / "sentences.txt").read_text().splitlines():
        voice = rng.choice(VOICES) if rng.random() < 0.25 else voice
        sound = spoken(text, voice, rng.randint(135, 180), rng.randint(30, 70))
        if sum(map(len, parts)) + len(sound) > seconds * RATE:
            break
        told.append({"start": sum(map(len, parts)) / RATE, "text": text})
        parts += [sound, np.zeros(int(RATE * min(4, 0.25 + rng.expovariate(1))))]
    sound = np.concatenate(parts)
    sound = sound / np.abs(sound).max() * 20_000 + np.random.RandomState(1).randn(len(sound)) * 12
    sound.clip(-32768, 32767).astype("<i2").tofile(folder / "corpus.i16")
    (folder / "corpus.json").write_text(json.dumps(told))


def int8(weights):
    """The projection to words shares its matrix with the embedding, transposed: given one of its own, it is quantised too."""
    import onnx
    from onnx import numpy_helper
    from onnxruntime.quantization import QuantType, quantize_dynamic

    source, target = weights / "onnx", weights / "int8"
    target.mkdir(exist_ok=True)
    for file in source.glob("*.json"):
        shutil.copy(file, target)
    options = {"weight_type": QuantType.QInt8, "per_channel": True}
    # ConvInteger would be slower and, on rten, wrong at the edges.
    quantize_dynamic(source / "encoder_model.onnx", target / "encoder_model.onnx", op_types_to_quantize=["MatMul"], **options)
    model = onnx.load(source / "decoder_model_merged.onnx")
    matrices = {matrix.name: matrix for matrix in model.graph.initializer}
    for branch in [a.g for node in model.graph.node for a in node.attribute if a.HasField("g")]:
        for node in [n for n in branch.node if n.op_type == "Transpose" and n.input[0] in matrices]:
            name = node.input[0] + "_of_its_own"
            if name not in matrices:
                matrices[name] = numpy_helper.from_array(numpy_helper.to_array(matrices[node.input[0]]).T.copy(), name)
                model.graph.initializer.append(matrices[name])
            for user in branch.node:
                for at, value in enumerate(user.input):
                    if value == node.output[0]:
                        user.input[at] = name
            branch.node.remove(node)
    folded = target / "folded.onnx"
    onnx.save(model, folded)
    quantize_dynamic(
        folded, target / "decoder_model_merged.onnx", op_types_to_quantize=["MatMul", "Gather"],
        extra_options={"EnableSubgraph": True}, **options,
    )  # fmt: skip
    folded.unlink()


def faster_whisper(weights, sound, threads, beam):
    from faster_whisper import WhisperModel

    model = WhisperModel(str(weights / "ct2"), device="cpu", compute_type="int8", cpu_threads=threads)
    return lambda: [segment.text for segment in model.transcribe(sound, language="en", beam_size=beam)[0]]


def openai_whisper(weights, sound, threads, beam):
    import torch
    import whisper

    torch.set_num_threads(threads)
    model = whisper.load_model(str(weights / "openai.pt"), device="cpu")
    beams = {"beam_size": beam} if beam > 1 else {}
    return lambda: [segment["text"] for segment in model.transcribe(sound, language="en", fp16=False, **beams)["segments"]]


def turn(peer, weights, folder, threads, beam):
    sound = np.fromfile(folder / "corpus.i16", "<i2").astype(np.float32) / 32768
    listen = {"faster-whisper": faster_whisper, "openai-whisper": openai_whisper}[peer](weights, sound, threads, beam)
    processor, wall = time.process_time(), time.perf_counter()
    text = " ".join(listen())
    cost = {"processor": time.process_time() - processor, "wall": time.perf_counter() - wall}
    print(json.dumps({"text": text, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, **cost}))


if __name__ == "__main__":
    what, folder, *rest = sys.argv[1:]
    os.environ.setdefault("OMP_NUM_THREADS", rest[1] if len(rest) > 1 else "1")
    if what == "corpus":
        corpus(Path(folder), int(rest[0]))
    elif what == "int8":
        int8(Path(folder))
    else:
        turn(what, Path(folder), Path(rest[0]), int(rest[1]), int(rest[2]))
