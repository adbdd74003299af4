"""The Python side of benches/local.rs: letterbox, onnxruntime, boxes, suppression.

usage: local.py MODEL THREADS FRAMES WIDTH HEIGHT
For each number on standard input it looks at as many frames and answers with the seconds of
processor and wall time.
"""

import sys
import time

import cv2
import numpy as np
import onnxruntime


def letterbox(frame, width, height):
    scale = min(height / frame.shape[0], width / frame.shape[1])
    w, h = round(frame.shape[1] * scale), round(frame.shape[0] * scale)
    left, top = (width - w) // 2, (height - h) // 2
    fitted = cv2.resize(frame, (w, h), interpolation=cv2.INTER_LINEAR)
    grey = (114, 114, 114)
    right, bottom = width - w - left, height - h - top
    fitted = cv2.copyMakeBorder(fitted, top, bottom, left, right, cv2.BORDER_CONSTANT, value=grey)
    tensor = np.ascontiguousarray(fitted.transpose(2, 0, 1)[None]).astype(np.float32)
    tensor /= 255
    return tensor, scale, left, top


def boxes(output, scale, left, top, conf=0.25, iou=0.5):
    output = output[0]
    scores = output[4:].max(0)
    kept = scores > conf
    classes = output[4:, kept].argmax(0)
    x, y, w, h = output[:4, kept]
    corners = np.stack([(x - w / 2 - left) / scale, (y - h / 2 - top) / scale, w / scale, h / scale], 1)
    chosen = cv2.dnn.NMSBoxesBatched(corners, scores[kept], classes, conf, iou)
    return corners[chosen], scores[kept][chosen], classes[chosen]


def main():
    model, threads, frames, width, height = sys.argv[1:]
    cv2.setNumThreads(int(threads))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(threads)
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    port = session.get_inputs()[0]
    h, w = port.shape[2:]
    frames = np.fromfile(frames, np.uint8).reshape(-1, int(height), int(width), 3)
    for line in sys.stdin:
        processor, wall = time.process_time(), time.perf_counter()
        for i in range(int(line)):
            tensor, scale, left, top = letterbox(frames[i % len(frames)], w, h)
            boxes(session.run(None, {port.name: tensor})[0], scale, left, top)
        print(time.process_time() - processor, time.perf_counter() - wall, flush=True)


if __name__ == "__main__":
    main()
