#!/bin/sh
# A driver in POSIX sh, with curl (from 7.55 on) and jq: brings files to a folder, and takes them away again.
# It follows docs/driver-protocol.md step by step, and shows what a driver in any language has to do.
#
#   LINESHAFT_URL=https://ci.example.org LINESHAFT_WORKER_KEY=lsw_... UPLOAD_FOLDER=/srv/files ./upload.sh
#   lineshaft driver check -- ./upload.sh
set -u
umask 077

: "${LINESHAFT_WORKER_KEY:?is not set: lineshaft worker-key create upload --driver upload makes one}"
url=${LINESHAFT_URL:-http://localhost:5001}
url=${url%/}/v1/worker
name=upload@${UPLOAD_NAME:-$(uname -n)}
target=${UPLOAD_FOLDER:-uploaded}

folder=$(mktemp -d) || exit 1
heart=
end() {
    code=$?
    [ -z "$heart" ] || kill "$heart" 2>/dev/null
    rm -rf "$folder"
    exit "$code"
}
trap end EXIT
# The first signal drains: what is in hand is done to its end.
trap 'touch "$folder/draining"' TERM INT

# In a file of its user's alone: what is on a command line can be seen by everybody.
{
    printf 'header = "Authorization: Bearer %s"\n' "$LINESHAFT_WORKER_KEY"
    printf 'header = "Lineshaft-Protocol: 4"\n'
} >"$folder/curl"
unset LINESHAFT_WORKER_KEY
touch "$folder/token" "$folder/lease-header"
echo '[]' >"$folder/stopping"

say() {
    printf '%s\n' "upload.sh: $*" >&2
}

new_token() {
    od -An -N16 -tx1 /dev/urandom | tr -d ' \n'
}

# call FILE METHOD PATH [CURL-OPTION...]: sends FILE.send, and keeps the answer in FILE.got and its status in
# `status`; 000 means that there was none.
call() {
    file=$1 method=$2 path=$3
    shift 3
    status=$(curl --silent --config "$folder/curl" --connect-timeout 5 --max-time 30 --request "$method" \
        --data-binary "@$file.send" --dump-header "$file.head" --output "$file.got" \
        --write-out '%{http_code}' "$@" "$url$path") || status=000
}

# The same, again and again until the server has answered, which a 5xx is not: the same call may be repeated.
call_until_answered() {
    pause=1
    while
        call "$@"
        case $status in
        000 | 429 | 5??) ;;
        *) return ;;
        esac
    do
        after=$(sed -n 's/^[Rr]etry-[Aa]fter: *\([0-9]\{1,2\}\)[^0-9]*$/\1/p' "$1.head" 2>/dev/null | tail -n 1)
        sleep "$((pause + ${after:-0}))"
        pause=$((pause < 8 ? pause * 2 : 10))
    done
}

post() {
    call_until_answered "$folder/$1" POST "/$1" --header 'Content-Type: application/json'
}

problem() {
    jq -r '.type // "" | sub(".*:"; "")' "$1" 2>/dev/null
}

detail() {
    say "$(jq -r '.detail // "The server gives no reason."' "$1" 2>/dev/null)"
}

register() {
    # Only the first try names the session before: a try that was not answered may have ended that one.
    former=$(cat "$folder/session" 2>/dev/null)
    while :; do
        [ ! -e "$folder/draining" ] || exit 0
        jq -n --arg name "$name" --arg former "$former" '{
            protocol: 4, name: $name, kinds: ["upload"], slots: 1,
            former: (if $former == "" then null else $former end),
            drivers: [{name: "upload", resources: ["app"], description: "Bring files to a folder."}]
        }' >"$folder/register.send"
        call "$folder/register" POST /register --header 'Content-Type: application/json'
        case $status in
        200) break ;;
        000 | 429 | 5??) former='' ;;
        401 | 403) detail "$folder/register.got"; exit 6 ;;
        409) detail "$folder/register.got"; exit 5 ;;
        *) detail "$folder/register.got"; exit 8 ;;
        esac
        sleep 1
    done
    jq -r .worker_id "$folder/register.got" >"$folder/session"
    token=$(new_token)
    rm -f "$folder/forgotten"
}

