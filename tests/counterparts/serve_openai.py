"""Asks `vpipe serve` for what is said with OpenAI's own Python client, in every format that its API has.

    python serve_openai.py VPIPE CLIP      needs serve_openai.txt installed; exits with 1 if anything differs

All formats have to say the same. All is on loopback, with a key of the test's.
"""

import re
import sys

import openai
from served import KEY
from served import serving
from served import sound


def times(captions):
    """The times of captions, and their text."""
    pairs = re.findall(r"(\d+):(\d\d):(\d\d)[.,](\d{3}) --> (\d+):(\d\d):(\d\d)[.,](\d{3})\n((?:.+\n)+)", captions)
    second = lambda h, m, s, ms: round(int(h) * 3600 + int(m) * 60 + int(s) + int(ms) / 1000, 3)
    return [(second(*it[:4]), second(*it[4:8]), it[8].strip()) for it in pairs]


def formats(client, wav):
    ask = lambda **more: client.audio.transcriptions.create(file=("a.wav", wav), model="whisper-1", **more)
    text = ask().text
    assert len(text.split()) > 10, text
    assert ask(response_format="text").strip() == text
    verbose = ask(response_format="verbose_json")
    assert (verbose.text, verbose.language, verbose.words) == (text, "english", None), verbose
    assert abs(verbose.duration - 10) < 0.1, verbose.duration
    segments = [(it.start, it.end, it.text.strip()) for it in verbose.segments]
    assert len(segments) > 1 and all(it.tokens and it.avg_logprob <= 0 for it in verbose.segments)
    for captions in (ask(response_format="srt"), ask(response_format="vtt")):
        assert times(captions) == segments, (captions, segments)
    assert ask(response_format="vtt").startswith("WEBVTT\n\n")
    asked = {"language": "en", "prompt": "Shapes.", "temperature": 0}
    assert ask(**asked).text == text
    return text, segments


def words(client, wav, text):
    ask = lambda kinds: client.audio.transcriptions.create(
        file=("a.wav", wav), model="whisper-1", response_format="verbose_json", timestamp_granularities=kinds
    )
    assert ask(["segment"]).segments
    try:
        both = ask(["word", "segment"])
    except openai.BadRequestError as error:
        # A model may give no times of words, and says so.
        assert error.body["param"] == "timestamp_granularities", error.body
        return "no times of words"
    assert " ".join(it.word for it in both.words) == text and both.segments
    assert all(a.end <= b.start + 1e-6 for a, b in zip(both.words, both.words[1:]))
    assert ask(["word"]).segments is None
    return f"{len(both.words)} words"


def refusals(client, address, wav):
    ask = lambda **more: client.audio.transcriptions.create(**{"file": ("a.wav", wav), "model": "whisper-1"} | more)
    for kind, param, call in [
        (openai.NotFoundError, "model", lambda: ask(model="whisper-9")),
        (openai.BadRequestError, None, lambda: ask(file=("a.wav", b"no sound"))),
        (openai.BadRequestError, "language", lambda: ask(language="klingon 7")),
        (openai.BadRequestError, "response_format", lambda: ask(response_format="pdf")),
        (openai.BadRequestError, "timestamp_granularities", lambda: ask(timestamp_granularities=["word"])),
        (openai.AuthenticationError, None, lambda: openai.OpenAI(api_key="x", base_url=f"{address}/v1", max_retries=0).models.list()),
    ]:
        try:
            call()
        except kind as error:
            assert error.body["message"] and error.body["param"] == param and error.body["type"], error.body
        else:
            sys.exit(f"{kind}: not refused")


def main(vpipe, clip):
    wav = sound(clip, 10)
    with serving(vpipe, "--yolo", "none") as address:
        client = openai.OpenAI(api_key=KEY, base_url=f"{address}/v1", max_retries=0)
        text, segments = formats(client, wav)
        told = words(client, wav, text)
        [model] = client.models.list().data
        client.audio.transcriptions.create(file=("a.wav", wav), model=model.id)
        refusals(client, address, wav)
    print(f"OpenAI's client: {len(segments)} segments, the same in five formats; {told}; its errors are read")


if __name__ == "__main__":
    main(*sys.argv[1:])
