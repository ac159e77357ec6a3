# SPDX-License-Identifier: GPL-3.0-or-later
# Runs on a source or target host, sent as `sh -c`: lists, reads, takes and places files, as POSIX sh.
# Paths never stand in a command line: they come on standard input, one a line, and are only ever quoted words.
#
#   list KEY NONCE USER KIND      (stdin: path)    entries "type size mode sha256 name", NUL after each; a directory
#                                                  is an "archive": the tar stream that `read` makes of it
#   read KEY NONCE USER TYPE OFFSET BYTES MARK     (stdin: path)   "MARK <n>", then n bytes as they are, before the
#                                                  frame; with MARK "-" they are in the frame, as base64
#   pack KEY NONCE USER           (stdin: path)    a directory's archive as a file, where it can only be read in pieces
#   size KEY NONCE USER SHA256 TOTAL MODE TYPE     (stdin: target directory, final path)   "ok <bytes staged>", or
#                                                  "placed" if the account has the whole file at its final path already
#   put  KEY NONCE USER OFFSET BYTES TOTAL SHA256 MODE TYPE TRANSFER   (stdin: target directory, final path, bytes)
#                                                  stages them; with the last one: verify, rename into place
#   drop KEY NONCE USER           (stdin: target directories, archives)   removes what is staged and packed
#
# SHA256 is the sum of the whole and its name in the staging place, where a later attempt finds it again. OFFSET is a
# multiple of $block. Whoever writes there writes the same bytes at the same offsets: a writer that was cut off and
# wakes up again does no harm.
#
# Answers are framed as in supervisor.sh: NONCE BEGIN <n or ->, bytes, NONCE END <state> <detail>
verb=$1 key=$2 nonce=$3 user=$4 mark=
block=65536
umask 022
me=$(id -un) || me=$(id -u)
LC_ALL=C
export LC_ALL

end() { # state detail
    printf '\n%s END %s %s\n' "$nonce" "$1" "$(printf '%s' "$2" | tr '\n' ' ')"
    exit 0
}

begin() { printf '%s BEGIN %s\n' "$nonce" "$1"; }

ok() { # detail
    begin 0
    end ok "${1:--}"
}

failed() { # state detail
    if [ -n "$mark" ]; then printf '%s 0\n' "$mark"; fi
    begin 0
    end "$1" "$2"
}

size_of() { echo "$(($(wc -c < "$1")))"; }

sha256() { # of standard input, which is $1 bytes long
    # openssl uses the processor's own instructions, which pays once it has started.
    if [ "$1" -ge 1048576 ] && openssl dgst -sha256 </dev/null >/dev/null 2>&1; then openssl dgst -sha256 | sed 's/.* //'
    elif command -v sha256sum >/dev/null 2>&1; then sha256sum | cut -d' ' -f1
    elif command -v shasum >/dev/null 2>&1; then shasum -a 256 | cut -d' ' -f1
    elif command -v openssl >/dev/null 2>&1; then openssl dgst -sha256 | sed 's/.* //'
    else return 1; fi
}

mode_of() { # the permission bits as chmod takes them, e.g. 0644
    stat -c '%a' "$1" 2>/dev/null || stat -f '%Lp' "$1" 2>/dev/null || echo 644
}

entry() { # path name
    bytes=$(size_of "$1") && sum=$(sha256 "$bytes" < "$1") && [ -n "$sum" ] || return 1
    printf 'file %s %s %s %s\0' "$bytes" "$(mode_of "$1")" "$sum" "$2"
}

archive() { # of a directory, to standard output: twice the same as long as nothing changes
    tar -cf - -C "$1" . 2>/dev/null
}

archive_entry() { # path
    # dd counts what sha256 reads; a tar that fails is told apart by a word nobody else knows.
    told=$({ { archive "$1" || echo "$nonce" >&2; } | dd bs=$block | sha256 $block$block; } 2>&1)
    case $told in *"$nonce"*) return 1 ;; esac
    sum=$(printf '%s\n' "$told" | grep -x '[0-9a-f]\{64\}') || return 1
    bytes=$(printf '%s\n' "$told" | sed -n 's/^\([0-9][0-9]*\) bytes.*/\1/p')
    [ -n "$bytes" ] || bytes=$(($(archive "$1" | wc -c))) # not every dd says it
    printf 'archive %s %s %s %s\0' "$bytes" "$(mode_of "$1")" "$sum" "${1##*/}"
}

