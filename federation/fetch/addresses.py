# SPDX-License-Identifier: Apache-2.0
"""Which IP addresses a peer may never lead us to."""

import ipaddress

# The special-purpose registries of IANA, and a little more. The standard library's `is_global`
# is no substitute: it lets multicast, NAT64, 6to4 and the 6to4 relays through.
FORBIDDEN_V4 = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # carrier-grade NAT, and a cloud's metadata
            "127.0.0.0/8",  # loopback
            "168.63.129.16/32",  # a cloud's host agent on a public address
            "169.254.0.0/16",  # link-local, and most clouds' metadata
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments
            "192.0.2.0/24",  # documentation
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",  # private
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and the limited broadcast
        ),
    )
)
# All of IPv6 that is handed out to the public lies in here. Outside are ::, ::1, IPv4-mapped and
# IPv4-compatible addresses, NAT64, discard, unique local, link-local, site-local and multicast.
UNICAST_V6 = ipaddress.IPv6Network("2000::/3")
FORBIDDEN_V6 = tuple(
    map(
        ipaddress.IPv6Network,
        (
            "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4
            "3fff::/20",  # documentation
        ),
    )
)


def may_connect(address: str) -> bool:
    """Tell whether this address, in its numeric form, is an ordinary one of the public internet."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return not any(ip in network for network in FORBIDDEN_V4)
    if ip.scope_id is not None or ip not in UNICAST_V6:
        return False
    return not any(ip in network for network in FORBIDDEN_V6)
