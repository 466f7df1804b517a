# Debian packages from deps/apt.txt.

# The names in deps/apt.txt that are not installed. npm is only wanted where no npm of any origin is on the path.
missing_packages() {
  local name
  while read -r name; do
    if [[ $name == npm ]] && command -v npm >/dev/null; then continue; fi
    dpkg-query --show --showformat '${db:Status-Status}' "$name" 2>/dev/null | grep --quiet '^installed$' || echo "$name"
  done < <(sed 's/#.*//; s/[[:space:]]*$//; /^$/d' deps/apt.txt)
}

apt_install() {
  local as_root=()
  if ((EUID != 0)); then as_root=(sudo); fi
  export DEBIAN_FRONTEND=noninteractive
  # A stale or partly unreachable index need not matter: whether the packages install is what counts.
  "${as_root[@]}" apt-get update || echo "apt-get update failed; going on with the package lists at hand"
  "${as_root[@]}" apt-get install --yes --no-install-recommends "$@"
}

install_packages() {
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    without_apt
    return
  fi
  local missing
  mapfile -t missing < <(missing_packages)
  if ((${#missing[@]} == 0)); then
    say "packages: all of deps/apt.txt are installed"
    return
  fi
  if ((EUID != 0)) && ! command -v sudo >/dev/null; then
    fail "packages are missing and there is no sudo to install them" "As root: apt-get install ${missing[*]}"
  fi
  if ((EUID != 0)) && ! sudo --non-interactive true 2>/dev/null; then sudo --validate; fi
  quiet_step apt "packages: installing ${missing[*]}" apt_install "${missing[@]}"
  if ((step_status)); then
    fail "apt-get could not install: ${missing[*]}" "Puna is built on Debian 12 or newer (clang 19 is in its updates)." \
      "Install them by hand, then run ./dev setup again; it goes on where it stopped."
  fi
}

# Elsewhere the user's own package manager has to do it; the configure step names a library that is missing.
without_apt() {
  local tool missing=()
  for tool in clang-19 clang++-19 ld.lld cmake ninja ccache pkg-config git curl; do
    command -v "$tool" >/dev/null || missing+=("$tool")
  done
  say "packages: this is no Debian-like system; what is needed is listed, with reasons, in deps/apt.txt"
  if ((${#missing[@]})); then
    fail "these programs are missing: ${missing[*]}" "Install what deps/apt.txt lists (Debian's names) with your package manager."
  fi
}
