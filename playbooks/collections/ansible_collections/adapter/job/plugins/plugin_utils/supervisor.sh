# SPDX-License-Identifier: GPL-3.0-or-later
# Runs on the target as `sh`, after runs.sh: starts a script detached, exactly once, and tells how it stands.
# POSIX sh; beside it only id, mkdir, wc, tail, head, sleep, rm, find, and setsid (or perl). Every process that is
# started here is paid for on every host of every job: builtins come first.
#
#   start  KEY NONCE USER TIMEOUT LANGUAGE BYTES OFFSET MAX WAIT LINGER [WRAPPER]
#          (stdin: one line of parameters, the script, a line with NONCE; of its BYTES the first WRAPPER are a
#          wrapper, see variables.py, which runs instead of the script and sources it)
#   follow KEY NONCE USER OFFSET MAX WAIT LINGER
#   stop   KEY NONCE USER
#   clean  KEY NONCE USER KEY...
#
# The run directory of a KEY holds: launched (made exclusively: whoever makes it launches), script.* and its .param
# and .vars (the wrapper), vars (the variables at the script's end, as the wrapper wrote them), out, pid (of the runner), group (process group of the script), stop, timeout, and at the end `rc` with
# "<cause> <exit code>". What a full disk could keep from being written is there before the script runs (pid and
# group as "-"); rc is tried again until there is room. Once collected the directory is replaced by an empty file: a
# late start must not run it again.
# LANGUAGE is JOB's number; 6 is sql.sh with SQL below it, which reads the line of parameters from its standard input.
# WAIT is seconds until the answer if nothing ends, LINGER hundredths of a second that new output is waited on.
# Every answer is
#   NONCE BEGIN -, at most MAX bytes of output from OFFSET, NONCE END <state> <exit code> <size> <detail>
# with NONCE VARS and what `vars` holds before the end, if the script has ended by itself and there is any; size is the bytes printed so far, or - if MAX was not used up: then it is what was sent that tells.
verb=$1 key=$2 nonce=$3 user=$4
umask 077
offset=0 max=0 run=

answer() { # state exit_code detail
    printf '%s BEGIN -\n' "$nonce"
    size=0
    if [ -s "$run/out" ]; then
        size=-
        if [ "$max" -eq 0 ]; then size=$(($(wc -c < "$run/out")))
        elif [ "$offset" -eq 0 ]; then head -c "$max" "$run/out"
        else tail -c "+$((offset + 1))" "$run/out" | head -c "$max"; fi
    fi
    if [ "$1" = finished ] && [ -s "$run/vars" ]; then
        printf '\n%s VARS\n' "$nonce"
        head -c 1048576 "$run/vars"
    fi
    printf '\n%s END %s %s %s %s\n' "$nonce" "$1" "$2" "$size" "$3"
    exit 0
}

