#!/usr/bin/env bash
# with-certificate.sh USER COMMAND …: the server's key where USER may read it and nobody else, then what the image starts.
# Key and certificate come from the job `certificates`, whose user has another number; servers take no key of a stranger.
set -euo pipefail
for file in key.pem certificate.pem; do
    if [ ! -e "/run/certificates/$file" ]; then
        echo "There is no certificate yet: \`docker compose run --build --rm certificates\` makes it." >&2
        exit 1
    fi
    install --mode=0400 --owner="$1" "/run/certificates/$file" "/run/tls/$file"
done
exec "${@:2}"
