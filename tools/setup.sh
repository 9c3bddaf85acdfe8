#!/bin/sh
# What a fresh machine needs, one part per call: setup.sh venv | latex | latex-missing | data-package | slurm | s3
# The Makefile calls it. It reads nothing from the terminal, and says nothing when there is nothing to do.
set -eu

cd "$(dirname "$0")/.."
root=$(pwd -P)
LATEX_TOOLS="latexmk pdflatex biber"
LATEX_PACKAGES="latexmk texlive-latex-extra texlive-science texlive-fonts-recommended texlive-bibtex-extra biber lmodern"
SLURM_TOOLS="munged slurmctld slurmd sbatch setpriv"
SLURM_PACKAGES="slurm-wlm munge util-linux"

# An active .venv must not be the Python that rebuilds it.
PATH=$(printf '%s\n' "$PATH" | tr : '\n' | grep -vxF "$root/.venv/bin" | paste -s -d : -)
export PATH PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

say() { printf 'phase2: %s\n' "$*" >&2; }
fail() { say "$@"; exit 1; }

is_root() { [ "$(id -u)" = 0 ]; }
as_root() { if is_root; then "$@"; else sudo -n "$@"; fi; }
can_apt() { command -v apt-get >/dev/null && { is_root || sudo -n true 2>/dev/null; }; }

apt() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" </dev/null; }

# Installs system packages; fails, with apt's own error lines, where that cannot be done.
apt_install() {
    can_apt || return 1
    say "installing system packages: $*"
    log=$(mktemp)
    status=0
    { apt update || true; apt install --no-install-recommends "$@" || status=1; } >"$log" 2>&1
    [ $status = 0 ] || grep '^E:' "$log" >&2 || true
    rm -f "$log"
    return $status
}

# As in pyproject.toml.
supported() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' >/dev/null 2>&1; }

# Snakemake starts jobs with the unquoted path of .venv/bin/python: phase2/study/place.py has the same characters.
check_path() {
    case $root in
    *[[:space:]\'\"\`\\\$\&\|\;\<\>\(\)\[\]\{\}\*\?:]*)
        fail "the checkout's path '$root' holds a character that the shell takes apart when a job starts: move the
    checkout to a folder with no spaces, quotes, brackets, colons, $, & or the like in its path, then run make again" ;;
    esac
}

find_python() {
    for python in python3.11 python3.12 python3.13 python3; do
        if supported "$python"; then echo "$python"; return; fi
    done
    return 1
}

# A .venv whose Python is gone or old, or that was moved or copied here, is built anew.
healthy() {
    supported .venv/bin/python && .venv/bin/python -m pip --version >/dev/null 2>&1 &&
        head -n 3 .venv/bin/pip | grep -qF "$root/.venv/bin/python"
}

make_venv() {
    python=$(find_python) ||
        fail "no Python from 3.11 to 3.13 on PATH. Install one, for example: sudo apt-get install python3.11-venv"
    if ! "$python" -c 'import ensurepip' 2>/dev/null; then
        package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
        apt_install "$package" || fail "$python cannot make environments. Run: sudo apt-get install $package"
    fi
    say "making .venv with $("$python" --version)"
    "$python" -m venv --clear .venv
}

setup_venv() {
    check_path
    healthy || make_venv
    say "installing the Python packages of constraints.txt into .venv (some minutes the first time)"
    .venv/bin/python -m pip install -qq -c constraints.txt -e '.[dev]' ||
        fail "the Python packages could not be installed: see pip's error above, then run make again"
    echo "$root" >.venv/.installed
}

# The .sty files that the report asks for by name, those beside it apart.
report_styles() {
    sed -nE 's/^ *\\(usepackage|RequirePackage)(\[.*\])?\{([^}]*)\}.*/\3/p' report/*.tex report/*.sty 2>/dev/null |
        tr -d ' ' | tr , '\n' | sort -u
}

# Prints what the report needs and this machine lacks, one a line.
latex_missing() {
    for tool in $LATEX_TOOLS kpsewhich; do
        command -v "$tool" >/dev/null || echo "$tool"
    done
    command -v kpsewhich >/dev/null || return 0
    for style in $(report_styles); do
        [ -e "report/$style.sty" ] || kpsewhich "$style.sty" >/dev/null || echo "$style.sty"
    done
}

setup_latex() {
    [ -n "$(latex_missing)" ] || return 0
    # shellcheck disable=SC2086
    apt_install $LATEX_PACKAGES || true
    missing=$(latex_missing | paste -s -d ' ' -)
    [ -z "$missing" ] || fail "the report needs LaTeX, and this is missing: $missing. Run this, then make again:
    sudo apt-get update && sudo apt-get install -y --no-install-recommends $LATEX_PACKAGES
(without apt-get: TeX Live with latexmk, biber and these packages, from your system or https://tug.org/texlive)"
}

# For one test alone, and apart from the environment: see the head of the file.
setup_s3() {
    .venv/bin/python -m pip install -qq --no-deps --target .venv/s3 --upgrade -r tests/workflow/s3.txt ||
        fail "the packages for the test of an S3 remote could not be installed: see pip's error above, then run make again"
    touch .venv/s3/.installed
}

# Optional: without it the data come from a mirror or from the official address.
setup_data_package() {
    [ ! -d /usr/share/datasets/fashion-mnist ] || return 0
    [ ! -d "${PHASE2_MIRROR:-/nonexistent}/fashion_mnist" ] || return 0
    [ ! -d data/raw/fashion_mnist ] || return 0
    can_apt || return 0
    apt_install dataset-fashion-mnist ||
        say "dataset-fashion-mnist could not be installed; Fashion-MNIST will come from its official address"
}

slurm_missing() {
    for tool in $SLURM_TOOLS; do
        command -v "$tool" >/dev/null || echo "$tool"
    done
}

# For the tests alone: a cluster's login node has what `snakemake --profile profiles/slurm` needs.
setup_slurm() {
    [ -n "$(slurm_missing)" ] || return 0
    # shellcheck disable=SC2086
    apt_install $SLURM_PACKAGES || true
    missing=$(slurm_missing | paste -s -d ' ' -)
    [ -z "$missing" ] || fail "the tests on a Slurm cluster need $missing. Run this as root, then make again:
    apt-get update && apt-get install -y --no-install-recommends $SLURM_PACKAGES"
}

case "${1:-}" in
venv) setup_venv ;;
latex) setup_latex ;;
latex-missing) latex_missing ;;
data-package) setup_data_package ;;
slurm) setup_slurm ;;
s3) setup_s3 ;;
*) fail "unknown part '${1:-}': expected venv, latex, latex-missing, data-package, slurm or s3" ;;
esac
