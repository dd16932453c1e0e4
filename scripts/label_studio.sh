#!/usr/bin/env bash
# Start Label Studio on 127.0.0.1 with a known user and token; see --help.
set -euo pipefail

readonly VERSION=1.23.2
REPOSITORY="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
readonly REPOSITORY
readonly ENVIRONMENT="$REPOSITORY/.venv-label-studio"
readonly COMPOSE_FILE="$REPOSITORY/docker-compose.labelstudio.yml"
readonly SETTINGS="$REPOSITORY/.env" # of the compose file
readonly DATA="${LABEL_STUDIO_DATA:-$PWD/label_studio_data}"
readonly LONGEST_START=600 # seconds; the first start makes the tables

usage() {
  cat <<END
Usage: bash scripts/label_studio.sh [--pypi] [--install-only]

Starts Label Studio $VERSION on 127.0.0.1, says when it is ready, and stays in the foreground; Ctrl-C stops it.
Where a Docker daemon answers, it runs from docker-compose.labelstudio.yml, with PostgreSQL; else from PyPI, with
SQLite, in an environment of its own ($ENVIRONMENT), which is made if there is none.

  --pypi          from PyPI even where there is Docker
  --install-only  make that environment, start nothing
  --help          this text

Environment variables:
  PORT                   the port (default 8080); a busy one is an error
  LABEL_STUDIO_DATA      folder of the database, the password, the token and the log (default ./label_studio_data);
                         with Docker of the log only, since the data are in volumes
  LABEL_STUDIO_USERNAME  who logs in (default admin@localhost)
  LABEL_STUDIO_PASSWORD  default: made once, kept in \$LABEL_STUDIO_DATA/password
  LABEL_STUDIO_API_KEY   the token, 40 hexadecimal digits; default: made once, kept in \$LABEL_STUDIO_DATA/token
With Docker the defaults stand in $SETTINGS, which is made out of .env.example, with
random secrets, if there is none. User, password and token are those of the first start; later ones do not change them.
END
}

say() { echo "label_studio.sh: $*"; }

fail() {
  say "$*" >&2
  exit 1
}

main() {
  local from_pypi=false install_only=false
  for option in "$@"; do
    case "$option" in
      --pypi) from_pypi=true ;;
      --install-only) install_only=true ;;
      --help | -h) usage && exit ;;
      *) fail "unknown option $option; see --help" ;;
    esac
  done
  if $install_only; then
    install_from_pypi
    exit
  fi
  command -v curl >/dev/null || fail "curl is missing: install it"
  if ! $from_pypi && docker info >/dev/null 2>&1; then
    read_settings
    refuse_busy_port
    start_in_docker
  else
    refuse_busy_port
    choose_credentials
    install_from_pypi
    start_from_pypi
  fi
  # The server is in the background, where an interrupt from the keyboard does not reach it.
  trap 'kill -TERM "$server" 2>/dev/null; wait "$server" 2>/dev/null || true' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  wait_until_ready
  check_token
  announce
  wait "$server"
}

