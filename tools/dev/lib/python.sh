# Python environments below the cache folder: one with pip alone, and one for each lock file.

need_python() {
  if python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then return; fi
  fail "python3 is missing, older than 3.11, or lacks venv" "Install Debian's python3 and python3-venv, or put a newer python3 first in PATH."
}

# make_venv FOLDER [PIP ARGUMENT…]: a fresh environment, into which pip then installs what is named.
make_venv() {
  local folder=$1
  shift
  rm -rf "$folder"
  python3 -m venv "$folder"
  if (($#)); then "$folder/bin/python" -m pip --disable-pip-version-check --no-input install "$@"; fi
  touch "$folder/.complete"
}

# Sets $pip_python, a Python that has pip.
make_pip() {
  local folder=$cache/venv/pip
  need_python
  if [[ ! -f $folder/.complete ]] || ! "$folder/bin/python" -c '' 2>/dev/null; then
    quiet_step venv-pip "python: making an environment with pip" make_venv "$folder"
    if ((step_status)); then fail "python3 -m venv failed" "Debian's python3 needs the package python3-venv beside it."; fi
  fi
  pip_python=$folder/bin/python
}

# make_environment NAME LOCK WHAT: the environment NAME, named by what it is made from, with what LOCK lists; build/deps/NAME-venv links to it.
make_environment() {
  local name=$1 lock=$2 what=$3 folder
  need_python
  folder=$cache/venv/$name-$({ python3 --version && cat "$lock"; } | sha256sum | cut -c1-12)
  if [[ -f $folder/.complete ]] && "$folder/bin/python" -c '' 2>/dev/null; then
    say "python: $what are at hand"
  else
    mkdir -p "$cache/venv"
    quiet_step "venv-$name" "python: installing $what of $lock" make_venv "$folder" --require-hashes --only-binary :all: --requirement "$lock"
    if ((step_status)); then
      fail "pip could not install $lock" "It needs the network once, through the index that your pip is set up with." \
        "By hand: make $folder with python3 -m venv," \
        "install the lock file into it (--find-links takes a folder of wheels), and touch $folder/.complete"
    fi
  fi
  mkdir -p build/deps
  ln -sfn "$folder" "build/deps/$name-venv"
}
