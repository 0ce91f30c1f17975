use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, de};

/// From where connections come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Addresses that begin alike, as CIDR writes them: `10.0.0.0/8`, `fd00::/8`; without a length it is one address.
    Addresses {
        /// The first one, as IPv6, to which IPv4 is mapped.
        first: u128,
        /// How many bits of it count.
        length: u32,
    },
    /// `unix`: a socket of Unix.
    Socket,
}

impl Network {
    /// Whether a connection is from there, with its address, or none on a socket. An IPv4 address is the same where it comes as
    /// IPv6.
    pub fn contains(&self, address: Option<IpAddr>) -> bool {
        match (self, address) {
            (Self::Addresses { first, length }, Some(address)) => {
                (bits(address) ^ first) & mask(*length) == 0
            }
            (Self::Socket, None) => true,
            _ => false,
        }
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
    .to_bits()
}

fn mask(length: u32) -> u128 {
    u128::MAX.checked_shl(128 - length).unwrap_or(0)
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "unix" {
            return Ok(Self::Socket);
        }
        let wrong =
            || format!("\"{text}\" is no network, such as 10.0.0.0/8 or fd00::/8, no address, and not unix");
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { Ipv4Addr::BITS } else { Ipv6Addr::BITS };
        let length = length.map_or(Ok(most), |length| length.parse().map_err(|_| wrong()))?;
        if length > most {
            return Err(wrong());
        }
        let (first, length) = (bits(address), length + Ipv6Addr::BITS - most);
        match first & !mask(length) {
            0 => Ok(Self::Addresses { first, length }),
            _ => {
                Err(format!("\"{text}\" has an address within its network: write that with which it begins"))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_the_addresses_that_begin_as_it_does() {
        let has = |network: &str, address: &str| {
            network.parse::<Network>().unwrap().contains(Some(address.parse().unwrap()))
        };
        assert!(has("10.0.0.0/8", "10.255.0.1") && !has("10.0.0.0/8", "11.0.0.1"));
        assert!(has("10.0.0.0/8", "::ffff:10.1.2.3") && !has("10.0.0.0/8", "::10.1.2.3"));
        assert!(has("fd00::/8", "fdff::1") && !has("fd00::/8", "fe00::1"));
        assert!(has("127.0.0.1", "127.0.0.1") && !has("127.0.0.1", "127.0.0.2"));
        assert!(has("::1", "::1") && !has("::1", "::2"));
        assert!(has("0.0.0.0/0", "203.0.113.9") && !has("0.0.0.0/0", "2001:db8::1"));
        assert!(has("::/0", "203.0.113.9") && has("::/0", "2001:db8::1"));
        let socket: Network = "unix".parse().unwrap();
        assert!(
            socket.contains(None)
                && !has("unix", "::1")
                && !"::/0".parse::<Network>().unwrap().contains(None)
        );
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in ["", "10", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/", "localhost", "10.0.0.1/8"]
        {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }
}
