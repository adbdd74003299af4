"""Runs vpipe against servers that listen, made of other people's parts.

    python speech.py VPIPE CLIP      needs speech.txt installed; exits with 1 if anything differs

- RunPod's official faster-whisper worker: its fields and their types, checked by the validator of RunPod's own SDK, behind the
  SDK's dev server.
- OpenAI's API: a form that Starlette reads and an answer made of the types of OpenAI's own client, which asks for the same once
  itself: vpipe's form must be the same.

Every server reads the sound with Python's own WAV reader and answers with one word a request, a checksum of the samples. So a
transcript is right if and only if every request is in it once, in its own place. All is on loopback and gets no key of anyone's.
"""

import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import wave
import zlib

from keyless import environment
from runpod_sdk import free_port
from runpod_sdk import wait_for

KEY = "a-key-of-the-test"
RECIPE = """
version = 1
[backends.there]
{backend}
[stages.extract]
[stages.whisper]
inputs = ["extract"]
backend = "there"
codec = "wav"
chunk = 10
{options}
[stages.merge]
inputs = ["whisper"]
"""
RUNPOD = 'kind = "runpod"\ndialect = "dev-server"\nbase_url = "http://127.0.0.1:{port}"'
OPENAI = 'kind = "openai"\nbase_url = "http://127.0.0.1:{port}/v1"\napi_key_env = "SPEECH_KEY"'

# The fields of github.com/runpod-workers/worker-faster_whisper, src/rp_schema.py: all may be left out.
FIELDS = {
    str: "audio audio_base64 model transcription translation language suppress_tokens initial_prompt",
    bool: "translate condition_on_previous_text enable_vad word_timestamps",
    int: "best_of beam_size",
    float: "temperature patience length_penalty temperature_increment_on_fallback compression_ratio_threshold logprob_threshold "
    "no_speech_threshold",
}


def heard(file):
    """The word for a WAV file, and its seconds."""
    with wave.open(io.BytesIO(file)) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (16_000, 1, 2)
        samples = sound.readframes(sound.getnframes())
    return f"w{zlib.crc32(samples)}", len(samples) / 32_000


def note(**entry):
    with open(os.environ["NOTES"], "a") as notes:
        notes.write(json.dumps(entry) + "\n")


# ---- servers


