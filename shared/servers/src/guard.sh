# Outlives the process that started it, however that one ends, and clears away what it left.
# $1 is the directory of a server, $2 the signal that stops it. Standard input is a pipe from that
# process: each line lists the process ids that run now, the last line counts. The pipe closes when
# the process is done or dead.
trap '' HUP INT TERM
running=
while read -r line; do running=$line; done

stop() { for id in $running; do kill -s "$1" -- "$id" 2>/dev/null && alive=yes; done; }
stop "$2"
left=100
while [ -n "$running" ] && [ "$left" -gt 0 ]; do
    alive=
    stop 0
    [ -z "$alive" ] && break
    left=$((left - 1))
    sleep 0.1
done
[ -n "$running" ] && stop KILL
rm -rf -- "$1"
