#!/bin/sh
# Process 1 of a lab host: starts sshd and reaps orphans. It outlives sshd, as a machine does.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
/usr/sbin/sshd -D -e &
# The shell collects every dead child while it waits for this one.
while :; do sleep infinity; done
