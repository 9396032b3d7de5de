"""Which addresses an outgoing call may reach. A name is resolved once, and the address judged is called."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network
NAT64 = IPv6Network("64:ff9b::/96")
NAT64_LOCAL = IPv6Network("64:ff9b:1::/48")


class Refused(OSError):
    """The address must not be called; trying again does not help."""


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether it is an address of the open network; one that wraps another one counts as that."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address.sixtofour is not None:
            return is_public(address.sixtofour)
        if address.teredo is not None or address in NAT64_LOCAL or address.is_site_local:
            return False
        if address in NAT64:
            return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    return address.is_global and not address.is_multicast and not address.is_reserved


def is_loopback(host: str) -> bool:
    """Whether a server bound to this host is reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def may_call(address: str, scheme: str, allowed: Sequence[Network], *, plain: bool = False) -> bool:
    """Public addresses by https, with `plain` also by http; allowed networks by either."""
    parsed = ip_address(address.partition("%")[0])
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    if any(parsed in network for network in allowed):
        return True
    return (plain or scheme == "https") and is_public(parsed)


def resolve(host: str, port: int, scheme: str, allowed: Sequence[Network], *, plain: bool = False) -> str:
    """An address of the host. Refused when any of its addresses must not be called; OSError when it has none."""
    found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if not found:
        raise OSError(f"{host} has no address")
    if not all(may_call(address, scheme, allowed, plain=plain) for address in found):
        how = "by plain http" if scheme == "http" and not plain else "on a private network"
        raise Refused(f"{host} may not be called {how}")
    return found[0]
