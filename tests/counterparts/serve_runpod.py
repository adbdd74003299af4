"""Asks `vpipe serve` with RunPod's own Python SDK, everything that its two clients can ask.

    python serve_runpod.py VPIPE CLIP      needs serve_runpod.txt installed; exits with 1 if anything differs

Also RunPod's input validator: what it refuses of the schema of RunPod's faster-whisper worker, the server refuses in the same
words. All is on loopback, with a key of the test's.
"""

import asyncio
import base64
import os
import sys

from served import KEY
from served import frames
from served import serving
from served import sound


def b64(file):
    return base64.b64encode(file).decode()


def sync_client(runpod, images):
    endpoint = runpod.Endpoint("any", api_key=KEY)
    asked = {"images": images, "conf": 0.3, "iou": 0.5, "imgsz": 640}
    whole = endpoint.run_sync(asked)
    assert [len(it) for it in whole["detections"]] == whole["count"], whole
    assert len(whole["count"]) == len(images) and sum(whole["count"]) > len(images), whole["count"]
    job = endpoint.run({"input": asked})
    assert job.output(timeout=60)["detections"] == whole["detections"]
    assert job.status() == "COMPLETED"
    # A job that fails has no output, and this client says no more.
    assert endpoint.run_sync({"images": ["no base64!"]}) is None
    failed = endpoint.run({"images": ["no base64!"]})
    assert failed.output(timeout=60) is None and failed.status() == "FAILED"
    health = endpoint.health()
    assert health["jobs"]["completed"] == 2 and health["jobs"]["failed"] == 2, health
    assert set(health["workers"]) == {"idle", "initializing", "ready", "running", "throttled", "unhealthy"}
    return whole["detections"]


def queue(runpod, images):
    endpoint = runpod.Endpoint("other", api_key=KEY)
    jobs = [endpoint.run({"images": images * 8}) for _ in range(12)]
    said = jobs[-1].cancel()
    assert said["status"] == "CANCELLED" and said["id"] == jobs[-1].job_id, said
    said = endpoint.purge_queue()
    assert said["status"] == "completed" and said["removed"] >= 6, said
    for job in jobs[:-1]:
        job.cancel()
    assert {job.status() for job in jobs} <= {"CANCELLED", "COMPLETED"}
    try:
        runpod.Endpoint("any", api_key="another").health()
    except RuntimeError as error:
        assert "401" in str(error) or "Unauthorized" in str(error) or "authorized" in str(error).lower(), error
    else:
        sys.exit("another key was accepted")


def stream(runpod, wav):
    endpoint = runpod.Endpoint("any", api_key=KEY)
    whole = endpoint.run_sync({"audio": b64(wav)})["transcription"]
    assert len(whole) > 2, whole
    parts = list(endpoint.run({"audio": b64(wav), "stream": True}).stream())
    texts = [it["text"] for part in parts for it in (part if isinstance(part, list) else [part])]
    assert texts == [it["text"] for it in whole], (texts, whole)
    return len(parts)


async def async_client(runpod, images, expected):
    from runpod import AsyncioEndpoint
    from runpod import http_client

    async with http_client.AsyncClientSession() as session:
        endpoint = AsyncioEndpoint("any", session, api_key=KEY)
        asked = {"images": images, "conf": 0.3, "iou": 0.5, "imgsz": 640}
        jobs = [await endpoint.run(asked) for _ in range(3)]
        for job in jobs:
            assert (await job.output(timeout=60))["detections"] == expected
        job = await endpoint.run({"images": images * 8})
        assert (await job.cancel())["status"] in ("CANCELLED", "COMPLETED")


def validator(runpod, wav):
    from runpod.serverless.utils.rp_validator import validate
    from speech import FIELDS

    endpoint = runpod.Endpoint("any", api_key=KEY)
    schema = lambda: {n: {"type": t, "required": False, "default": None} for t, names in FIELDS.items() for n in names.split()}
    good = {"audio_base64": b64(wav)}
    cases = [{}, {"word_timestamps": True}, {"beam_size": 1, "temperature": 0.2}, {"beam_sise": 5}, {"beam_size": "5"}]
    cases += [{"enable_vad": 1}, {"language": 7, "translate": "no", "mood": "good"}]
    refused = 0
    for more in cases:
        errors = validate(dict(good | more), schema()).get("errors", [])
        job = endpoint.run({"input": good | more})
        job.output(timeout=60)
        said = job._fetch_job()
        assert (said["status"] == "FAILED") == bool(errors), (more, errors, said)
        for error in errors:
            refused += 1
            assert error in said["error"], (error, said["error"])
    assert refused == 6, refused


def main(vpipe, clip):
    images = [b64(file) for file in frames(clip, 3)]
    wav = sound(clip, 10)
    with serving(vpipe) as address:
        # The SDK reads where its endpoints are when it is imported.
        os.environ["RUNPOD_ENDPOINT_BASE_URL"] = f"{address}/v2"
        import runpod

        expected = sync_client(runpod, images)
        queue(runpod, images)
        parts = stream(runpod, wav)
        asyncio.run(async_client(runpod, images, expected))
        validator(runpod, wav)
    print(f"RunPod's SDK: run, run_sync, status, cancel, purge_queue, health and a stream of {parts} parts are as it expects")


if __name__ == "__main__":
    main(*sys.argv[1:])
