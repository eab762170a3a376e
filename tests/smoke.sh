#!/usr/bin/env bash
# Installs the product in each of its ways into fresh environments, starts it, and fetches /health:
# bash tests/smoke.sh. It needs the network; tests/test_packaging.py has what can be tested without.
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null

say() { printf '\n== %s\n' "$*"; }

scratch=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$scratch"' EXIT
export HOME=$scratch/home UV_CACHE_DIR=$scratch/uv-cache PIP_DISABLE_PIP_VERSION_CHECK=1
unset XDG_DATA_HOME VIRTUAL_BALANCE_TOKEN
mkdir "$HOME"
python=${PYTHON:-python3}

# Starts the server that the arguments after the first run, and expects its account in the folder $1.
check_server() {
    local folder=$1 line url output
    shift
    exec {output}< <(exec "$@" --port 0)
    server=$!
    read -r line <&"$output" || return 1
    echo "$line"
    url=$(grep -o 'http://[^ ]*' <<<"$line")
    "$python" -c 'import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read())' \
        "$url/health"
    kill "$server"
    server=
    cat <&"$output"
    [ -f "$folder/virtual_balance.json" ]
}

# Prints the folder of the account for the installed program whose Python the arguments run: it is
# in the user's own folder for data. -P keeps that Python from finding the program of this folder.
user_data() {
    local folder
    folder=$("$@" -P -c 'from balance.store.advice import DEFAULT_DATA_DIR as it; print(it)')
    [[ $folder == "$HOME"/* ]] && echo "$folder"
}

say "pip install ."
"$python" -m venv "$scratch/wheel"
"$scratch/wheel/bin/pip" install --quiet .
folder=$(user_data "$scratch/wheel/bin/python")
check_server "$folder" "$scratch/wheel/bin/virtual-balance"
"$scratch/wheel/bin/python" -P -m balance show

say "requirements.lock"
"$python" -m venv "$scratch/lock"
"$scratch/lock/bin/pip" install --quiet --require-hashes -r requirements.lock
"$scratch/lock/bin/pip" check
check_server "$scratch/account" "$scratch/lock/bin/python" app.py --data-dir "$scratch/account"

say "uvx --from . virtual-balance"
"$python" -m venv "$scratch/uv"
"$scratch/uv/bin/pip" install --quiet uv
rm -rf "${HOME:?}"/* "$HOME"/.[!.]*
uvx=$scratch/uv/bin/uvx
folder=$(user_data "$uvx" --quiet --from . --python "$python" python)
check_server "$folder" "$uvx" --quiet --from . --python "$python" virtual-balance

say "The lock on each Python and processor that the container may have"
for version in 3.11 3.12 3.13; do
    for processor in x86_64 aarch64; do
        "$scratch/uv/bin/uv" pip install --dry-run --quiet --require-hashes --only-binary :all: \
            --target "$scratch/target" --python-version "$version" \
            --python-platform "$processor-unknown-linux-gnu" -r requirements.lock
        echo "$version $processor"
    done
done
say "All of them start"
