# SPDX-License-Identifier: GPL-3.0-or-later
# Runs on the target as `sh`, after runs.sh: tells how runs of scripts stand (see supervisor.sh), and changes nothing.
#
#   look INSTALLATION NONCE USER HOST      a line for each run of that installation and host:
#                                          "<step instance> <execute count> <state> <exit code or -> <bytes printed> <sha256>"
#
# The sum is of all that was printed, once the script has ended; - where nothing can tell it. The state is that of the script's end, or collected, running, launching, lost, unstarted.
# The answer is framed as in supervisor.sh: NONCE BEGIN -, lines, NONCE END <state> <detail>
key=$2 nonce=$3 user=$4 host=$5

end() { # state detail
    printf '\n%s END %s %s\n' "$nonce" "$1" "$2"
    exit 0
}

standing() { # run directory: sets state and code
    state=unstarted code=- pid=-
    if [ -s "$1/pid" ]; then read -r pid < "$1/pid"; fi # "-" keeps its place
    if [ -f "$1" ]; then state=collected
    elif [ -s "$1/rc" ]; then read -r state code < "$1/rc"
    elif [ "$pid" != - ]; then
        if alive "$pid"; then state=running
        elif [ -s "$1/rc" ]; then read -r state code < "$1/rc" # it ended between the two looks
        else state=lost; fi
    elif [ -e "$1/launched" ]; then state=launching; fi
}

printf '%s BEGIN -\n' "$nonce"
find_base || end wrong_user "logged in as $me, not as $user"
if [ -O "$base" ] && [ ! -L "$base" ]; then
    for run in "$base/$key".*."$host"; do
        name=${run##*/}
        name=${name#"$key".} name=${name%."$host"}
        case $name in *[!0-9.]* | *.*.* | .* | *.) continue ;; *.*) ;; *) continue ;; esac
        standing "$run"
        printed=0 sum=-
        if [ -s "$run/out" ]; then
            printed=$(($(wc -c < "$run/out")))
            if [ "$code" != - ] && command -v sha256sum > /dev/null 2>&1; then
                sum=$(sha256sum < "$run/out")
                sum=${sum%% *}
            fi
        fi
        # Removed while it was looked at: gone is gone.
        [ -e "$run" ] || continue
        printf '%s %s %s %s %s %s\n' "${name%.*}" "${name#*.}" "$state" "$code" "$printed" "$sum"
    done
fi
end ok -
