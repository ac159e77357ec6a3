# SPDX-License-Identifier: GPL-3.0-or-later
# Runs on a source or target host, sent as `sh -c`: lists, reads, writes and places files, as POSIX sh.
# Paths never stand in a command line: they come on standard input, one a line, and are only ever quoted words.
#
#   list  KEY NONCE USER KIND          (stdin: path)                 entries "type size mode sha256 name", NUL after each
#   read  KEY NONCE USER OFFSET BYTES  (stdin: path)                 base64 of that piece
#   begin KEY NONCE USER MODE          (stdin: target directory)     checks or makes the directory, and the staging place
#   write KEY NONCE USER OFFSET BYTES  (stdin: staged path, then bytes)
#   place KEY NONCE USER SHA256 MODE KIND  (stdin: staged path, then final path)   verify, rename into place
#   drop  KEY NONCE USER               (stdin: staged path)
#
# Answers are framed as in supervisor.sh: NONCE BEGIN <n or ->, bytes, NONCE END <state> <detail>
verb=$1 key=$2 nonce=$3 user=$4
umask 022
me=$(id -un) || me=$(id -u)
LC_ALL=C
export LC_ALL

end() { # state detail
    printf '\n%s END %s %s\n' "$nonce" "$1" "$(printf '%s' "$2" | tr '\n' ' ')"
    exit 0
}

begin() { printf '%s BEGIN %s\n' "$nonce" "$1"; }

failed() { # state detail
    begin 0
    end "$1" "$2"
}

sha256() { # of standard input
    if command -v sha256sum >/dev/null 2>&1; then sha256sum | cut -d' ' -f1
    elif command -v shasum >/dev/null 2>&1; then shasum -a 256 | cut -d' ' -f1
    elif command -v openssl >/dev/null 2>&1; then openssl dgst -sha256 | sed 's/.* //'
    else return 1; fi
}

mode_of() { # the permission bits as chmod takes them, e.g. 0644
    stat -c '%a' "$1" 2>/dev/null || stat -f '%Lp' "$1" 2>/dev/null || echo 644
}

entry() { # type path name
    sum=$(sha256 < "$2") || return 1
    printf '%s %s %s %s %s\0' "$1" "$(($(wc -c < "$2")))" "$(mode_of "$2")" "$sum" "$3"
}

if [ -n "$user" ] && [ "$me" != "$user" ]; then failed wrong_user "logged in as $me, not as $user"; fi

staging() { printf '%s/.job-%s' "$1" "$key"; }

case $verb in
list)
    kind=$5
    IFS= read -r path
    directory=${path%/*}/
    name=${path##*/}
    case $kind in
    directory)
        while [ "$path" != "${path%/}" ]; do path=${path%/}; done
        [ -d "$path" ] || failed missing "$path is not a directory on this host"
        archive=$(mktemp "${TMPDIR:-/tmp}/job-$key.XXXXXX") || failed failed "no room for an archive of $path"
        tar -cf "$archive" -C "$path" . 2>/dev/null || { rm -f "$archive"; failed unreadable "cannot read all of $path"; }
        begin -
        entry "archive:$archive" "$archive" "${path##*/}" || { rm -f "$archive"; end failed "no sha256 tool on this host"; }
        end ok -
        ;;
    file)
        if [ -d "$path" ]; then failed missing "$path is a directory: end it with / to copy it"; fi
        [ -e "$path" ] || failed missing "$path does not exist on this host"
        [ -r "$path" ] || failed unreadable "$path cannot be read as $me"
        begin -
        entry file "$path" "$name" || end failed "no sha256 tool on this host"
        end ok -
        ;;
    regex | glob)
        cd "$directory" 2>/dev/null || failed missing "$directory does not exist on this host"
        begin -
        found=0
        [ "$kind" = regex ] && pattern=${name#REGEX:} || pattern=$name
        if [ "$kind" = glob ]; then IFS=; set -- $pattern; else set -- * .[!.]*; fi
        for candidate in "$@"; do
            [ -f "./$candidate" ] || continue
            if [ "$kind" = regex ]; then
                printf '%s\n' "$candidate" | grep -qxP -e "$pattern" 2>/dev/null
                status=$?
                if [ "$status" -gt 1 ]; then printf '%s\n' "$candidate" | grep -qxE -e "$pattern"; status=$?; fi
                [ "$status" -le 1 ] || end failed "the regular expression $pattern is not valid"
                [ "$status" -eq 0 ] || continue
            fi
            [ -r "./$candidate" ] || end unreadable "$directory$candidate cannot be read as $me"
            entry file "./$candidate" "$candidate" || end failed "no sha256 tool on this host"
            found=1
        done
        [ "$found" -eq 1 ] || end missing "nothing in $directory matches $pattern"
        end ok -
        ;;
    esac
    ;;
read)
    offset=$5 bytes=$6
    IFS= read -r path
    if command -v base64 >/dev/null 2>&1; then
        begin -
        tail -c "+$((offset + 1))" "$path" | head -c "$bytes" | base64
        end base64 -
    fi
    begin "$bytes"
    tail -c "+$((offset + 1))" "$path" | head -c "$bytes"
    end raw -
    ;;
