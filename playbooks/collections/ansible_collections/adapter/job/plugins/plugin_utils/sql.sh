# SPDX-License-Identifier: GPL-3.0-or-later
# Runs the SQL that stands below it in the same file with the database's own client on this host. POSIX sh, sed, rm.
#
# Standard input is one line of shell words (adapter.ansible.database): KIND PORT USER PASSWORD, the password as the
# client's own file has it. PORT 0 is the client's own way to a server of this host (a socket), else it is asked at
# 127.0.0.1. The password is in no argument, no variable of the environment and no file that has a name while a client
# runs; and what the client was given of it is empty before the first line of SQL, which may start a shell (\!), is read.
# What the client prints is the log, and its exit code is the script's.
IFS= read -r told
exec < /dev/null
eval "set -- $told"
told=
kind=$1 port=$2 user=$3 password=$4
at=
if [ "$port" -ne 0 ]; then at="--host=127.0.0.1 --port=$port"; fi

find_client() { # candidates: sets client. An account of a database often has its PATH in .profile only.
    for client; do
        if command -v "$client" > /dev/null 2>&1; then return; fi
    done
    if [ -r "${HOME:-}/.profile" ] && [ -z "$profile" ]; then
        profile=read
        . "$HOME/.profile"
        find_client "$@"
        return
    fi
    echo "no client of the database on this host: looked for $*"
    exit 127
}

need_fd() {
    if [ -e /dev/fd/0 ]; then return; fi
    echo "this host has no /dev/fd: the client cannot be given a password that nobody else sees"
    exit 126
}

sql() {
    sed "1,/^# SQL:\$/d" "$0"
}

profile=
case $kind in
mysql)
    find_client mariadb mysql
    need_fd
    # Logins that mysql keeps for itself would win over what it is told.
    MYSQL_TEST_LOGIN_FILE=/dev/null
    export MYSQL_TEST_LOGIN_FILE
    # A pipe, which is empty once it was read. $at is words.
    # shellcheck disable=SC2086
    cat << EOF | { exec 3<&0 < /dev/null; sql | "$client" --defaults-file=/dev/fd/3 $at "--user=$user" --default-character-set=utf8mb4 -vvv; }
[client]
password="$password"
EOF
    code=$?
    ;;
postgresql)
    find_client psql
    need_fd
    # A file, which has lost its name when psql reads it, and the password before psql reads the SQL. It is read again
    # by \connect, which then needs the section alone: the password is kept from the connection before.
    (umask 077 && cat > "$0.account") << EOF || { rm -f "$0.account"; exit 1; }
[job]
password=$password
EOF
    exec 3< "$0.account"
    rm -f "$0.account"
    PGSERVICEFILE=/dev/fd/3 PGCLIENTENCODING=UTF8
    export PGSERVICEFILE PGCLIENTENCODING
    # shellcheck disable=SC2086
    sql | "$client" --no-psqlrc --no-password --set=ON_ERROR_STOP=1 $at "--username=$user" \
        "--dbname=service=job dbname=postgres" --command='\! echo "[job]" > /dev/fd/3' --file=-
    code=$?
    ;;
oracle)
    find_client sqlplus
    # As JOB does: to the instance of the account's ORACLE_SID, whatever the port.
    {
        {
            cat << EOF
WHENEVER SQLERROR EXIT FAILURE
WHENEVER OSERROR EXIT FAILURE
SET DEFINE OFF
CONNECT $user/"$password"
SET DEFINE ON
SET LINESIZE 300
EOF
            sql
            echo
            echo EXIT
        } | "$client" -S -L /nolog
        echo $? > "$0.code"
    } | tee "$0.out"
    read -r code < "$0.code"
    # Statements that sqlplus could not even send are no errors to it.
    if [ "$code" -eq 0 ] && grep -q '^SP2-[0-9]' "$0.out"; then code=1; fi
    rm -f "$0.code" "$0.out"
    ;;
db2)
    find_client db2
    # As JOB does: as the user of the host; the SQL itself connects to a database.
    sql > "$0.sql"
    "$client" -stvf "$0.sql"
    code=$?
    "$client" terminate > /dev/null
    rm -f "$0.sql"
    ;;
*)
    echo "no client is known for a database of the kind $kind"
    code=127
    ;;
esac
exit "$code"
# SQL:
