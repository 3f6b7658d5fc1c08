"""Which addresses belong to a local network: only there is shared, and only there is asked."""

from __future__ import annotations

import ipaddress
import socket

import psutil

from models_catalog.lan.errors import PeerAddressRefused

DEFAULT_PORT = 11467
# RFC 1918. Python's own is_private also counts networks that no home has.
_NETWORKS = tuple(map(ipaddress.IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
_LOOPBACK = ipaddress.IPv4Network("127.0.0.0/8")


def is_local(host: str, *, loopback: bool = False) -> bool:
    """Whether this is a numeric IPv4 address of a private network; loopback: those of this computer count, too."""
    try:
        address = ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return any(address in network for network in _NETWORKS) or (loopback and address in _LOOPBACK)


def own_addresses() -> tuple[str, ...]:
    """This computer's addresses in private networks, sorted."""
    found = {
        one.address
        for interface in psutil.net_if_addrs().values()
        for one in interface
        if one.family is socket.AF_INET and is_local(one.address)
    }
    return tuple(sorted(found))


def peer_place(text: str, *, loopback: bool = False) -> tuple[str, int]:
    """Host and port of "192.168.1.5" or "192.168.1.5:11467". Names are not taken: they can mean another host tomorrow.

    Raises PeerAddressRefused.
    """
    host, colon, port = text.strip().partition(":")
    number = int(port) if port.isascii() and port.isdecimal() else 0 if colon else DEFAULT_PORT
    if not is_local(host, loopback=loopback) or not 0 < number < 65_536:
        raise PeerAddressRefused(text[:80])
    return host, number
