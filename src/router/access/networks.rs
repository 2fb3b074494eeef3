//! The networks whose clients may read the metrics.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net};

use crate::error::Error;

/// A list of networks. A single address is a network of one address.
#[derive(Debug, Clone, Default)]
pub(crate) struct AllowedNetworks(Vec<IpNet>);

impl AllowedNetworks {
    /// Adds a network, such as `10.0.0.0/8`, or a single address.
    pub(crate) fn add(&mut self, text: &str) -> Result<(), Error> {
        let Some(network) = parse(text.trim()) else {
            return Err(Error::invalid_network(format_args!(
                "the network {text:?} is not valid: it is neither an address nor a network; \
                 write one such as \"127.0.0.1\", \"10.0.0.0/8\" or \"fd00::/8\""
            )));
        };
        self.0.push(canonical(network));
        Ok(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns true if one of the networks contains `address`, which must be canonical.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

fn parse(text: &str) -> Option<IpNet> {
    let address = || text.parse::<IpAddr>().ok().map(IpNet::from);
    text.parse().ok().or_else(address)
}

/// Converts a network of IPv4-mapped IPv6 addresses to one of IPv4 addresses. Canonical client
/// addresses would never match it otherwise.
fn canonical(network: IpNet) -> IpNet {
    /// The length of the prefix `::ffff:0:0/96`, in bits.
    const MAPPED_PREFIX: u8 = 96;

    let (IpAddr::V6(address), length) = (network.addr(), network.prefix_len()) else {
        return network;
    };
    let mapped = Ipv6Addr::to_ipv4_mapped(&address).zip(length.checked_sub(MAPPED_PREFIX));
    let v4 = mapped.and_then(|(address, length)| Ipv4Net::new(address, length).ok());
    v4.map_or(network, IpNet::from)
}