# Heartbeats, in a process of their own for as long as the driver lives: they keep the lease whose token is in
# the file `token`, and leave in files what the server tells.
beat() {
    # A lease must not outlive the driver.
    while kill -0 "$$" 2>/dev/null; do
        session=$(cat "$folder/session")
        held=$(cat "$folder/token")
        draining=false
        [ ! -e "$folder/draining" ] || draining=true
        jq -n --arg session "$session" --arg held "$held" --argjson draining "$draining" \
            --slurpfile stopping "$folder/stopping" '{
                worker_id: $session, tokens: (if $held == "" then [] else [$held] end),
                stopping: $stopping[0], draining: $draining, wait_seconds: 5
            }' >"$folder/heartbeat.send"
        call "$folder/heartbeat" POST /heartbeat --header 'Content-Type: application/json'
        case $status in
        200)
            jq -c .stop "$folder/heartbeat.got" >"$folder/stopping"
            if [ "$(jq .drain "$folder/heartbeat.got")" = true ]; then touch "$folder/draining"; fi
            if [ -n "$held" ]; then
                [ "$(jq '.living | length' "$folder/heartbeat.got")" -gt 0 ] || touch "$folder/dead-$held"
                [ "$(jq '.stop | length' "$folder/heartbeat.got")" -eq 0 ] || touch "$folder/stop-$held"
            fi
            ;;
        404)
            [ -z "$held" ] || touch "$folder/dead-$held"
            # It may have been said of a session that is over already.
            [ "$session" != "$(cat "$folder/session")" ] || touch "$folder/forgotten"
            sleep 1
            ;;
        *) sleep 1 ;;
        esac
    done
}

# What the driver is for. Its output becomes the step's log; its result goes to the file `result`.
perform() {
    case $(jq -r '.work.inputs.behaviour // ""' "$folder/lease") in
    '') upload ;;
    # These are for the conformance suite.
    succeed) succeed 'succeeded, as it was told' "$(jq -c '{value: .work.inputs.value}' "$folder/lease")" ;;
    fail) fail 'failed, as it was told' ;;
    log)
        number=1 last=$(jq .work.inputs.lines "$folder/lease")
        while [ "$number" -le "$last" ]; do
            echo "line $number"
            number=$((number + 1))
        done
        succeed 'logged, as it was told' '{}'
        ;;
    wait)
        echo waiting
        until=$(jq -r .work.inputs.until "$folder/lease")
        while [ ! -e "$until" ]; do sleep 1; done
        succeed 'waited, as it was told' '{}'
        ;;
    *) fail 'There is no such behaviour.' ;;
    esac
}