noted() { # pid or group: what it says, nothing while it only keeps its place
    noted=
    if [ -s "$run/$1" ]; then read -r noted < "$run/$1"; fi
    noted=${noted#-}
}

report() { # how the run stands
    if [ -s "$run/rc" ]; then
        read -r cause code < "$run/rc"
        answer "$cause" "$code" -
    fi
    noted pid
    if [ -n "$noted" ]; then
        if alive "$noted"; then answer running - -; fi
        # It may have ended between the two looks.
        if [ -s "$run/rc" ]; then report; fi
        answer lost - "the process watching over the script is gone: the host restarted or it was killed"
    fi
    if [ -f "$run" ]; then answer gone - "the run was collected and removed from the host before"; fi
    [ -e "$run/launched" ] || answer gone - "nothing of this run is on the host"
    answer launching - -
}

has_news() { # output beyond what was asked from
    [ "$max" -gt 0 ] && [ -s "$run/out" ] || return 1
    [ "$offset" -eq 0 ] || [ "$(($(wc -c < "$run/out")))" -gt "$offset" ]
}

nap() { # hundredths of a second, less than 100: over at once when the script ends, as its runner ends the sleep
    if [ "$1" -lt 10 ]; then sleep "0.0$1" > /dev/null 2>&1 &
    else sleep "0.$1" > /dev/null 2>&1 &
    fi
    nap=$!
    { echo "$nap" > "$run/nap"; } 2>/dev/null
    if [ -s "$run/rc" ]; then kill "$nap"; fi
    # Below 128 it was not ended by a signal: a sleep that knows whole seconds only.
    wait "$nap" || [ $? -gt 128 ] || sleep 1
    { true > "$run/nap"; } 2>/dev/null
}

wait_for() { # seconds, linger: until it ended, printed something new, or the time is up
    passed=0 pause=10 left=$(($1 * 100)) watcher=
    while [ "$left" -gt 0 ]; do
        if [ -s "$run/rc" ] || [ -f "$run" ]; then return; fi
        if [ -z "$watcher" ]; then noted pid; watcher=$noted; fi
        if [ -n "$watcher" ] && ! alive "$watcher"; then return; fi
        if [ "$passed" -ge "$2" ] && has_news; then return; fi
        if [ "$pause" -gt 50 ]; then pause=50; fi
        if [ "$pause" -gt "$left" ]; then pause=$left; fi
        nap "$pause"
        passed=$((passed + pause)) left=$((left - pause)) pause=$((pause * 2))
    done
}

own_base() { # a directory of ours that nobody else could have prepared
    [ -d "$base" ] || mkdir "$base" 2>/dev/null
    if [ -L "$base" ] || [ ! -d "$base" ] || [ ! -O "$base" ]; then
        answer refused - "$base is not a directory owned by ${user:-$me}"
    fi
    [ -d "$run" ] || mkdir "$run" 2>/dev/null
}

end_group() { # pid: SIGTERM, two seconds, SIGKILL; its group may not be there yet
    kill -TERM "-$1" 2>/dev/null || kill -TERM "$1" 2>/dev/null
    tries=0
    while kill -0 "-$1" 2>/dev/null && [ "$tries" -lt 20 ]; do
        sleep 0.1 2>/dev/null || sleep 1
        tries=$((tries + 1))
    done
    kill -KILL "-$1" 2>/dev/null || kill -KILL "$1" 2>/dev/null
}

# Started as: runner RUN SCRIPT TIMEOUT LANGUAGE DETACH VARS: DETACH being words that give a program its own session,
# VARS what is added to the name of the script for the name of its wrapper, if it has one.
# No single quote may stand in it.
runner='
run=$1 script=$2 timeout=$3 language=$4 detach=$5 vars=$6
echo $$ 1<> "$run/pid" || exit
(
    if [ "$language" = 6 ]; then
        # What it is told, a password of a database, it reads; it is in no file with a name by then.
        exec < "$script.param"
        rm -f "$script.param"
        cd "${HOME:-/}" 2>/dev/null || cd /
        eval "exec $detach sh \"\$script\""
    fi
    IFS= read -r param < "$script.param"
    : > "$script.param"
    IFS= read -r first < "$script"
    case $first in
    "#!"*)
        cr=$(printf "\r")
        interpreter=${first#??}
        interpreter=${interpreter%"$cr"}
        ;;
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
    if [ -n "$param" ] && ! printf ": %s\n" "$param" | sh -n > /dev/null 2>&1; then
        echo "the parameter is no part of a command line: its quotes or brackets do not match"
        exit 2
    fi
    cd "${HOME:-/}" 2>/dev/null || cd /
    # The session of its own is also the process group that stop and timeout kill. The parameters are the rest
    # of a command line, as JOB has them: this shell splits them.
    eval "exec $detach $interpreter \"\$script\$vars\" $param"
) > "$run/out" 2>&1 < /dev/null &
group=$!
echo "$group" 1<> "$run/group"
if [ -e "$run/stop" ]; then kill -KILL "-$group" 2>/dev/null || kill -KILL "$group"; fi
(
    sleep "$timeout" &
    nap=$!
    trap "kill $nap 2>/dev/null; exit 0" TERM
    wait "$nap"
    trap "" TERM
    [ -e "$run/rc" ] && exit 0
    : > "$run/timeout"
    kill -TERM "-$group" 2>/dev/null
    tries=0
    while kill -0 "-$group" 2>/dev/null && [ "$tries" -lt 30 ]; do
        sleep 0.1 2>/dev/null || sleep 1
        tries=$((tries + 1))
    done
    kill -KILL "-$group" 2>/dev/null
) < /dev/null > /dev/null 2>&1 &
watchdog=$!
wait "$group"
code=$?
# It may hold secrets. It has removed itself, unless nothing could read it.
if [ -e "$script.vars" ]; then : > "$script.vars"; fi
cause=finished
if [ -e "$run/timeout" ]; then
    cause=timeout
    wait "$watchdog"
else
    kill "$watchdog" 2>/dev/null
fi
if [ -e "$run/stop" ]; then cause=terminated; fi
until echo "$cause $code" > "$run/rc" && [ -s "$run/rc" ]; do sleep 1; done
# Whoever started this may be asleep. Its number may be another process by now, so that is looked at.
if [ -s "$run/nap" ]; then
    read -r nap < "$run/nap"
    if read -r name < "/proc/$nap/comm" && [ "$name" = sleep ]; then kill "$nap"; fi
fi 2>/dev/null
'

launch() { # script file, with what its wrapper is named
    if command -v setsid >/dev/null 2>&1; then
        detach=setsid
    elif command -v perl >/dev/null 2>&1; then
        detach='perl -e "use POSIX; POSIX::setsid(); exec @ARGV"'
    else
        answer refused - "neither setsid nor perl is on this host: a script cannot be detached"
    fi
    eval "$detach"' sh -c "$runner" runner "$run" "$1" "$timeout" "$language" "$detach" "$2" < /dev/null > /dev/null 2>&1 &'
}

find_base || answer wrong_user - "logged in as $me, not as $user"
run=$base/$key

case $verb in
start)
    timeout=$5 language=$6 bytes=$7 offset=$8 max=$9
    shift 9
    own_base
    if [ -f "$run" ]; then report; fi
    [ -d "$run" ] || answer refused - "cannot make $run: is the disk full?"
    if [ ! -e "$run/launched" ] && [ ! -e "$run/stop" ]; then
        IFS= read -r param
        script=$run/script.$$ vars=
        mark=
        head -c "$bytes" > "$script" && IFS= read -r mark
        printf '%s\n' "$param" > "$script.param"
        IFS= read -r arrived < "$script.param"
        # A head that read too far takes the mark with it: then the size is looked at.
        if [ "$arrived" != "$param" ] || { [ "$mark" != "$nonce" ] && [ "$(($(wc -c < "$script")))" -ne "$bytes" ]; }; then
            rm -f "$script" "$script.param"
            answer refused - "the script did not arrive whole: the connection broke or the disk is full"
        fi
        if [ "${3:-0}" -gt 0 ]; then
            vars=.vars
            { head -c "$3" "$script" > "$script.vars" && tail -c "+$(($3 + 1))" "$script" > "$script.new"; } 2>/dev/null
            if [ "$(($(wc -c < "$script.vars") + $(wc -c < "$script.new")))" -ne "$bytes" ]; then
                rm -f "$script" "$script.param" "$script.vars" "$script.new"
                answer refused - "the disk is full"
            fi
            mv -f "$script.new" "$script"
        fi
        set -C
        if { true > "$run/launched"; } 2>/dev/null; then
            set +C
            echo - > "$run/pid"
            echo - > "$run/group"
            if [ ! -s "$run/pid" ] || [ ! -s "$run/group" ]; then
                rm -f "$run/pid" "$run/group" "$script" "$script.param" "$script.vars" "$run/launched"
                answer refused - "the disk is full"
            fi
            launch "$script" "$vars"
        else
            set +C
            rm -f "$script" "$script.param" "$script.vars"
        fi
    fi
    if [ -e "$run/stop" ] && [ ! -e "$run/launched" ]; then answer terminated - "stopped before it started"; fi
    wait_for "$1" "$2"
    report
    ;;
