"""Makes the small Whisper with random weights that tests/engine/local_whisper.rs runs, and what Transformers gets from it.

    python whisper.py                  writes tests/whisper/micro/ (the model) and tests/whisper/golden.json
    python whisper.py --size tiny DIR  a model of the size of `tiny` (or `base`, `small`) with random weights in DIR, for benches:
                                       in OpenAI's own vocabulary, and steered to write 26 tokens a window

The model is what optimum's exporter makes: encoder_model.onnx, decoder_model_merged.onnx and JSON beside them, with a
byte-level vocabulary in Whisper's layout. Its weights say nothing; they are scaled so that greedy decoding gives many
different tokens with clear margins, which is what makes "the same tokens" worth something.

Not run by CI: needs torch==2.15.0 transformers==4.57.6 optimum-onnx==0.1.0 accelerate onnx==1.23.2 onnxruntime==1.32.0.
"""

import argparse
import json
import math
import sys
import tempfile
from pathlib import Path

# This file is called as a package is.
sys.path = [p for p in sys.path if Path(p or ".").resolve() != Path(__file__).resolve().parent]

import numpy as np  # noqa: E402
import torch  # noqa: E402
from transformers import GenerationConfig  # noqa: E402
from transformers import LogitsProcessorList  # noqa: E402
from transformers import WhisperConfig  # noqa: E402
from transformers import WhisperFeatureExtractor  # noqa: E402
from transformers import WhisperForConditionalGeneration  # noqa: E402
from transformers.generation.logits_process import SuppressTokensAtBeginLogitsProcessor  # noqa: E402
from transformers.generation.logits_process import SuppressTokensLogitsProcessor  # noqa: E402
from transformers.generation.logits_process import WhisperTimeStampLogitsProcessor  # noqa: E402
from transformers.generation.utils import GenerationMixin  # noqa: E402

DATA = Path(__file__).resolve().parents[1] / "whisper"
SIZES = {"micro": (32, 2, 2, 80), "tiny": (384, 4, 6, 80), "base": (512, 6, 8, 80), "small": (768, 12, 12, 80)}
LANGUAGES = ["en", "de", "fr", "ja"]
LETTERS = 256  # one token a byte
MERGES = [("\u0120", "t"), ("h", "e"), ("\u0120t", "he"), ("i", "n")]


def alphabet():
    """Byte -> the character that stands for it in byte-level vocabularies."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    odd = [b for b in range(256) if b not in plain]
    return {**{b: chr(b) for b in plain}, **{b: chr(256 + i) for i, b in enumerate(odd)}}


def languages(size):
    if size == "micro":
        return LANGUAGES
    from transformers.models.whisper.tokenization_whisper import LANGUAGES as ALL

    return list(ALL)[:99]


def vocabulary(pad_to, languages):
    text = {c: b for b, c in alphabet().items()}
    for left, right in MERGES:
        text[left + right] = len(text)
    while len(text) < pad_to:
        text[f"w{len(text)}"] = len(text)
    names = ["<|endoftext|>", "<|startoftranscript|>", *(f"<|{x}|>" for x in languages), "<|translate|>", "<|transcribe|>"]
    names += ["<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]
    names += [f"<|{i * 0.02:.2f}|>" for i in range(1501)]
    return text, {name: len(text) + i for i, name in enumerate(names)}


def sound():
    """Three seconds that Rust can make as well: a rising tone and noise from a small generator."""
    state, out = 1, []
    for n in range(48_000):
        state = (state * 1_103_515_245 + 12_345) % 2**31
        t = n / 16_000
        out.append(0.3 * math.sin(2 * math.pi * (200 * t + 300 * t * t)) + 0.1 * (state / 2**31 - 0.5))
    return np.array(out, np.float64).astype(np.float32)


def write_tokenizer(folder, text, special):
    added = [
        {"id": i, "content": name, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
         "special": not name[2:3].isdigit()}
        for name, i in special.items()
    ]  # fmt: skip
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    model = {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "", "end_of_word_suffix": ""}
    model |= {"fuse_unk": False, "byte_fallback": False, "ignore_merges": False, "vocab": text}
    model |= {"merges": [list(m) for m in MERGES]}
    tokenizer = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None}
    tokenizer |= {"pre_tokenizer": level, "post_processor": None, "decoder": level, "model": model}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False))


def steer(model, special):
    """Whatever is heard, the text of a window is 26 tokens that hardly repeat, then the time of its end."""
    tokens, positions = model.model.decoder.embed_tokens.weight, model.model.decoder.embed_positions.weight
    for position in range(3, len(positions)):
        text = 1000 + position * 7919 % 40_000
        token = text if position < 29 else special["<|30.00|>"] if position == 29 else special["<|endoftext|>"]
        positions[position] = 300 * tokens[token]


def make(folder, size):
    from optimum.exporters.onnx import main_export

    width, layers, heads, mels = SIZES[size]
    known = languages(size)
    text, special = vocabulary(264 if size == "micro" else 50_257, known)
    eot = special["<|endoftext|>"]
    config = WhisperConfig(
        vocab_size=len(text) + len(special), num_mel_bins=mels, d_model=width, encoder_layers=layers, decoder_layers=layers,
        encoder_attention_heads=heads, decoder_attention_heads=heads, encoder_ffn_dim=4 * width, decoder_ffn_dim=4 * width,
        max_source_positions=1500, max_target_positions=64 if size == "micro" else 448, bos_token_id=eot, eos_token_id=eot,
        pad_token_id=eot, decoder_start_token_id=special["<|startoftranscript|>"], suppress_tokens=None,
        begin_suppress_tokens=None,
    )  # fmt: skip
    torch.manual_seed(11)
    model = WhisperForConditionalGeneration(config).eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.ndim > 1 and "encoder.embed_positions" not in name:
                p.normal_(0, p[0].numel() ** -0.5)
        model.model.decoder.embed_positions.weight.normal_(0, 2.0)
        if size != "micro":
            steer(model, special)
    model.generation_config = GenerationConfig(
        bos_token_id=eot, eos_token_id=eot, pad_token_id=eot, decoder_start_token_id=special["<|startoftranscript|>"],
        is_multilingual=True, lang_to_id={f"<|{x}|>": special[f"<|{x}|>"] for x in known},
        task_to_id={x: special[f"<|{x}|>"] for x in ("transcribe", "translate")}, max_initial_timestamp_index=50,
        no_timestamps_token_id=special["<|notimestamps|>"], prev_sot_token_id=special["<|startofprev|>"],
        suppress_tokens=[3, 5, 7, *(special[x] for x in ("<|startoftranscript|>", "<|translate|>", "<|transcribe|>",
        "<|startoflm|>", "<|startofprev|>", "<|nospeech|>"))], begin_suppress_tokens=[32, eot], max_length=config.max_target_positions,
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as checkpoint:
        model.save_pretrained(checkpoint)
        main_export(checkpoint, folder, task="automatic-speech-recognition-with-past", opset=18, do_validation=False)
    for spare in ("decoder_model.onnx", "decoder_with_past_model.onnx"):
        (folder / spare).unlink(missing_ok=True)
    write_tokenizer(folder, text, special)
    WhisperFeatureExtractor(feature_size=mels).save_pretrained(folder)
    return model, special


def greedy(model, features, prompt, special, timestamps):
    """Greedy tokens after the prompt, under Transformers' own rules, and their mean log-probability."""
    g = model.generation_config
    begin = len(prompt)
    rules = [SuppressTokensLogitsProcessor(g.suppress_tokens), SuppressTokensAtBeginLogitsProcessor(g.begin_suppress_tokens, begin)]
    if timestamps:
        rules.append(WhisperTimeStampLogitsProcessor(g, begin_index=begin))
    else:
        rules.append(SuppressTokensLogitsProcessor([g.no_timestamps_token_id, *(i for n, i in special.items() if n[2:3].isdigit())]))
    got = GenerationMixin.generate(
        model, features, decoder_input_ids=torch.tensor([prompt]), logits_processor=LogitsProcessorList(rules),
        generation_config=GenerationConfig(
            do_sample=False, num_beams=1, max_new_tokens=model.config.max_target_positions // 2, eos_token_id=g.eos_token_id,
            pad_token_id=g.pad_token_id, return_dict_in_generate=True, output_scores=True),
    )  # fmt: skip
    tokens = got.sequences[0, begin:].tolist()
    log = [torch.log_softmax(s[0], -1) for s in got.scores]
    margins = [float((s := score[0].topk(2).values)[0] - s[1]) for score in got.scores]
    total = sum(float(p[t]) for p, t in zip(log, tokens))
    kept = [t for t in tokens if t != g.eos_token_id]
    return {"prompt": prompt, "tokens": kept, "avg_logprob": total / (len(kept) + 1), "least_margin": min(margins)}


