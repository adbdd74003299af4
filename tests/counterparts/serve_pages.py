"""Reads what `vpipe serve` says of itself with other people's readers.

    python serve_pages.py VPIPE CLIP      needs serve_pages.txt installed; exits with 1 if anything differs

/openapi.json by a validator of OpenAPI 3.1, /metrics by the parser of Prometheus' own client.
"""

import base64
import json
import sys
import urllib.request

from openapi_spec_validator import OpenAPIV31SpecValidator
from prometheus_client.parser import text_string_to_metric_families
from served import KEY
from served import frames
from served import serving


def ask(address, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address + path, data, {"authorization": KEY})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read().decode()


def main(vpipe, clip):
    images = [base64.b64encode(file).decode() for file in frames(clip, 3)]
    with serving(vpipe, "--whisper", "none") as address:
        described = json.loads(ask(address, "/openapi.json"))
        OpenAPIV31SpecValidator(described).validate()
        for _ in range(2):
            said = json.loads(ask(address, "/v2/any/runsync", {"input": {"images": images}}))
            assert said["status"] == "COMPLETED", said
        families = {it.name: it for it in text_string_to_metric_families(ask(address, "/metrics"))}
    assert all(it.type != "unknown" and it.documentation for it in families.values()), families
    sample = lambda family, name, **labels: next(
        it.value for it in families[family].samples if it.name == name and it.labels == labels
    )
    assert sample("vpipe_frames", "vpipe_frames_total") == 6
    assert sample("vpipe_detector_frames", "vpipe_detector_frames_total") == 6
    assert sample("vpipe_jobs_ended", "vpipe_jobs_ended_total", status="COMPLETED") == 2
    assert sample("vpipe_requests", "vpipe_requests_total", route="/v2/{endpoint}/runsync", status="200") == 2
    name = "vpipe_job_execution_seconds"
    buckets = [it for it in families[name].samples if it.name == f"{name}_bucket"]
    assert [it.value for it in buckets] == sorted(it.value for it in buckets) and buckets[-1].labels["le"] == "+Inf"
    assert sample(name, f"{name}_count") == buckets[-1].value == 2
    assert abs(sample(name, f"{name}_sum") - sample("vpipe_work_seconds", "vpipe_work_seconds_total")) < 1e-9
    print(f"{len(described['paths'])} paths are OpenAPI 3.1, {len(families)} metrics are Prometheus'")


if __name__ == "__main__":
    main(*sys.argv[1:])