begin)
    mode=$5
    IFS= read -r directory
    if [ ! -d "$directory" ]; then
        [ "$mode" = strict ] && failed no_directory "$directory does not exist (strict mode)"
        reason=$(mkdir -p "$directory" 2>&1) || failed failed "$reason"
    fi
    staged=$(staging "${directory%/}")
    reason=$( (umask 077 && mkdir -p "$staged") 2>&1) || failed failed "$reason"
    begin 0
    end ok -
    ;;
write)
    offset=$5 bytes=$6
    IFS= read -r staged
    if [ "$offset" -eq 0 ]; then (umask 077 && : > "$staged") 2>/dev/null || failed failed "cannot write $staged"; fi
    size=$(($(wc -c < "$staged")))
    [ "$size" -eq "$offset" ] || failed "at" "$size"
    reason=$(cat 2>&1 >> "$staged") || failed failed "$reason"
    size=$(($(wc -c < "$staged")))
    begin 0
    if [ "$size" -ne "$((offset + bytes))" ]; then end at "$size"; fi
    end ok -
    ;;
place)
    sum=$5 mode=$6 kind=$7
    IFS= read -r staged
    IFS= read -r final
    actual=$(sha256 < "$staged") || failed failed "no sha256 tool on this host"
    [ "$actual" = "$sum" ] || failed corrupt "the bytes that arrived have SHA-256 $actual, not $sum"
    if [ "$kind" = file ]; then
        if [ -d "$final" ]; then failed failed "$final is a directory"; fi
        chmod "$mode" "$staged"
        reason=$(mv -f "$staged" "$final" 2>&1) || failed failed "$reason"
    else
        # A directory is unpacked beside its place; its files are then renamed one by one, none half-written.
        unpacked=$staged.d
        rm -rf "$unpacked"
        reason=$( (umask 077 && mkdir "$unpacked" && tar -xpof "$staged" -C "$unpacked") 2>&1) || {
            rm -rf "$unpacked"
            failed failed "$reason"
        }
        if [ ! -e "$final" ]; then
            reason=$(mv "$unpacked" "$final" 2>&1) || failed failed "$reason"
        else
            reason=$(
                cd "$unpacked" && find . -type d -exec sh -c '
                    for d in "$@"; do [ -d "$0/$d" ] || { mkdir "$0/$d" && chmod "$(stat -c %a "$d" 2>/dev/null || echo 755)" "$0/$d"; } || exit 1; done
                ' "$final" {} + 2>&1 && find . ! -type d -exec sh -c '
                    for f in "$@"; do
                        # mv would move into a directory, also into one that a link leads to.
                        if [ -L "$0/$f" ]; then rm -f "$0/$f"; fi
                        if [ -d "$0/$f" ]; then echo "$0/${f#./} is a directory"; exit 1; fi
                        mv -f "$f" "$0/$f" || exit 1
                    done
                ' "$final" {} + 2>&1
            ) || failed failed "$reason"
            rm -rf "$unpacked"
        fi
        rm -f "$staged"
    fi
    begin 0
    end ok -
    ;;
drop)
    IFS= read -r staged
    case $staged in
    */.job-"$key") rm -rf "$staged" ;;
    */job-"$key".*) rm -f "$staged" ;;
    esac
    begin 0
    end ok -
    ;;
esac
