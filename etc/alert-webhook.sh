#!/bin/sh
# An ALERT_COMMAND that posts {"text":"..."} to a webhook, as Slack, Mattermost and
# others take it:
#
#   ALERT_COMMAND=/usr/local/bin/alert-webhook.sh /etc/fxwire/webhook
#
# The file has the webhook's address in its first line. Who knows that can post, so
# it is shown on no command line and in no environment. Needs curl.
set -eu

file=$1 event=$2 subject=$3 detail=$4
read -r url < "$file" || [ -n "${url-}" ] || {
    echo "$file: no address is in its first line" >&2
    exit 78
}
url=${url%"$(printf '\r')"} # of a file from Windows

# As text between quotes, of JSON or of curl's settings.
quoted() {
    printf '%s' "$1" | tr '\001-\037\177' ' ' | sed 's/[\\"]/\\&/g'
}

# fxwire ends what takes longer than 10 s.
status=$(curl --disable --silent --show-error --globoff --proto '=https,http' \
    --connect-timeout 3 --max-time 5 --output /dev/null --write-out '%{http_code}' \
    --header 'Content-Type: application/json' --data-binary @- --config /dev/fd/3 \
    3<<URL <<TEXT
url = "$(quoted "$url")"
URL
{"text":"fxwire on $(quoted "$(uname -n)"): $event, $(quoted "$subject"): $(quoted "$detail")"}
TEXT
)
case $status in 2*) ;; *)
    echo "the webhook answered with $status" >&2
    exit 69 ;;
esac