follow)
    offset=$5 max=$6
    wait_for "$7" "$8"
    report
    ;;
stop)
    own_base
    if [ -f "$run" ]; then report; fi
    if [ ! -s "$run/rc" ]; then : > "$run/stop"; fi
    [ -e "$run/launched" ] || answer terminated - "stopped before it started"
    tries=0
    noted group
    while [ -z "$noted" ] && [ ! -s "$run/rc" ] && [ "$tries" -lt 20 ]; do
        sleep 0.1 2>/dev/null || sleep 1
        tries=$((tries + 1))
        noted group
    done
    if [ -n "$noted" ] && [ ! -s "$run/rc" ]; then
        end_group "$noted"
        wait_for 5 0
    fi
    report
    ;;
clean)
    shift 4
    [ -O "$base" ] || answer gone - -
    stays=
    for each; do
        [ ! -d "$base/$each" ] || { rm -rf "${base:?}/$each" && : > "$base/$each"; } || stays="$base/$each"
    done
    # Runs that were lost stay, so that a late start finds them; a week is late enough.
    find "$base" -mindepth 1 -maxdepth 1 -mtime +7 -exec rm -rf {} + 2>/dev/null
    if [ -n "$stays" ]; then answer refused - "cannot remove $stays"; fi
    answer gone - -
    ;;
esac
