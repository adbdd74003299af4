# vpipe as a worker of RunPod Serverless, on a GPU of NVIDIA with a driver for CUDA 12.
#
#   docker build -f .ci/images/worker.Dockerfile --build-context models=FOLDER \
#     --build-arg YOLO=/models/yolo11n.onnx -t you/vpipe-worker .
#
# Models lie in /models: in the image, with `--build-context models=FOLDER`, or on a volume. Which of
# them are served, YOLO and WHISPER say here, or VPIPE_YOLO and VPIPE_WHISPER in the settings of the
# endpoint: a path, `built-in` for the demo models, or `none`.

FROM scratch AS models

# The program with the libraries that it needs, as packages have it.
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY .ci/setup .ci/setup
COPY .ci/package .ci/package
RUN bash .ci/setup && bash .ci/package/ffmpeg
COPY Cargo.toml Cargo.lock LICENSE-MIT LICENSE-APACHE README.md ./
COPY benches benches
COPY recipes recipes
COPY src src
RUN bash .ci/package/tree

# ONNX Runtime with CUDA, out of its wheel: this version is the last for CUDA 12.
FROM python:3.11-slim-bookworm AS onnxruntime
RUN pip install --no-cache-dir --no-deps --target /wheel onnxruntime-gpu==1.26.0 \
    && mkdir /onnxruntime \
    && mv /wheel/onnxruntime/capi/libonnxruntime.so.* /onnxruntime/libonnxruntime.so \
    && mv /wheel/onnxruntime/capi/libonnxruntime_providers_shared.so /onnxruntime/ \
    && mv /wheel/onnxruntime/capi/libonnxruntime_providers_cuda.so /onnxruntime/ \
    && mv /wheel/onnxruntime/LICENSE /wheel/onnxruntime/ThirdPartyNotices.txt /onnxruntime/

FROM nvidia/cuda:12.8.1-cudnn-runtime-ubuntu24.04
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home vpipe
COPY --from=onnxruntime /onnxruntime /usr/local/lib/onnxruntime
COPY --from=build /src/target/package/vpipe /usr/local
COPY --from=models / /models
ARG YOLO=built-in
ARG WHISPER=built-in
ENV ORT_DYLIB_PATH=/usr/local/lib/onnxruntime/libonnxruntime.so \
    VPIPE_YOLO=$YOLO \
    VPIPE_WHISPER=$WHISPER
USER 10001
WORKDIR /home/vpipe
CMD ["vpipe", "worker", "--engine", "ort", "--device", "cuda:0"]
