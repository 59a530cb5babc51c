#!/bin/sh
# Creates a virtual environment with uv, needing nothing but Python: boot.sh FOLDER PINS
set -eu
folder=$1 pins=$2

for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11 python3.14; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
if [ -z "${python:-}" ]; then
    echo "Slipway needs Python 3.11 or newer, which was not found. Use PYTHON=/path/to/python make setup." >&2
    exit 1
fi

echo "Setting up with $("$python" --version) ..."
if ! reason=$("$python" -m venv "$folder" 2>&1); then
    echo "$reason" >&2
    echo "The virtual environment could not be created. On Debian and Ubuntu, install python3-venv." >&2
    exit 1
fi
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check \
    --require-hashes --only-binary :all: --requirement "$pins"
touch "$folder/bin/uv"
