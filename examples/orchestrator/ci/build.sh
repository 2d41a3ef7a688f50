#!/bin/sh
# A build entry point: whatever builds, it is called with these options.
while getopts s:i:d:t:l:c: option; do
  case "$option" in
    s) service=$OPTARG ;;
    i) trace=$OPTARG ;;
    d) span=$OPTARG ;;
    t) traces=$OPTARG ;;
    l) logs=$OPTARG ;;
    c) changeset=$OPTARG ;;
    *) exit 2 ;;
  esac
done
echo "building as ${service:-nobody}, in trace ${trace:-none} below span ${span:-none}"
echo "spans go to ${traces:-nowhere}, log lines to ${logs:-nowhere}"
if [ -s "${changeset:-}" ]; then
  echo "changed:"
  cat "$changeset"
fi
