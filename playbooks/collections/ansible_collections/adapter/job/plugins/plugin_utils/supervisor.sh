# SPDX-License-Identifier: GPL-3.0-or-later
# Runs on the target, sent as `sh -c`: starts a script detached, exactly once, and tells how it stands.
# POSIX sh; beside it only id, mkdir, cat, wc, tail, head, sleep, kill, ls, rm, mv, and setsid (or perl).
#
#   start  KEY NONCE USER TIMEOUT LANGUAGE BYTES OFFSET MAX WAIT   (stdin: one line of parameters, then the script)
#   follow KEY NONCE USER OFFSET MAX WAIT
#   stop   KEY NONCE USER
#   clean  KEY NONCE USER
#
# The run directory of a KEY holds: launched/ (mkdir is the lock: whoever makes it launches), script, out,
# pid (of the runner), group (process group of the script), stop, timeout, and at the end `rc` with
# "<cause> <exit code>". Every answer is
#   NONCE BEGIN <n>, n bytes of output from OFFSET, NONCE END <state> <exit code> <bytes printed so far> <detail>
verb=$1 key=$2 nonce=$3 user=$4
umask 077
me=$(id -un) || me=$(id -u)
base=/tmp/bkjob.$(id -u)
run=$base/$key

answer() { # state exit_code detail
    size=0 n=0
    if [ -f "$run/out" ]; then
        size=$(($(wc -c < "$run/out")))
        n=$((size - offset))
        [ "$n" -le "$max" ] || n=$max
        [ "$n" -ge 0 ] || n=0
    fi
    printf '%s BEGIN %s\n' "$nonce" "$n"
    [ "$n" -eq 0 ] || tail -c "+$((offset + 1))" "$run/out" | head -c "$n"
    printf '\n%s END %s %s %s %s\n' "$nonce" "$1" "$2" "$size" "$3"
    exit 0
}

alive() { # pid: of a process that is there and not a zombie, which a container's first process may never collect
    kill -0 "$1" 2>/dev/null || return 1
    if read -r stat 2>/dev/null < "/proc/$1/stat"; then
        case ${stat##*) } in Z*) return 1 ;; esac
    fi
}

report() { # how the run stands
    if [ -s "$run/rc" ]; then
        read -r cause code < "$run/rc"
        answer "$cause" "$code" -
    fi
    if [ -s "$run/pid" ]; then
        read -r pid < "$run/pid"
        if alive "$pid"; then answer running - -; fi
        # It may have ended between the two looks.
        if [ -s "$run/rc" ]; then report; fi
        answer lost - "the process watching over the script is gone: the host restarted or it was killed"
    fi
    [ -d "$run/launched" ] || answer gone - "nothing of this run is on the host"
    answer launching - -
}

wait_for() { # seconds: until it ended, printed something new, or the time is up
    passed=0 pause=2 limit=$1 watcher=
    while [ "$passed" -lt "$((limit * 100))" ]; do
        [ -s "$run/rc" ] && return
        [ -n "$watcher" ] || { [ -s "$run/pid" ] && read -r watcher < "$run/pid"; }
        if [ -n "$watcher" ] && ! alive "$watcher"; then return; fi
        if [ -f "$run/out" ] && [ "$max" -gt 0 ] && [ "$(wc -c < "$run/out")" -gt "$offset" ] && [ "$passed" -ge 10 ]; then
            return
        fi
        if [ "$pause" -lt 10 ]; then fraction=0.0$pause; else fraction=0.$pause; fi
        sleep "$fraction" 2>/dev/null || { sleep 1; pause=100; }
        passed=$((passed + pause))
        if [ "$pause" -lt 25 ]; then pause=$((pause * 2)); fi
        if [ "$pause" -gt 25 ]; then pause=25; fi
    done
}

own_base() { # a directory of ours that nobody else could have prepared
    mkdir "$base" 2>/dev/null
    if [ -L "$base" ] || [ ! -d "$base" ] || [ ! -O "$base" ]; then
        answer refused - "$base is not a directory owned by $me"
    fi
    chmod 700 "$base"
}

launch() {
    cat > "$run/runner" <<'RUNNER'
# Started as: runner watch RUN TIMEOUT LANGUAGE, which starts: runner script RUN - LANGUAGE
verb=$1 run=$2 timeout=$3 language=$4
detach() { # the session of its own is also the process group that stop and timeout kill
    if command -v setsid >/dev/null 2>&1; then exec setsid "$@"; fi
    exec perl -e 'use POSIX; POSIX::setsid(); exec @ARGV' "$@"
}

if [ "$verb" = script ]; then
    IFS= read -r param < "$run/param"
    rm -f "$run/param"
    IFS= read -r first < "$run/script"
    cr=$(printf '\r')
    first=${first%"$cr"}
    case $first in
    '#!'*) interpreter=${first#??} ;;
    *)
        interpreter=
        case $language in
        1) candidates="bash sh" ;;
        3) candidates=perl ;;
        4) candidates="python3 python python2" ;;
        esac
        for candidate in $candidates; do
            if command -v "$candidate" >/dev/null 2>&1; then interpreter=$candidate; break; fi
        done
        if [ -z "$interpreter" ]; then echo "no interpreter on this host: looked for $candidates"; exit 127; fi
        ;;
    esac
    # A shell that cannot read it would print it, and it may be a secret.
    if [ -n "$param" ] && ! printf ': %s\n' "$param" | sh -n > /dev/null 2>&1; then
        echo "the parameter is no part of a command line: its quotes or brackets do not match"
        exit 2
    fi
    cd "${HOME:-/}" 2>/dev/null || cd /
    # The parameters are the rest of a command line, as JOB has them: this shell splits them.
    eval "exec $interpreter \"\$run/script\" $param"
