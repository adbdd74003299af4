"""The Python side of benches/fleet.rs: OpenCV, requests and a pool of threads, plainly.

usage: client.py VIDEO RESULTS ENDPOINT_URL
One frame a second, at most 1280 px, JPEG quality 85, 16 a request, 5 requests at once. Frames are
sent while the next ones are read, and at most twice as many requests wait as are at work.
"""

import base64
import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import cv2
import requests

FPS, MAX_SIDE, QUALITY, BATCH, WORKERS = 1, 1280, 85, 16, 5
LOCAL = threading.local()


def session():
    # A connection a thread, kept open.
    if not hasattr(LOCAL, "session"):
        LOCAL.session = requests.Session()
    return LOCAL.session


def frames(path):
    video = cv2.VideoCapture(path)
    rate = video.get(cv2.CAP_PROP_FPS)
    number, wanted = 0, 0
    while video.grab():
        if number >= wanted * rate / FPS:
            wanted += 1
            ok, frame = video.retrieve()
            if ok:
                yield number, number / rate, frame
        number += 1


def encode(frame):
    scale = MAX_SIDE / max(frame.shape[:2])
    if scale < 1:
        frame = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    ok, jpeg = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    assert ok
    return jpeg.tobytes()


def detect(url, batch):
    images = [base64.b64encode(jpeg).decode() for _, _, jpeg in batch]
    body = {"input": {"images": images, "conf": 0.15, "iou": 0.5, "imgsz": 1280, "half": True}}
    job = session().post(f"{url}/runsync", json=body, timeout=120).json()
    while job["status"] in ("IN_QUEUE", "IN_PROGRESS"):
        time.sleep(0.1)
        job = session().get(f"{url}/status/{job['id']}", timeout=60).json()
    answers = job["output"]["detections"]
    assert job["status"] == "COMPLETED" and len(answers) == len(batch)
    return [
        {"timestamp": seconds, "frame_number": number, "detections": found, "count": len(found)}
        for (number, seconds, _), found in zip(batch, answers)
    ]


def main():
    path, results, url = sys.argv[1:]
    waiting = threading.Semaphore(3 * WORKERS)
    with ThreadPoolExecutor(WORKERS) as pool:
        futures, batch = [], []

        def send():
            waiting.acquire()
            future = pool.submit(detect, url, batch)
            future.add_done_callback(lambda _: waiting.release())
            futures.append(future)

        for number, seconds, frame in frames(path):
            batch.append((number, seconds, encode(frame)))
            if len(batch) == BATCH:
                send()
                batch = []
        if batch:
            send()
        found = [entry for future in futures for entry in future.result()]
    with open(results, "w") as file:
        json.dump({"video": path, "detections": found}, file)


if __name__ == "__main__":
    main()
