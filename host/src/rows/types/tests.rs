use std::panic::catch_unwind;

use tokio_postgres::types::Type;

use super::*;
use crate::rows::ColumnEncoder;

/// Every decoded type and its array.
pub(in crate::rows) const TYPES: &[Type] = &[
    Type::BOOL,
    Type::INT2,
    Type::INT4,
    Type::INT8,
    Type::OID,
    Type::FLOAT4,
    Type::FLOAT8,
    Type::NUMERIC,
    Type::TEXT,
    Type::VARCHAR,
    Type::BPCHAR,
    Type::NAME,
    Type::CHAR,
    Type::BYTEA,
    Type::DATE,
    Type::TIME,
    Type::TIMETZ,
    Type::TIMESTAMP,
    Type::TIMESTAMPTZ,
    Type::INTERVAL,
    Type::UUID,
    Type::JSON,
    Type::JSONB,
    Type::INET,
    Type::CIDR,
    Type::MACADDR,
    Type::MACADDR8,
    Type::BOOL_ARRAY,
    Type::INT4_ARRAY,
    Type::NUMERIC_ARRAY,
    Type::TEXT_ARRAY,
    Type::TIMESTAMPTZ_ARRAY,
    Type::INET_ARRAY,
    Type::JSONB_ARRAY,
    Type::CHAR_ARRAY,
    Type::INTERVAL_ARRAY,
];

fn encode(ty: &Type, raw: &[u8]) -> Result<String, Malformed> {
    let mut out = BytesMut::new();
    ColumnEncoder::for_type(ty.oid()).unwrap().json().put(Some(raw), &mut out)?;
    Ok(String::from_utf8(out.to_vec()).unwrap())
}

fn numeric(weight: i16, sign: u16, scale: u16, groups: &[u16]) -> Vec<u8> {
    let head = [groups.len() as u16, weight as u16, sign, scale];
    head.iter().chain(groups).flat_map(|word| word.to_be_bytes()).collect()
}

fn array(sizes: &[i32], element: &Type, elements: &[Option<&[u8]>]) -> Vec<u8> {
    let mut raw = Vec::new();
    raw.extend((sizes.len() as i32).to_be_bytes());
    raw.extend(1_i32.to_be_bytes());
    raw.extend(element.oid().to_be_bytes());
    for size in sizes {
        raw.extend(size.to_be_bytes());
        raw.extend(1_i32.to_be_bytes());
    }
    for element in elements {
        raw.extend(element.map_or(-1, |bytes| bytes.len() as i32).to_be_bytes());
        raw.extend(element.unwrap_or_default());
    }
    raw
}

/// A generator of the same bytes in every run (xorshift).
pub(in crate::rows) struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Bytes that are often small numbers, so that lengths and counts are sometimes plausible.
    pub fn bytes(&mut self) -> Vec<u8> {
        let length = self.next() % 48;
        (0..length)
            .map(|_| if self.next().is_multiple_of(3) { self.next() as u8 } else { (self.next() % 5) as u8 })
            .collect()
    }
}

#[test]
fn random_bytes_give_json_or_an_error() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for ty in TYPES {
        let (mut accepted, is_json) = (0, matches!(*ty, Type::JSON | Type::JSONB | Type::JSONB_ARRAY));
        for _ in 0..20_000 {
            let raw = random.bytes();
            let result = catch_unwind(|| encode(ty, &raw));
            let text = catch_unwind(|| {
                ColumnEncoder::for_type(ty.oid()).unwrap().text(&raw, &mut BytesMut::new()).is_ok()
            });
            assert_eq!(text.unwrap(), matches!(result, Ok(Ok(_))), "the text of {ty} of {raw:?}");
            match result.unwrap_or_else(|_| panic!("{ty} panics on {raw:?}")) {
                // PostgreSQL has checked these.
                Ok(_) if is_json => accepted += 1,
                Ok(text) => {
                    serde_json::from_str::<Box<serde_json::value::RawValue>>(&text)
                        .unwrap_or_else(|error| panic!("{ty}: {raw:?} became {text}: {error}"));
                    accepted += 1;
                }
                Err(_) => {}
            }
        }
        assert!(accepted < 20_000 || *ty == Type::BYTEA, "{ty} accepts anything");
    }
}

