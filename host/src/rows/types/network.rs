use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bytes::BytesMut;

use super::{Reader, exactly};
use crate::rows::error::Malformed;

/// `inet` and `cidr`. Of an `inet`, the length of the prefix is left out where it is the whole address.
pub(super) fn inet(raw: &[u8], out: &mut BytesMut) -> Result<(), Malformed> {
    let mut reader = Reader(raw);
    let [family, prefix, is_cidr, length] = reader.take()?;
    let (address, bits): (IpAddr, u8) = match (family, length) {
        (2, 4) => (Ipv4Addr::from(reader.take::<4>()?).into(), 32),
        (3, 16) => (Ipv6Addr::from(reader.take::<16>()?).into(), 128),
        _ => return Err(Malformed("an inet is of no known family")),
    };
    reader.end()?;
    if prefix > bits {
        return Err(Malformed("an inet's prefix is longer than its address"));
    }
    let text = match is_cidr == 0 && prefix == bits {
        true => address.to_string(),
        false => format!("{address}/{prefix}"),
    };
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

pub(super) fn macaddr<const N: usize>(raw: &[u8], out: &mut BytesMut) -> Result<(), Malformed> {
    let bytes: [u8; N] = exactly(raw)?;
    out.extend_from_slice(bytes.map(|byte| format!("{byte:02x}")).join(":").as_bytes());
    Ok(())
}
