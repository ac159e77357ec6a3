#!/bin/sh
# Turns a fresh set of namespaces into one lab host, then becomes its init.
#
# usage: boot.sh NAME LAYERS ADDRESS/PREFIX GATEWAY GATEWAY_MAC   (in the lab's directory, inside unshare)
#
# Standard output: "NAME PID", the pid as the supervisor sees it, so that it can move a network link in here.
# Standard input:  end of file once the links of all hosts are there; until then we wait.
# Standard error:  this host's log; sshd goes on writing there.
set -eu
name=$1 layers=$2 address=$3 gateway=$4 gateway_mac=$5

# Not $$: that is 1 in here. The /proc we still see is the supervisor's.
read -r pid _ < /proc/self/stat
echo "$name $pid"

# The host's disk: the machine's own system directories under the lab's layers, all writes in memory.
mount -t tmpfs -o mode=755 lab scratch
cd scratch
mkdir upper work root
mount -t overlay -o "lowerdir=$layers,upperdir=upper,workdir=work" lab root
mount -t proc -o nosuid,nodev,noexec proc root/proc
mount -t sysfs -o nosuid,nodev,noexec,ro sysfs root/sys
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts root/dev/pts
cd root
pivot_root . oldroot
cd /
umount -l /oldroot
rmdir /oldroot
echo "$name" > /proc/sys/kernel/hostname

read -r _ || :
ip -batch - <<NETWORK
link set lo up
link set eth0 addrgenmode none
addr add $address dev eth0
link set eth0 up
neigh add $gateway lladdr $gateway_mac dev eth0 nud permanent
NETWORK

exec /usr/sbin/lab-init </dev/null >/dev/null
