# SPDX-License-Identifier: GPL-3.0-or-later
# What every program that looks after runs of scripts on a target begins with (supervisor.sh, look.sh).

alive() { # pid: of a process that is there and not a zombie, which a container's first process may never collect
    kill -0 "$1" 2>/dev/null || return 1
    if read -r stat 2>/dev/null < "/proc/$1/stat"; then
        case ${stat##*) } in Z*) return 1 ;; esac
    fi
}

find_base() { # sets base, where the runs of $user are; an account that nobody named is known by its number
    base=/tmp/bkjob.$user
    # A directory of that name which is ours was made by us, when it was certain who we are.
    case $user in '' | */*) base=/ ;; esac
    if [ "$base" != / ] && [ -O "$base" ] && [ ! -L "$base" ] && [ -d "$base" ]; then return; fi
    me=$(id)
    me=${me%% gid=*} me=${me#uid=} uid=${me%%(*}
    case $me in *'('*) me=${me#*(} me=${me%)} ;; esac
    base=/tmp/bkjob.${user:-$uid}
    # False if we are not who we are to be; $me is our name then.
    [ -z "$user" ] || [ "$me" = "$user" ]
}