@torch.no_grad()
def reference(model, special):
    x = sound()
    golden = {"mel": {}}
    for bins in (80, 128):
        mel = WhisperFeatureExtractor(feature_size=bins)(x, sampling_rate=16_000, return_tensors="np").input_features[0]
        golden["mel"][str(bins)] = [[round(float(v), 6) for v in mel[:, f]] for f in GOLDEN_FRAMES]
    features = WhisperFeatureExtractor(feature_size=80)(x, sampling_rate=16_000, return_tensors="pt").input_features
    hidden = model.model.encoder(features).last_hidden_state[0]
    golden["frames"] = GOLDEN_FRAMES
    golden["positions"] = list(range(0, 1500, 75))
    golden["encoder"] = [[round(float(v), 6) for v in hidden[p]] for p in golden["positions"]]
    sot = special["<|startoftranscript|>"]
    logits = model(input_features=features, decoder_input_ids=torch.tensor([[sot]])).logits[0, -1]
    chances = torch.softmax(logits[[special[f"<|{x}|>"] for x in LANGUAGES]], -1)
    golden["languages"] = {x: round(float(c), 6) for x, c in zip(LANGUAGES, chances)}
    golden["no_speech"] = float(torch.softmax(logits, -1)[special["<|nospeech|>"]])
    runs = {}
    for language, task, times in [("en", "transcribe", True), ("en", "transcribe", False), ("de", "translate", True), ("ja", "transcribe", True)]:
        prompt = [sot, special[f"<|{language}|>"], special[f"<|{task}|>"]] + [special["<|notimestamps|>"]] * (not times)
        runs[f"{language} {task} {'times' if times else 'plain'}"] = greedy(model, features, prompt, special, times)
    golden["greedy"] = runs
    return golden


GOLDEN_FRAMES = [0, 1, 2, 50, 101, 150, 201, 250, 298, 299, 300, 301, 302, 1000, 2999]


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--size", choices=SIZES, default="micro")
    args.add_argument("folder", type=Path, nargs="?", default=DATA / "micro")
    args = args.parse_args()
    torch.set_num_threads(1)
    model, special = make(args.folder, args.size)
    if args.size == "micro":
        golden = reference(model, special)
        (DATA / "golden.json").write_text(json.dumps(golden) + "\n")
        for name, run in golden["greedy"].items():
            print(name, len(run["tokens"]), "tokens,", len(set(run["tokens"])), "different, least margin", run["least_margin"])
    for path in sorted(args.folder.iterdir()):
        print(f"{path.stat().st_size:>10} {path.name}")


if __name__ == "__main__":
    main()