def faster_whisper(job):
    """What the official worker answers, after its own check."""
    import base64

    from runpod.serverless.utils.rp_validator import validate

    schema = {n: {"type": t, "required": False, "default": None} for t, names in FIELDS.items() for n in names.split()}
    checked = validate(job["input"], schema)
    if "errors" in checked:
        note(errors=checked["errors"])
        return {"error": checked["errors"]}
    asked = checked["validated_input"]
    word, seconds = heard(base64.b64decode(asked["audio_base64"], validate=True))
    note(word=word, **{name: asked[name] for name in ("model", "language", "translate", "enable_vad", "word_timestamps")})
    segment = {"id": 1, "seek": 0, "start": 0.0, "end": seconds, "text": f" {word}", "tokens": [1], "temperature": 0.0}
    segment |= {"avg_logprob": -0.5, "compression_ratio": 0.5, "no_speech_prob": 0.1}
    times = [{"word": f" {word}", "start": seconds / 2, "end": seconds / 2}]
    answer = {"segments": [segment], "detected_language": "en", "transcription": word, "translation": None, "device": "cuda"}
    if asked["translate"]:
        # In the format that is asked for; the segments stay those of the original.
        h, m, s = int(seconds // 3600), int(seconds // 60 % 60), f"{seconds % 60:06.3f}".replace(".", ",")
        subtitle = f"1\n00:00:00,000 --> {h:02}:{m:02}:{s}\n{word}\n\n"
        answer["translation"] = subtitle if asked["translation"] == "srt" else word
        segment["text"] = " etwas anderes"
    return answer | {"model": asked["model"], "word_timestamps": times if asked["word_timestamps"] else None}


def openai_server():
    from openai.types.audio import TranscriptionSegment
    from openai.types.audio import TranscriptionVerbose
    from openai.types.audio import TranscriptionWord
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def listen(request):
        form = await request.form()
        file = form["file"]
        content = await file.read()
        word, seconds = heard(content)
        fields = sorted((name, value) for name, value in form.multi_items() if isinstance(value, str))
        names = [file.filename, file.content_type]
        note(path=request.url.path, word=word, fields=fields, file=names, key=request.headers["authorization"])
        segment = TranscriptionSegment(
            id=0, seek=0, start=0.0, end=seconds, text=f" {word}", tokens=[1], temperature=0.0, avg_logprob=-0.5,
            compression_ratio=0.5, no_speech_prob=0.1,
        )  # fmt: skip
        words = [TranscriptionWord(word=word, start=seconds / 2, end=seconds / 2)] if ("timestamp_granularities[]", "word") in fields else None
        answer = TranscriptionVerbose(duration=seconds, language="english", text=word, segments=[segment], words=words)
        return JSONResponse(json.loads(answer.model_dump_json()))

    paths = ("/v1/audio/transcriptions", "/v1/audio/translations")
    return Starlette(routes=[Route(path, listen, methods=["POST"]) for path in paths])


def serve(kind, port):
    if kind == "openai":
        import uvicorn

        uvicorn.run(openai_server(), host="127.0.0.1", port=int(port), log_level="error")
    else:
        import runpod

        sys.argv = [__file__, "--rp_serve_api", "--rp_api_host", "127.0.0.1", "--rp_api_port", port, "--rp_log_level", "ERROR"]
        runpod.serverless.start({"handler": faster_whisper})


# ---- what is compared


def run(vpipe, clip, folder, backend, options):
    """The transcript, the requests that the server noted, and the exit code."""
    notes = folder / "notes"
    notes.write_text("")
    here = pathlib.Path(tempfile.mkdtemp(dir=folder))
    (here / "recipe.toml").write_text(RECIPE.format(backend=backend, options=options))
    command = [vpipe, "run", "recipe.toml", clip]
    done = subprocess.run(command, cwd=here, env=environment(SPEECH_KEY=KEY), capture_output=True, text=True, timeout=120)
    results = here / "output" / f"{pathlib.Path(clip).stem}_results.json"
    assert results.exists(), done.stderr
    assert KEY not in results.read_text()
    asked = [json.loads(line) for line in notes.read_text().splitlines()]
    assert not any("errors" in it for it in asked), asked
    return json.loads(results.read_text())["transcription"], asked, done.returncode


def words_of(transcription):
    segments = transcription["segments"]
    starts = [it["start"] for it in segments]
    assert starts == sorted(starts), starts
    return [it["text"].strip() for it in segments]


def check(vpipe, clip, folder, backend, options, language="en"):
    transcription, asked, code = run(vpipe, clip, folder, backend, options)
    assert code == 0, code
    assert transcription["language"] == language, transcription
    found, sent = words_of(transcription), [it["word"] for it in asked]
    assert len(found) >= 3 and sorted(found) == sorted(sent), (found, sent)
    return asked, transcription


def runpod_worker(vpipe, clip, folder, port):
    backend = RUNPOD.format(port=port)
    asked, transcription = check(vpipe, clip, folder, backend, 'worker = "faster-whisper"')
    assert all(it["words"] for it in transcription["segments"])
    usual = {"model": None, "language": None, "translate": False, "enable_vad": True, "word_timestamps": True}
    assert all(usual.items() <= it.items() for it in asked), asked
    options = 'worker = "faster-whisper"\nmodel = "turbo"\nlanguage = "de"\ntask = "translate"\nvad_filter = false\nword_timestamps = false'
    asked, _ = check(vpipe, clip, folder, backend, options)
    other = {"model": "turbo", "language": "de", "translate": True, "enable_vad": False, "word_timestamps": False}
    assert all(other.items() <= it.items() for it in asked), asked
    print(f"RunPod's validator: {len(asked)} requests, all their fields known and of their types")


def openai_client(vpipe, clip, folder, port):
    from openai import OpenAI

    client = OpenAI(api_key=KEY, base_url=f"http://127.0.0.1:{port}/v1")
    sound = io.BytesIO()
    with wave.open(sound, "wb") as out:
        out.setparams((1, 2, 16_000, 0, "NONE", None))
        out.writeframes(bytes(32_000))
    file = ("sound.wav", sound.getvalue(), "audio/wav")
    both = {"file": file, "model": "tiny", "response_format": "verbose_json"}
    both_kinds = ["segment", "word"]
    for options, ask in [
        ("", lambda: client.audio.transcriptions.create(**both, timestamp_granularities=both_kinds)),
        ('language = "en"', lambda: client.audio.transcriptions.create(**both, timestamp_granularities=both_kinds, language="en")),
        ("word_timestamps = false", lambda: client.audio.transcriptions.create(**both, timestamp_granularities=["segment"])),
        ('task = "translate"', lambda: client.audio.translations.create(**both)),
    ]:
        asked, transcription = check(vpipe, clip, folder, OPENAI.format(port=port), 'model = "tiny"\n' + options)
        (folder / "notes").write_text("")
        ask()
        theirs = json.loads((folder / "notes").read_text())
        for ours in asked:
            differ = {name: (ours[name], value) for name, value in theirs.items() if name != "word" and ours[name] != value}
            assert not differ, differ
        timed = all(it.get("words") for it in transcription["segments"])
        assert timed == (options in ("", 'language = "en"')), transcription
    print("OpenAI's client: the same path, key, file name and fields; its types are read")


def main(vpipe, clip):
    vpipe, clip = (str(pathlib.Path(path).resolve()) for path in (vpipe, clip))
    for kind, compare in [("runpod", runpod_worker), ("openai", openai_client)]:
        with tempfile.TemporaryDirectory() as name:
            folder, port = pathlib.Path(name), free_port()
            log = open(folder / "log", "w+")
            command = [sys.executable, __file__, "serve", kind, str(port)]
            environment = {**os.environ, "NOTES": str(folder / "notes")}
            server = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
            try:
                wait_for(server, port)
                compare(vpipe, clip, folder, port)
            except AssertionError:
                log.seek(0)
                sys.stderr.write(log.read()[-4000:])
                raise
            finally:
                server.terminate()
                server.wait(10)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(*sys.argv[2:])
    else:
        main(*sys.argv[1:])
