"""The Python side of benches/extract: frames sampled as OpenCV, PyAV, decord and torchcodec do.

usage: peers.py PEER CLIP FPS FOLDER    one turn: the samples of CLIP as JPEGs of 1280 px in FOLDER
       peers.py PEER                    whether the peer is there: prints its version

Each takes the frame on screen at k / fps by the quickest exact way that its documentation names.
Prints the number of frames and the seconds of processor and wall time, imports left out.
"""

import importlib
import math
import os
import sys
import time
from pathlib import Path

MODULES = {"opencv": "cv2", "pyav": "av", "decord": "decord", "torchcodec": "torchcodec"}


def written(folder):
    import cv2

    cv2.setNumThreads(1)

    def write(number, frame):
        scale = min(1, 1280 / max(frame.shape[:2]))
        size = round(frame.shape[1] * scale), round(frame.shape[0] * scale)
        small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA) if scale < 1 else frame
        cv2.imwrite(str(folder / f"{number:06}.jpg"), small, [cv2.IMWRITE_JPEG_QUALITY, 85])

    return write


def opencv(clip, fps, write):
    import cv2

    video = cv2.VideoCapture(clip)
    rate = video.get(cv2.CAP_PROP_FPS)
    number = frame = 0
    while video.grab():
        # The last frame at or before k / fps, where all frames last equally long.
        if frame >= math.floor(number / fps * rate + 1e-6):
            found, frame = video.retrieve()
            if not found:
                break
            write(number, frame)
            number += 1
        frame += 1
    return number


def pyav(clip, fps, write):
    import av

    with av.open(clip) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        number, first, held = 0, None, None
        for frame in container.decode(stream):
            first = frame.time if first is None else first
            while held is not None and number / fps < frame.time - first - 1e-6:
                write(number, scaled(held))
                number += 1
            held = frame
        end = held.time - first + 1 / float(stream.average_rate)
        while number / fps < end - 1e-6:
            write(number, scaled(held))
            number += 1
    return number


def scaled(frame):
    scale = min(1, 1280 / max(frame.width, frame.height))
    size = {"width": round(frame.width * scale), "height": round(frame.height * scale)}
    return frame.reformat(**size, format="bgr24", interpolation="AREA").to_ndarray()


def decord(clip, fps, write):
    from decord import VideoReader

    video = VideoReader(clip)
    rate = video.get_avg_fps()
    count = math.ceil(len(video) / rate * fps - 1e-6)
    for number in range(count):
        frame = video[min(math.floor(number / fps * rate + 1e-6), len(video) - 1)].asnumpy()
        write(number, frame[..., ::-1])
    return count


def torchcodec(clip, fps, write):
    from torchcodec.decoders import VideoDecoder

    video = VideoDecoder(clip, dimension_order="NHWC", seek_mode="exact")
    begin, end = video.metadata.begin_stream_seconds, video.metadata.end_stream_seconds
    count = math.ceil((end - begin) * fps - 1e-6)
    # A chunk at a time, as its documentation advises for long videos.
    for start in range(0, count, 16):
        times = [begin + number / fps + 1e-6 for number in range(start, min(start + 16, count))]
        for number, frame in enumerate(video.get_frames_played_at(times).data, start):
            write(number, frame.numpy()[..., ::-1])
    return count


def main():
    peer = sys.argv[1]
    module = importlib.import_module(MODULES[peer])
    if peer == "torchcodec":
        importlib.import_module("torchcodec.decoders")
    write = written(Path(sys.argv[4])) if len(sys.argv) > 2 else None
    if write is None:
        print(module.__version__)
        return
    clip, fps = sys.argv[2], float(sys.argv[3])
    before, started = os.times(), time.perf_counter()
    count = globals()[peer](clip, fps, write)
    after, wall = os.times(), time.perf_counter() - started
    print(count, after.user + after.system - before.user - before.system, wall)


if __name__ == "__main__":
    main()
