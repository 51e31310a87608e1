#!/bin/sh
# packages.sh installs the Debian packages that the tests with real clients need, those that are
# missing. packages.sh report only says what is missing. Neither ever fails: tests without
# their client are left out, loudly.

packages=
need() { # PROGRAM PACKAGE
	command -v "$1" >/dev/null 2>&1 || packages="$packages $2"
}
need curl curl
need fetchmail fetchmail
need mbsync isync
need neomutt neomutt
need offlineimap offlineimap3
need swaks swaks
need python3 python3
need strace strace
need /usr/lib/postgresql/15/bin/initdb postgresql-15

left_out() {
	echo "*** $1." >&2
	echo "*** LEFT OUT: the tests that need these packages:$packages" >&2
	exit 0
}

if [ "$1" = report ]; then
	[ -d "$(dirname "$0")/../../shared/mail" ] ||
		echo "*** LEFT OUT: the tests with real odd messages: there is no folder ../shared/mail" >&2
	# Debian's Node may be too old for imapflow, and its npm is hundreds of packages.
	command -v npm >/dev/null 2>&1 && node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)' 2>/dev/null ||
		echo "*** LEFT OUT: the tests with imapflow: there is no Node 20 with npm" >&2
	[ -z "$packages" ] || left_out "Some programs are missing"
	exit 0
fi
[ -n "$packages" ] || exit 0

command -v apt-get >/dev/null 2>&1 || left_out "There is no apt-get here"
root=
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null 2>&1 || left_out "Installing needs root, and there is no sudo"
	sudo -n true 2>/dev/null || [ -t 0 ] || left_out "Installing needs root, and sudo wants a password that nobody can type"
	root=sudo
fi

install() { # PACKAGE...
	$root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" </dev/null ||
		left_out "apt-get could not install them"
}

echo "installing:$packages"
$root apt-get update -q </dev/null || echo "apt-get update failed; trying with what is known" >&2
case $packages in *postgresql*)
	# The tests start their own servers: the package need not start one that nobody asked for.
	clusters=/etc/postgresql-common/createcluster.conf
	install postgresql-common
	$root sed -i.before-postfach "s/^#*create_main_cluster *=.*/create_main_cluster = false/" $clusters
	trap '$root mv $clusters.before-postfach $clusters' EXIT
esac
# shellcheck disable=SC2086 # the words are wanted
install $packages
