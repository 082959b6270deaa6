# Read by the other scripts (". scripts/venv.sh"): makes the virtual environment and installs into it.
# VENV: its folder (default .venv). PYTHON: the Python to make it with (default: the first that is new enough).

VENV=${VENV:-.venv}

find_python() {
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "Python 3.11 or newer is needed, and none was found. Set PYTHON to its path." >&2
    return 1
}

# find_version 3.12: a Python of that version, on PATH, of pyenv or of uv.
find_version() {
    for candidate in "python$1" python3 "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".*/bin/python \
        "$(command -v uv >/dev/null && uv python find "$1" 2>/dev/null)"; do
        # pyenv has a program for each version, also for those that are not activated: only a run tells.
        if "$candidate" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$1')" 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "Python $1 was not found on PATH, in pyenv or in uv. To install it: uv python install $1, or" >&2
    echo "pyenv install $1, or your system's package of python$1." >&2
    return 1
}

make_venv() {
    "$VENV/bin/python" -m pip --version >/dev/null 2>&1 && return
    python=$(find_python) || return 1
    echo "Making $VENV …" >&2
    if ! "$python" -m venv --clear "$VENV"; then
        rm -rf "$VENV"
        echo "$python could not make a virtual environment." >&2
        echo "On Debian and Ubuntu: apt-get install python3-venv" >&2
        return 1
    fi
}

# list_required: each library that setup.cfg requires with its oldest version: "Flask 3.0".
list_required() {
    awk '/^install_requires|^[a-z]+ =$/ { on = !/^(all|test|release) =/ } on' setup.cfg |
        sed -n 's/^ *\([A-Za-z-]*\)>=\([0-9.]*\)$/\1 \2/p'
}

# install NAME REQUIREMENT…: does nothing while the stamp of NAME is newer than what declares the requirements.
install() {
    stamp=$VENV/.installed-$1
    shift
    make_venv || return 1
    [ "$stamp" -nt setup.cfg ] && [ "$stamp" -nt pyproject.toml ] && return
    echo "Installing into $VENV …" >&2
    "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check "$@" && touch "$stamp"
}
