#!/bin/sh
# Stand-in for gpiodetect, gpioget and gpiomon of libgpiod 1.6 and 2.2: the command is the name under which it is
# called, and the folder that holds it is its machine. gpio-chip.ts plays the chips:
#   version              what --version says: 1.6.3 or 2.2.1
#   chips/NAME/label     chips/NAME/lines     chips/NAME/LINE/level     chips/NAME/LINE/edges (a FIFO)
#   chips/NAME/LINE/holder   number of the process that has the line
#   running/NUMBER       a command that was started
name=${0##*/}
machine=${0%/*}
version=$(cat "$machine/version")
: > "$machine/running/$$"
# Whoever is ended from outside leaves it behind, and the next one that takes the line clears it away.
trap 'rm -f "$machine/running/$$"' EXIT

fail() {
  echo "$name: $1" >&2
  exit 1
}

if [ "$1" = --version ]; then
  echo "$name (libgpiod) v$version"
  exit 0
fi

if [ "$name" = gpiodetect ]; then
  for chip in "$machine"/chips/*/; do
    [ -f "$chip/label" ] || continue
    at=${chip%/}
    echo "${at##*/} [$(cat "$chip/label")] ($(cat "$chip/lines") lines)"
  done
  exit 0
fi

holder='' chip='' bias='' format='' numeric='' buffered=''
while [ $# -gt 0 ]; do
  case ${version%%.*}:$name:$1 in
    1:*:--bias=as-is | 1:*:--bias=disable | 1:*:--bias=pull-up | 1:*:--bias=pull-down) bias=${1#*=} ;;
    2:*:--bias=disabled | 2:*:--bias=pull-up | 2:*:--bias=pull-down) bias=${1#*=} ;;
    *:*:--bias=*) fail "invalid bias: ${1#*=}" ;;
    1:gpiomon:--line-buffered) buffered=yes ;;
    *:gpiomon:--format=*) format=${1#*=} ;;
    2:*:--chip=*) chip=${1#*=} ;;
    2:gpioget:--numeric) numeric=yes ;;
    *:-*) fail "unrecognized option '$1'" ;;
    *) break ;;
  esac
  shift
done
if [ "${version%%.*}" = 1 ]; then
  [ $# -gt 0 ] || fail 'gpiochip must be specified'
  chip=$1
  shift
fi
[ $# -eq 1 ] || fail 'at least one GPIO line must be specified'
line=$machine/chips/$chip/$1
offset=$1
[ -n "$bias" ] && echo "$bias" > "$machine/running/bias"

if [ -f "$machine/chips/$chip/denied" ]; then fail "error opening chip: Permission denied"; fi
[ -d "$line" ] || fail "cannot find GPIO chip character device '$chip'"
held() {
  [ -f "$line/holder" ] && holder=$(cat "$line/holder") && [ -n "$holder" ] && kill -0 "$holder" 2> /dev/null
}

if [ "$name" = gpioget ]; then
  [ -f "$line/hangs" ] && exec sleep 600
  held && fail 'error reading GPIO values: Device or resource busy'
  level=$(cat "$line/level")
  if [ "${version%%.*}" = 1 ] || [ -n "$numeric" ]; then echo "$level"; else
    case $level in 1) echo "\"$offset\"=active" ;; 0) echo "\"$offset\"=inactive" ;; esac
  fi
  exit 0
fi

held && fail 'error waiting for events: Device or resource busy'
# What happened before the line was asked for is not told.
rm -f "$line/edges" ${holder:+"$machine/running/$holder"}
mkfifo "$line/edges"
exec 3<> "$line/edges"
echo $$ > "$line/holder.$$"
mv "$line/holder.$$" "$line/holder"

# One edge: 1 or 0, seconds, nanoseconds; or `raw` and a text; or `gone`.
while read -r level seconds nanoseconds <&3; do
  case $level in
    gone) fail 'error waiting for events: No such device' ;;
    raw) printf '%s\n' "$seconds $nanoseconds" ;;
    *)
      case $level in 1) edge=rising number=1 ;; *) edge=falling number=$((${version%%.*} == 1 ? 0 : 2)) ;; esac
      padded=$(printf '%09d' "$nanoseconds")
      case $format in
        '%e %s %n') echo "$number $seconds $nanoseconds" ;;
        '%E %S') echo "$edge $seconds.$padded" ;;
        '') if [ -n "$buffered" ]; then
          [ "$edge" = rising ] && word=' RISING EDGE' || word='FALLING EDGE'
          printf 'event: %s offset: %s timestamp: [%8d.%s]\n' "$word" "$offset" "$seconds" "$padded"
        else
          printf '%s.%s\t%s\t%s %s\n' "$seconds" "$padded" "$edge" "$chip" "$offset"
        fi ;;
        *) fail "format not played: $format" ;;
      esac
      ;;
  esac
done
