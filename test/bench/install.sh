#!/bin/sh
# install.sh installs Debian's Dovecot, if it is missing, without starting it.
set -e
[ -x /usr/sbin/dovecot ] && [ -x /usr/lib/dovecot/imap ] && [ -x /usr/lib/dovecot/lmtp ] && exit 0
if [ "$(id -u)" -ne 0 ]; then
	echo "bench: installing and running Dovecot needs root" >&2
	exit 1
fi
# The package starts a server that nobody has asked for, unless this forbids it.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	trap 'rm -f $policy' EXIT
	printf '#!/bin/sh\nexit 101\n' >$policy
	chmod 755 $policy
fi
apt-get update -q </dev/null || echo "apt-get update failed; trying with what is known" >&2
DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends dovecot-imapd dovecot-lmtpd </dev/null
