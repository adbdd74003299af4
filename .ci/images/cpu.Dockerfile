# vpipe for a machine without a GPU: any command of it, and by default the local server.
#
#   docker build -f .ci/images/cpu.Dockerfile -t vpipe:cpu .
#   docker run --rm -p 8000:8000 -e SERVE_KEY -v "$PWD/models:/models:ro" vpipe:cpu
#   docker run --rm -v "$PWD:/data" vpipe:cpu vpipe run default clip.mp4
#
# Clients send the key that SERVE_KEY holds. Models lie in /models: on a volume, or in the image
# with `--build-context models=FOLDER`; the command says which are served.

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

# The library of ONNX Runtime, out of its wheel.
FROM python:3.11-slim-bookworm AS onnxruntime
RUN pip install --no-cache-dir --no-deps --target /wheel onnxruntime==1.26.0 \
    && mkdir /onnxruntime \
    && mv /wheel/onnxruntime/capi/libonnxruntime.so.* /onnxruntime/libonnxruntime.so \
    && mv /wheel/onnxruntime/LICENSE /wheel/onnxruntime/ThirdPartyNotices.txt /onnxruntime/

FROM debian:12.12-slim
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home vpipe \
    && install -d -o 10001 /data
COPY --from=onnxruntime /onnxruntime /usr/local/lib/onnxruntime
COPY --from=build /src/target/package/vpipe /usr/local
COPY --from=models / /models
ENV ORT_DYLIB_PATH=/usr/local/lib/onnxruntime/libonnxruntime.so
USER 10001
WORKDIR /data
EXPOSE 8000
CMD ["vpipe", "serve", "--listen", "0.0.0.0:8000", "--api-key-env", "SERVE_KEY"]