#[test]
fn every_cut_of_a_value_is_an_error() {
    let values = [
        (Type::INT8, 7_i64.to_be_bytes().to_vec()),
        (Type::NUMERIC, numeric(1, 0, 2, &[1, 2345, 6700])),
        (Type::INTERVAL, [0; 16].to_vec()),
        (Type::TIMETZ, [0; 12].to_vec()),
        (Type::INET, vec![2, 32, 0, 4, 127, 0, 0, 1]),
        (Type::TEXT_ARRAY, array(&[2], &Type::TEXT, &[Some(b"a"), None])),
        (Type::INT4_ARRAY, array(&[1, 2], &Type::INT4, &[Some(&[0; 4]), Some(&[1; 4])])),
    ];
    for (ty, raw) in &values {
        encode(ty, raw).unwrap();
        for end in 0..raw.len() {
            assert!(encode(ty, &raw[..end]).is_err(), "{ty} cut at {end}");
        }
        let longer = [raw.as_slice(), &[0]].concat();
        assert!(encode(ty, &longer).is_err(), "{ty} with one byte more");
    }
}

#[test]
fn a_short_array_can_not_claim_many_elements() {
    let huge = |sizes: &[i32]| encode(&Type::INT4_ARRAY, &array(sizes, &Type::INT4, &[None]));
    assert!(huge(&[i32::MAX]).is_err());
    assert!(huge(&[i32::MAX, i32::MAX, i32::MAX, i32::MAX, i32::MAX, i32::MAX]).is_err());
    assert!(huge(&[0]).is_err());
    assert!(huge(&[-1]).is_err());
    assert!(huge(&[1, 1, 1, 1, 1, 1, 1]).is_err());
    assert_eq!(huge(&[1, 1, 1, 1, 1, 1]).unwrap(), "[[[[[[null]]]]]]");
}

#[test]
fn an_array_of_other_elements_is_an_error() {
    assert!(encode(&Type::INT4_ARRAY, &array(&[1], &Type::INT8, &[None])).is_err());
}

#[test]
fn a_numeric_keeps_its_digits_and_its_scale() {
    let cases: &[(i16, u16, u16, &[u16], &str)] = &[
        (0, 0, 0, &[], "0"),
        (0, 0, 2, &[], "0.00"),
        (0, 0, 0, &[5], "5"),
        (1, 0x4000, 0, &[1], "-10000"),
        (1, 0, 3, &[1, 2, 3000], "10002.300"),
        (-1, 0, 4, &[1], "0.0001"),
        (-2, 0, 9, &[1, 5000], "0.000000015"),
        (2, 0, 0, &[0, 0, 7], "7"),
        (2, 0, 0, &[12, 0, 7], "1200000007"),
        (0, 0xC000, 0, &[], "\"NaN\""),
        (0, 0xD000, 0, &[], "\"Infinity\""),
        (0, 0xF000, 0, &[], "\"-Infinity\""),
    ];
    for (weight, sign, scale, groups, expected) in cases {
        assert_eq!(encode(&Type::NUMERIC, &numeric(*weight, *sign, *scale, groups)).unwrap(), *expected);
    }
    assert!(encode(&Type::NUMERIC, &numeric(0, 0, 0, &[10_000])).is_err());
    assert!(encode(&Type::NUMERIC, &numeric(0, 0x1234, 0, &[1])).is_err());
}

#[test]
fn the_ends_of_every_range_are_written() {
    let date = |days: i32| encode(&Type::DATE, &days.to_be_bytes()).unwrap();
    assert_eq!(date(i32::MIN + 1), "\"5877612-06-23 BC\"");
    assert_eq!(date(i32::MAX - 1), "\"5881610-07-10\"");
    let timestamp = |microseconds: i64| encode(&Type::TIMESTAMP, &microseconds.to_be_bytes()).unwrap();
    assert_eq!(timestamp(-1), "\"1999-12-31T23:59:59.999999\"");
    assert!(timestamp(i64::MIN + 1).ends_with(" BC\""));
    assert_eq!(timestamp(i64::MAX - 1), "\"294277-01-09T04:00:54.775806\"");
    let mut interval = [0x80; 16];
    interval[1..8].fill(0);
    assert!(encode(&Type::INTERVAL, &interval).unwrap().starts_with("\"P-"));
}
