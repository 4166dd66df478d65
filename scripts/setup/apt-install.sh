#!/bin/sh
# Installs Debian packages as root without starting or leaving any service: apt-install.sh [PACKAGE...]
# Without a package it only takes away what a run that was cut off left behind.
# It needs no parent: when the bootstrap is killed, it finishes what it began and takes its temporary files away.
set -u
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
clusters=/etc/postgresql-common/createcluster.d
mark='# Temporary file of Golden72: packages are installed, no service is started.'
made=''
child=''
stopped=''

put() { # path, text: writes our marked file, unless someone else's is already there
  if [ -e "$1" ] && ! grep -qF "$mark" "$1"; then return; fi
  made="$made $1"
  printf "$2" "$mark" >"$1"
}

tidy() {
  # shellcheck disable=SC2086 # a list of paths without blanks
  [ -z "$made" ] || rm -f $made
  rmdir "$clusters" /etc/postgresql-common 2>/dev/null # only if they are empty, so made here
}

apt() { apt-get -y -o DPkg::Lock::Timeout=300 "$@"; }

fetch() { # may be cut off at any point, unlike dpkg's part of an install
  [ -z "$stopped" ] || return 130
  apt "$@" &
  child=$!
  wait "$child"
  code=$?
  child=''
  return "$code"
}

trap tidy EXIT
# Outside fetch, the shell itself waits for apt-get to end before it takes a signal.
trap 'stopped=1; [ -z "$child" ] || kill "$child" 2>/dev/null' INT TERM HUP

# invoke-rc.d(8): 101 forbids the action.
put "$policy" '#!/bin/sh\n%s\nexit 101\n'
[ -x "$policy" ] || chmod 755 "$policy"
mkdir -p "$clusters"
put "$clusters/golden72.conf" '%s\ncreate_main_cluster = false\n'

if [ $# -eq 0 ]; then
  apt check # waits for its turn, so that nobody's install is disturbed
  exit
fi
download() { fetch install --no-install-recommends --download-only "$@"; }
apt-cache show "$@" >/dev/null 2>&1 || fetch update
# Old lists may name versions that the mirror no longer has.
download "$@" || { fetch update && download "$@"; } || exit
apt install --no-install-recommends "$@"
code=$?

# Not started now, but enabled for the next boot: undo that for the service we brought in.
case " $* " in *' redis-server '*) update-rc.d redis-server disable ;; esac
exit "$code"