upload() {
    app=$(jq -r '.driver.resource.name // ""' "$folder/lease")
    case $app in
    '' | .* | */*) fail 'There is no application to upload.'; return ;;
    esac
    if [ "$(jq -r .driver.event "$folder/lease")" = deleted ]; then
        rm -f "$target/$app" && succeed "$app is gone" '{}' || fail "$app cannot be removed."
        return
    fi
    from=$(jq -r '.work.inputs.from // ""' "$folder/lease")
    echo "Uploading $from as $app."
    # Whoever reads meanwhile sees the former file, or this one, and no half.
    if mkdir -p "$target" && cp -- "$from" "$target/.$app" && mv "$target/.$app" "$target/$app"; then
        succeed "uploaded $app" "$(jq -n --arg place "$target/$app" '{place: $place}')"
    else
        fail "$from cannot be uploaded."
    fi
}

succeed() {
    jq -n --arg message "$1" --argjson data "$2" '{success: true, message: $message, data: $data}' >"$folder/result"
}

fail() {
    jq -n --arg message "$1" '{success: false, message: $message, data: {}}' >"$folder/result"
}

# Secrets that the step names are in its lease, and must not be in its log.
mask() {
    jq -r '.secret_values // {} | .[] | split("\n")[] | select(length > 0)' "$folder/lease" >"$folder/secrets"
    awk '
        FILENAME == ARGV[1] { hidden[++count] = $0; next }
        {
            for (i = 1; i <= count; i++) {
                rest = $0
                $0 = ""
                while ((at = index(rest, hidden[i])) > 0) {
                    $0 = $0 substr(rest, 1, at - 1) "***"
                    rest = substr(rest, at + length(hidden[i]))
                }
                $0 = $0 rest
            }
            print
        }
    ' "$folder/secrets" -
}

# send_log [LINES]: appends what is new to the log, of whole lines only unless it is said how many there are.
send_log() {
    lines=${1:-$(wc -l <"$folder/output")}
    if [ "$lines" -gt "$lines_sent" ]; then
        sed -n "$((lines_sent + 1)),${lines}p" "$folder/output" | mask >>"$folder/masked"
        lines_sent=$lines
    fi
    size=$(wc -c <"$folder/masked")
    while [ "$offset" -lt "$size" ]; do
        tail -c "+$((offset + 1))" "$folder/masked" | head -c 1048576 >"$folder/log.send"
        call_until_answered "$folder/log" PUT "$attempt/log?offset=$offset" \
            --header 'Content-Type: application/octet-stream' --header "@$folder/lease-header"
        case $status:$(problem "$folder/log.got") in
        200:*) offset=$(jq .size_bytes "$folder/log.got") ;;
        409:log-offset) offset=$(jq .expected_offset "$folder/log.got") ;;
        *) touch "$folder/dead-$token"; return ;;
        esac
    done
}

report() {
    jq -n --arg session "$(cat "$folder/session")" --arg token "$token" --arg state "$1" --arg code "$2" \
        --slurpfile lease "$folder/lease" --slurpfile result "$folder/result" '{
            worker_id: $session, address: $lease[0].address, token: $token,
            outcome: {
                state: $state, result: $result[0],
                reason: (if $code == "" then null else {code: $code, text: $result[0].message} end)
            }
        }' >"$folder/report.send"
    post report
    # 409 says that the lease is dead, or that a try before this one has arrived: there is nothing more to do.
    case $status in
    200 | 404 | 409) ;;
    *) detail "$folder/report.got" ;;
    esac
}

# Does the attempt in the file `lease`.
work() {
    token=$(jq -r .token "$folder/lease")
    attempt=$(jq -r '.address | "/runs/\(.run_id)/nodes/\(.node)/attempts/\(.attempt)"' "$folder/lease")
    printf 'Lineshaft-Lease: %s\n' "$token" >"$folder/lease-header"
    printf '%s' "$token" >"$folder/token"
    offset=0 lines_sent=0 stopped=
    rm -f "$folder/done" "$folder/result"
    : >"$folder/output" >"$folder/masked"
    fail 'It ended without a result.'
    (
        perform >"$folder/output" 2>&1
        touch "$folder/done"
    ) &
    working=$!
    until [ -e "$folder/done" ]; do
        if [ -e "$folder/stop-$token" ] || [ -e "$folder/dead-$token" ]; then
            kill "$working" 2>/dev/null
            stopped=yes
            break
        fi
        send_log
        sleep 1
    done
    wait "$working"
    if [ ! -e "$folder/dead-$token" ]; then send_log "$(awk 'END { print NR }' "$folder/output")"; fi
    if [ -e "$folder/dead-$token" ]; then
        say 'The lease is dead, and its work is dropped.'
    elif [ -n "$stopped" ]; then
        fail 'It was told to stop.'
        report cancelled worker_stopped
    elif [ "$(jq .success "$folder/result")" = true ]; then
        report succeeded ''
    else
        report failed driver_failed
    fi
    : >"$folder/token"
    rm -f "$folder/lease" "$folder/secrets" "$folder/output" "$folder/masked" "$folder/stop-$token" "$folder/dead-$token"
    echo '[]' >"$folder/stopping"
    token=$(new_token)
}

register
beat &
heart=$!
while :; do
    [ ! -e "$folder/forgotten" ] || register
    slots=1
    # When it drains, it asks only for what an earlier claim has brought, and an answer may have been lost.
    [ ! -e "$folder/draining" ] || slots=0
    jq -n --arg session "$(cat "$folder/session")" --arg token "$token" --argjson slots "$slots" \
        '{worker_id: $session, slots: $slots, wait_seconds: (5 * $slots), token: $token}' >"$folder/claim.send"
    post claim
    case $status in
    200)
        if [ "$(jq '.leases | length' "$folder/claim.got")" -gt 0 ]; then
            jq '.leases[0]' "$folder/claim.got" >"$folder/lease"
            work
        elif [ "$slots" -eq 0 ]; then
            exit 0
        fi
        ;;
    404) touch "$folder/forgotten" ;;
    401 | 403)
        detail "$folder/claim.got"
        exit 6
        ;;
    *)
        detail "$folder/claim.got"
        sleep 1
        ;;
    esac
done