no_slash() { # the directory without slashes at its end, in $path
    path=$1
    while [ "$path" != "${path%/}" ]; do path=${path%/}; done
}

owner() { # of a file, as a number
    ls -ldn "$1" 2>/dev/null | { read -r _ _ uid _ && printf '%s' "$uid"; }
}

ours() { # a file below $directory: the account's own, or of whom all it makes there is (root's on NFS, anyone's on FAT)
    [ ! -O "$1" ] || return 0
    probe=${directory%/}/.job-$nonce
    mkdir "$probe" 2>/dev/null || return 1
    made=$(owner "$probe")
    rmdir "$probe"
    [ -n "$made" ] && [ "$made" = "$(owner "$1")" ]
}

if [ -n "$user" ] && [ "$me" != "$user" ]; then
    [ "$verb" != read ] || mark=${8#-}
    failed wrong_user "logged in as $me, not as $user"
fi

case $verb in
list)
    kind=$5
    IFS= read -r path
    directory=${path%/*}/
    name=${path##*/}
    case $kind in
    directory)
        no_slash "$path"
        [ -d "$path" ] || failed missing "$path is not a directory on this host"
        begin -
        archive_entry "$path" || end unreadable "cannot read all of $path"
        end ok -
        ;;
    file)
        if [ -d "$path" ]; then failed missing "$path is a directory: end it with / to copy it"; fi
        [ -e "$path" ] || failed missing "$path does not exist on this host"
        [ -r "$path" ] || failed unreadable "$path cannot be read as $me"
        begin -
        entry "$path" "$name" || end failed "no sha256 tool on this host"
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
            entry "./$candidate" "$candidate" || end failed "no sha256 tool on this host"
            found=1
        done
        [ "$found" -eq 1 ] || end missing "nothing in $directory matches $pattern"
        end ok -
        ;;
    esac
    ;;
read)
    kind=$5 offset=$6 bytes=$7 mark=${8#-}
    IFS= read -r path
    piece() {
        blocks=$(((bytes + block - 1) / block))
        if [ "$kind" = file ]; then dd if="$path" bs=$block skip=$((offset / block)) count=$blocks 2>/dev/null
        elif [ "$offset" -eq 0 ]; then archive "$path"
        else archive "$path" | tail -c "+$((offset + 1))"; fi
    }
    [ "$kind" = file ] || no_slash "$path"
    [ -r "$path" ] || failed unreadable "$path cannot be read as $me"
    if [ -n "$mark" ]; then
        printf '%s %s\n' "$mark" "$bytes"
        piece
        mark=
        ok
    fi
    if command -v base64 >/dev/null 2>&1; then
        begin -
        piece | head -c "$bytes" | base64
        end base64 -
    fi
    begin "$bytes"
    piece | head -c "$bytes"
    end raw -
    ;;
pack)
    IFS= read -r path
    no_slash "$path"
    file=$(mktemp "${TMPDIR:-/tmp}/job-$key.XXXXXX") || failed failed "no room for an archive of $path"
    archive "$path" > "$file" || { rm -f "$file"; failed unreadable "cannot read all of $path"; }
    begin -
    printf '%s' "$file"
    end ok -
    ;;
size)
    sum=$5 total=$6 mode=$7 kind=$8
    IFS= read -r directory
    IFS= read -r final
    staged=${directory%/}/.job-$key/$sum
    if [ -f "$staged" ]; then ok "$(size_of "$staged")"; fi
    if [ "$kind" = file ] && [ -f "$final" ] && [ ! -L "$final" ] && ours "$final" && [ "$(size_of "$final")" -eq "$total" ] &&
        [ "$(sha256 "$total" < "$final")" = "$sum" ] && chmod "$mode" "$final"; then
        begin 0
        end placed -
    fi
    ok 0
    ;;
