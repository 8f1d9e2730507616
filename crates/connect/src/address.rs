//! Which addresses may be connected to. Pure judgement over numbers, so that every trick with a
//! host name ends here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an administrator permitted for one endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct AddressRule {
    /// Loopback, private, carrier-grade NAT and unique local addresses, and plain `http`, are permitted.
    pub allow_private: bool,
}

impl AddressRule {
    /// Public addresses over TLS only: for everything a user typed.
    pub const PUBLIC: Self = Self {
        allow_private: false,
    };
    /// Private networks too: for what an administrator typed (a local Ollama).
    pub const PRIVATE: Self = Self {
        allow_private: true,
    };

    /// Whether the address may be connected to.
    #[must_use]
    pub fn permits(self, address: IpAddr) -> bool {
        match AddressKind::of(address) {
            AddressKind::Public => true,
            AddressKind::Loopback | AddressKind::Private => self.allow_private,
            AddressKind::LinkLocal
            | AddressKind::Metadata
            | AddressKind::Multicast
            | AddressKind::Unspecified
            | AddressKind::Reserved => false,
        }
    }
}

/// What kind of network an address belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AddressKind {
    /// The internet.
    Public,
    /// This machine.
    Loopback,
    /// A private network, carrier-grade NAT, or a range for benchmarks that VPNs borrow.
    Private,
    /// This link only; metadata services of clouds live here.
    LinkLocal,
    /// A metadata service outside the link-local range.
    Metadata,
    /// Many machines.
    Multicast,
    /// "This network".
    Unspecified,
    /// Documentation, future use, deprecated tunnels.
    Reserved,
}

impl AddressKind {
    /// Judges an address; an IPv4 address inside an IPv6 one counts as what it leads to.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => of_v4(v4),
            IpAddr::V6(v6) => of_v6(v6),
        }
    }

    /// The word in messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Loopback => "loopback",
            Self::Private => "private",
            Self::LinkLocal => "link-local",
            Self::Metadata => "metadata",
            Self::Multicast => "multicast",
            Self::Unspecified => "unspecified",
            Self::Reserved => "reserved",
        }
    }
}

fn of_v4(address: Ipv4Addr) -> AddressKind {
    match address.octets() {
        [0, ..] => AddressKind::Unspecified,
        // Metadata or host services of clouds outside 169.254/16: Alibaba, Azure.
        [100, 100, 100, 200] | [168, 63, 129, 16] => AddressKind::Metadata,
        [127, ..] => AddressKind::Loopback,
        [10, ..] | [192, 168, ..] | [198, 18 | 19, ..] => AddressKind::Private,
        [172, second, ..] if (16..=31).contains(&second) => AddressKind::Private,
        [100, second, ..] if (64..=127).contains(&second) => AddressKind::Private,
        [169, 254, ..] => AddressKind::LinkLocal,
        [224..=239, ..] => AddressKind::Multicast,
        // 192.0.0.0/24 holds Oracle's metadata address; the others are documentation and future use.
        [192, 0, 0 | 2, _] | [198, 51, 100, _] | [203, 0, 113, _] | [240..=255, ..] => {
            AddressKind::Reserved
        }
        _ => AddressKind::Public,
    }
}

fn of_v6(address: Ipv6Addr) -> AddressKind {
    let segments = address.segments();
    let inner = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        of_v4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        [0, 0, 0, 0, 0, 0, 0, 0] => AddressKind::Unspecified,
        [0, 0, 0, 0, 0, 0, 0, 1] => AddressKind::Loopback,
        // Mapped (::ffff:a.b.c.d), compatible (::a.b.c.d) and translated (64:ff9b::a.b.c.d).
        [0, 0, 0, 0, 0, 0xffff | 0, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            inner(high, low)
        }
        // 6to4 carries the IPv4 address of its gateway.
        [0x2002, high, low, ..] => inner(high, low),
        // The metadata services of AWS and Google.
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] | [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254] => {
            AddressKind::Metadata
        }
        [first, ..] if first & 0xfe00 == 0xfc00 => AddressKind::Private,
        [first, ..] if first & 0xffc0 == 0xfec0 => AddressKind::Private,
        [first, ..] if first & 0xffc0 == 0xfe80 => AddressKind::LinkLocal,
        [first, ..] if first & 0xff00 == 0xff00 => AddressKind::Multicast,
        // Teredo, documentation; then everything outside the one global range, 2000::/3.
        [0x2001, 0 | 0xdb8, ..] => AddressKind::Reserved,
        [0x3fff, second, ..] if second < 0x1000 => AddressKind::Reserved,
        [first, ..] if first & 0xe000 == 0x2000 => AddressKind::Public,
        _ => AddressKind::Reserved,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kind(text: &str) -> AddressKind {
        AddressKind::of(text.parse().unwrap())
    }

    #[test]
    fn every_kind_of_address_is_recognised() {
        use AddressKind::*;
        for (text, expected) in [
            ("1.1.1.1", Public),
            ("2606:4700:4700::1111", Public),
            ("127.0.0.1", Loopback),
            ("127.255.255.254", Loopback),
            ("::1", Loopback),
            ("10.0.0.1", Private),
            ("172.16.0.1", Private),
            ("172.31.255.255", Private),
            ("172.32.0.1", Public),
            ("192.168.1.1", Private),
            ("100.64.0.1", Private),
            ("100.128.0.1", Public),
            ("198.18.0.1", Private),
            ("fd12::1", Private),
            ("fec0::1", Private),
            ("169.254.169.254", LinkLocal),
            ("fe80::1", LinkLocal),
            ("febf::1", LinkLocal),
            ("100.100.100.200", Metadata),
            ("168.63.129.16", Metadata),
            ("fd00:ec2::254", Metadata),
            ("fd20:ce::254", Metadata),
            ("224.0.0.1", Multicast),
            ("ff02::1", Multicast),
            ("0.0.0.0", Unspecified),
            ("0.1.2.3", Unspecified),
            ("::", Unspecified),
            ("255.255.255.255", Reserved),
            ("192.0.0.192", Reserved),
            ("2001:db8::1", Reserved),
            ("2001::1", Reserved),
            ("64:ff9b:1::1", Reserved),
            ("100::1", Reserved),
        ] {
            assert_eq!(kind(text), expected, "{text}");
        }
    }

    #[test]
    fn metadata_is_refused_even_where_private_networks_are_permitted() {
        for text in [
            "169.254.169.254",
            "fe80::a9fe:a9fe",
            "fd00:ec2::254",
            "0.0.0.0",
            "ff02::1",
        ] {
            assert!(
                !AddressRule::PRIVATE.permits(text.parse().unwrap()),
                "{text}"
            );
        }
        assert!(AddressRule::PRIVATE.permits("127.0.0.1".parse().unwrap()));
    }

    proptest! {
        #[test]
        fn an_ipv4_address_in_disguise_is_judged_like_itself(bits: u32) {
            let plain = Ipv4Addr::from_bits(bits);
            let [a, b, c, d] = plain.octets();
            let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            let expected = AddressKind::of(plain.into());
            let disguises = [
                plain.to_ipv6_mapped(),
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
                Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
            ];
            for disguise in disguises {
                prop_assert_eq!(AddressKind::of(disguise.into()), expected);
            }
        }
    }
}
