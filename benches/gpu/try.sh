#!/usr/bin/env bash
# Tries the models of this machine on a device: builds, brings an ONNX Runtime that has the device, holds what it
# finds against the CPU, and says frames a second at batch 1, 8 and 16, and memory.
#
#   benches/gpu/try.sh [DEVICE] [MODEL.onnx ...]
#
# DEVICE is cuda:0 where it is left out. PROFILE=dev takes the build for development.
set -euo pipefail
cd "$(dirname "$0")/../.."
device=${1:-cuda:0}
shift || true
profile=${PROFILE:-release}

case $device in
  cpu) packages=(onnxruntime) ;;
  cuda*) packages=('onnxruntime-gpu[cuda,cudnn]') ;;
  tensorrt*) packages=('onnxruntime-gpu[cuda,cudnn]' tensorrt) ;;
  openvino) packages=(onnxruntime-openvino) ;;
  *) echo "$device is not tried by this script: it is for Linux" >&2; exit 2 ;;
esac

VIRTUAL_ENV=$PWD/target/gpu/${device%%:*}
[ -x "$VIRTUAL_ENV/bin/python" ] || python3 -m venv "$VIRTUAL_ENV"
"$VIRTUAL_ENV/bin/python" -m pip install -q --disable-pip-version-check "${packages[@]}"
unset ORT_DYLIB_PATH VPIPE_ENGINE
export VIRTUAL_ENV
# What pip brings of CUDA, cuDNN and TensorRT lies beside the package.
for folder in "$VIRTUAL_ENV"/lib/python3*/site-packages/{nvidia/*/lib,tensorrt_libs}; do
  if [ -d "$folder" ]; then
    export LD_LIBRARY_PATH="$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  fi
done

cargo build --locked --profile "$profile"
vpipe=$PWD/target/${profile/#dev/debug}/vpipe
command -v nvidia-smi >/dev/null && nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
"$vpipe" doctor | grep -A1 -E '^(ONNX Runtime|local)' || true

echo "== a run on $device beside one with rten"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Only frames: a device may not take Whisper.
"$vpipe" run default tests/demo/clip.mp4 --without whisper --device "$device" --output-dir "$work/there"
VPIPE_ENGINE=rten "$vpipe" run default tests/demo/clip.mp4 --without whisper --output-dir "$work/here"
"$vpipe" compare "$work/here/clip_results.json" "$work/there/clip_results.json"

echo "== frames a second"
cargo bench --locked --profile "$profile" --bench gpu -- "$device" "$@"