# Label Studio would silently take the next port.
refuse_busy_port() {
  export PORT="${PORT:-8080}"
  readonly URL="http://127.0.0.1:$PORT"
  if (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; then
    fail "port $PORT is in use (a Label Studio that runs already?); stop what uses it or set PORT"
  fi
}

choose_credentials() {
  mkdir -p "$DATA"
  export LABEL_STUDIO_USERNAME="${LABEL_STUDIO_USERNAME:-admin@localhost}"
  token_origin="your environment's LABEL_STUDIO_API_KEY"
  password_origin="your environment's LABEL_STUDIO_PASSWORD"
  if [ -z "${LABEL_STUDIO_API_KEY:-}" ]; then
    token_origin="$DATA/token"
    token_command="cat '$DATA/token'"
    LABEL_STUDIO_API_KEY="$(kept_secret "$DATA/token")"
  fi
  if [ -z "${LABEL_STUDIO_PASSWORD:-}" ]; then
    password_origin="$DATA/password"
    LABEL_STUDIO_PASSWORD="$(kept_secret "$DATA/password")"
  fi
  export LABEL_STUDIO_API_KEY LABEL_STUDIO_PASSWORD
  check_form_of_token
}

check_form_of_token() {
  [[ "$LABEL_STUDIO_API_KEY" =~ ^[0-9a-f]{40}$ ]] || fail "the token ($token_origin) must be 40 hexadecimal digits"
}

# What the compose file needs: from the environment, else from .env. All is exported, and Compose prefers that.
read_settings() {
  mkdir -p "$DATA"
  [ -e "$SETTINGS" ] || make_settings
  token_origin="your environment's LABEL_STUDIO_API_KEY"
  password_origin="your environment's LABEL_STUDIO_PASSWORD"
  if [ -z "${LABEL_STUDIO_API_KEY:-}" ]; then
    token_origin="$SETTINGS"
    token_command="sed -n 's/^LABEL_STUDIO_API_KEY=//p' '$SETTINGS'"
  fi
  [ -n "${LABEL_STUDIO_PASSWORD:-}" ] || password_origin="$SETTINGS"
  local name
  for name in PORT LABEL_STUDIO_USERNAME LABEL_STUDIO_PASSWORD LABEL_STUDIO_API_KEY POSTGRES_PASSWORD; do
    [ -n "${!name:-}" ] || printf -v "$name" %s "$(sed -n "s/^$name=//p" "$SETTINGS" | tail -n 1)"
    [ -n "${!name}" ] || [ "$name" = PORT ] || fail "$name has no value in $SETTINGS; see .env.example"
    export "${name?}"
  done
  check_form_of_token
}

# .env.example with a secret for each empty value; it takes its name when it is whole.
make_settings() {
  local line
  (
    umask 077
    while IFS= read -r line; do
      [[ "$line" =~ ^[A-Z_]+=$ ]] && line+="$(new_secret)"
      printf '%s\n' "$line"
    done <"$REPOSITORY/.env.example" >"$SETTINGS.partial" && mv "$SETTINGS.partial" "$SETTINGS"
  )
  say "made $SETTINGS, with random secrets"
}

# The secret in a file that only its owner can read, made at the first call.
kept_secret() {
  if [ ! -s "$1" ]; then
    (umask 077 && new_secret >"$1")
  fi
  cat "$1"
}

# 40 hexadecimal digits.
new_secret() { od -An -N20 -tx1 /dev/urandom | tr -d ' \n'; }

install_from_pypi() {
  local done_marker="$ENVIRONMENT/label-studio-$VERSION.installed"
  [ -e "$done_marker" ] && return
  say "installing label-studio $VERSION from PyPI into $ENVIRONMENT (about 1 GB, a minute or more) …"
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' || fail "Python 3.10 or newer is needed as python3"
  python3 -m venv "$ENVIRONMENT"
  "$ENVIRONMENT/bin/python" -m pip install --quiet --disable-pip-version-check "label-studio==$VERSION"
  touch "$done_marker"
  say "installed"
}

start_from_pypi() {
  say "starting; its messages go to $DATA/label-studio.log …"
  LABEL_STUDIO_BASE_DATA_DIR="$(cd "$DATA" && pwd)" LABEL_STUDIO_USER_TOKEN="$LABEL_STUDIO_API_KEY" \
    LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN=true LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK=true \
    COLLECT_ANALYTICS=false LATEST_VERSION_CHECK=false SENTRY_DSN='' FRONTEND_SENTRY_DSN='' \
    "$ENVIRONMENT/bin/label-studio" start --no-browser --internal-host 127.0.0.1 --port "$PORT" \
    >>"$DATA/label-studio.log" 2>&1 </dev/null &
  server=$!
}

start_in_docker() {
  local compose=(docker compose)
  docker compose version >/dev/null 2>&1 || compose=(docker-compose)
  command -v "${compose[0]}" >/dev/null || fail "Docker is here but its compose is not: install it or add --pypi"
  say "starting in Docker; its messages go to $DATA/label-studio.log …"
  "${compose[@]}" -f "$COMPOSE_FILE" up >>"$DATA/label-studio.log" 2>&1 </dev/null &
  server=$!
}

wait_until_ready() {
  local end=$((SECONDS + LONGEST_START))
  until curl --noproxy '*' --silent --fail --max-time 5 --output /dev/null "$URL/health"; do
    kill -0 "$server" 2>/dev/null || fail "it ended: $(tail -n 3 "$DATA/label-studio.log")"
    [ "$SECONDS" -lt "$end" ] || fail "no answer from $URL within $LONGEST_START s; see $DATA/label-studio.log"
    sleep 0.5
  done
}

# A database that was made with another token keeps that one. Through standard input, so that no process list shows it.
check_token() {
  echo "header = \"Authorization: Token $LABEL_STUDIO_API_KEY\"" |
    curl --noproxy '*' --silent --fail --max-time 30 --output /dev/null --config - "$URL/api/current-user/whoami" ||
    fail "the token ($token_origin) is not accepted: the data were made with another one, or with another user;" \
      "give those (no LABEL_STUDIO_API_KEY in the environment: what was made here), or start with other data"
}

announce() {
  say "ready at $URL; log in as $LABEL_STUDIO_USERNAME with the password in $password_origin"
  if [ -n "${token_command:-}" ]; then
    say "for the other programs: export LABEL_STUDIO_API_KEY=\"\$($token_command)\""
  fi
  say "Ctrl-C stops it"
}

main "$@"