put)
    offset=$5 bytes=$6 total=$7 sum=$8 mode=$9
    shift 9
    kind=$1 transfer=$2
    IFS= read -r directory
    IFS= read -r final
    place=${directory%/}/.job-$key
    staged=$place/$sum

    refused() { # state detail: what has come of it may be what leaves no room for others
        rm -f "$staged"
        rmdir "$place" 2>/dev/null
        failed "$1" "$2"
    }

    at() { # bytes: how much of it is staged, for whoever sends to go on from
        rmdir "$place" 2>/dev/null
        failed at "$1"
    }

    still_staged() { # or another attempt, whose bytes were under way longer, has brought it to its place meanwhile
        [ -f "$staged" ] || at 0
    }

    if [ ! -d "$directory" ]; then
        [ "$transfer" = strict ] && failed no_directory "$directory does not exist (strict mode)"
        reason=$(mkdir -p "$directory" 2>&1) || failed failed "$reason"
    fi
    if [ ! -d "$place" ]; then
        # What a transfer to a host that never came back has left is removed after a week.
        for old in "${directory%/}"/.job-*; do
            if [ -d "$old" ] && [ -n "$(find "$old" -prune -mtime +6 2>/dev/null)" ]; then rm -rf "$old"; fi
        done
        reason=$( (umask 077 && mkdir -p "$place") 2>&1) || failed failed "$reason"
    fi
    # Where everybody may write, somebody else could have made it: with links in it to what only this user may change.
    if [ -L "$place" ] || ! ours "$place"; then failed failed "$place is not of $me: remove it"; fi

    had=0
    if [ -f "$staged" ]; then had=$(size_of "$staged"); fi
    # Who begins anew does not know how much another attempt has left; for little it is not worth asking.
    if [ "$offset" -gt "$had" ]; then at "$had"; fi
    if [ "$offset" -eq 0 ] && [ "$had" -ge $((256 * block)) ]; then failed at "$had"; fi
    reason=$( (umask 077 && dd of="$staged" bs=$block seek=$((offset / block)) conv=notrunc) 2>&1) ||
        refused failed "$(printf '%s\n' "$reason" | sed -n 1p)"
    still_staged
    had=$(size_of "$staged")
    [ "$had" -ge $((offset + bytes)) ] || failed at "$had"
    [ $((offset + bytes)) -eq "$total" ] || ok

    actual=$(sha256 "$total" < "$staged") || { still_staged; refused failed "no sha256 tool on this host"; }
    [ "$actual" = "$sum" ] || refused corrupt "the bytes that arrived have SHA-256 $actual, not $sum"
    if [ "$kind" = file ]; then
        if [ -d "$final" ]; then refused failed "$final is a directory"; fi
        chmod "$mode" "$staged" 2>/dev/null || still_staged
        reason=$(mv -f "$staged" "$final" 2>&1) || { still_staged; refused failed "$reason"; }
        if [ -d "$final" ]; then # a link to one has come since: mv has moved into it
            rm -f "$final/$sum"
            refused failed "$final is a directory"
        fi
    else
        # A directory is unpacked beside its place; its files are then renamed one by one, none half-written.
        unpacked=$staged.d
        rm -rf "$unpacked"
        reason=$( (umask 077 && mkdir "$unpacked" && tar -xpof "$staged" -C "$unpacked") 2>&1) || {
            rm -rf "$unpacked"
            refused failed "$reason"
        }
        if [ ! -e "$final" ]; then
            reason=$(mv "$unpacked" "$final" 2>&1) || { rm -rf "$unpacked"; refused failed "$reason"; }
            if [ -d "$final/$sum.d" ]; then # as above
                rm -rf "$final/$sum.d"
                refused failed "$final has come meanwhile"
            fi
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
            ) || { rm -rf "$unpacked"; refused failed "$reason"; }
            rm -rf "$unpacked"
        fi
        rm -f "$staged"
    fi
    rmdir "$place" 2>/dev/null
    ok
    ;;
drop)
    while IFS= read -r path; do
        case $path in
        */job-"$key".*) rm -f "$path" ;;
        ?*) rm -rf "${path%/}/.job-$key" ;;
        esac
    done
    ok
    ;;
esac