fi

echo $$ > "$run/pid.new" && mv "$run/pid.new" "$run/pid"
detach sh "$0" script "$run" - "$language" > "$run/out" 2>&1 < /dev/null &
script=$!
echo "$script" > "$run/group.new" && mv "$run/group.new" "$run/group"
if [ -e "$run/stop" ]; then kill -KILL "-$script" 2>/dev/null || kill -KILL "$script"; fi
(
    sleep "$timeout" &
    nap=$!
    trap 'kill $nap 2>/dev/null; exit 0' TERM
    wait "$nap"
    trap '' TERM
    [ -e "$run/rc" ] && exit 0
    : > "$run/timeout"
    kill -TERM "-$script" 2>/dev/null
    tries=0
    while kill -0 "-$script" 2>/dev/null && [ "$tries" -lt 30 ]; do
        sleep 0.1 2>/dev/null || sleep 1
        tries=$((tries + 1))
    done
    kill -KILL "-$script" 2>/dev/null
) < /dev/null > /dev/null 2>&1 &
watchdog=$!
wait "$script"
code=$?
cause=finished
if [ -e "$run/timeout" ]; then
    cause=timeout
    wait "$watchdog"
else
    kill "$watchdog" 2>/dev/null
fi
if [ -e "$run/stop" ]; then cause=terminated; fi
until echo "$cause $code" > "$run/rc.new" && [ -s "$run/rc.new" ] && mv "$run/rc.new" "$run/rc"; do sleep 1; done
RUNNER
    if command -v setsid >/dev/null 2>&1; then
        setsid sh "$run/runner" watch "$run" "$timeout" "$language" < /dev/null > /dev/null 2>&1 &
    elif command -v perl >/dev/null 2>&1; then
        perl -e 'use POSIX; POSIX::setsid(); exec @ARGV' sh "$run/runner" watch "$run" "$timeout" "$language" \
            < /dev/null > /dev/null 2>&1 &
    else
        answer refused - "neither setsid nor perl is on this host: a script cannot be detached"
    fi
}

offset=0 max=0
if [ -n "$user" ] && [ "$me" != "$user" ]; then answer wrong_user - "logged in as $me, not as $user"; fi

case $verb in
start)
    timeout=$5 language=$6 bytes=$7 offset=$8 max=$9
    shift 9
    own_base
    mkdir "$run" 2>/dev/null
    [ -d "$run" ] || answer refused - "cannot make $run: is the disk full?"
    if [ ! -d "$run/launched" ] && [ ! -e "$run/stop" ]; then
        IFS= read -r param
        cat > "$run/script.$$"
        if [ "$(($(wc -c < "$run/script.$$")))" -ne "$bytes" ]; then
            rm -f "$run/script.$$"
            answer refused - "the script did not arrive whole: the connection broke or the disk is full"
        fi
        if mkdir "$run/launched" 2>/dev/null; then
            printf '%s\n' "$param" > "$run/param"
            mv "$run/script.$$" "$run/script"
            launch
        else
            rm -f "$run/script.$$"
        fi
    fi
    if [ -e "$run/stop" ] && [ ! -d "$run/launched" ]; then answer terminated - "stopped before it started"; fi
    wait_for "$1"
    report
    ;;
follow)
    offset=$5 max=$6
    wait_for "$7"
    report
    ;;
stop)
    own_base
    mkdir "$run" 2>/dev/null
    if [ ! -s "$run/rc" ]; then : > "$run/stop"; fi
    [ -d "$run/launched" ] || answer terminated - "stopped before it started"
    tries=0
    while [ ! -s "$run/group" ] && [ ! -s "$run/rc" ] && [ "$tries" -lt 20 ]; do
        sleep 0.1 2>/dev/null || sleep 1
        tries=$((tries + 1))
    done
    if [ -s "$run/group" ] && [ ! -s "$run/rc" ]; then
        read -r group < "$run/group"
        kill -TERM "-$group" 2>/dev/null
        tries=0
        while kill -0 "-$group" 2>/dev/null && [ "$tries" -lt 20 ]; do
            sleep 0.1 2>/dev/null || sleep 1
            tries=$((tries + 1))
        done
        kill -KILL "-$group" 2>/dev/null
        wait_for 5
    fi
    report
    ;;
clean)
    rm -rf "$run"
    # Runs that were stopped or lost stay, so that a late start finds them; a week is late enough.
    find "$base" -mindepth 1 -maxdepth 1 -mtime +7 -exec rm -rf {} + 2>/dev/null
    answer gone - -
    ;;
esac
