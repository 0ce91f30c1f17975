use bytes::{BufMut, BytesMut};

use super::{Reader, exactly, put_fraction, put_padded, two_digits};
use crate::rows::error::Malformed;

const MICROSECONDS_OF_DAY: i64 = 86_400_000_000;

/// The days from the first of March of the year 0 to PostgreSQL's epoch, 2000-01-01.
const EPOCH: i64 = 730_425;

pub(super) fn date(raw: &[u8], out: &mut BytesMut) -> Result<(), Malformed> {
    match exactly(raw).map(i32::from_be_bytes)? {
        i32::MAX => out.extend_from_slice(b"infinity"),
        i32::MIN => out.extend_from_slice(b"-infinity"),
        days => {
            let date = Date::from_days(days.into());
            date.put(out);
            date.put_era(out);
        }
    }
    Ok(())
}

pub(super) fn time(raw: &[u8], out: &mut BytesMut) -> Result<(), Malformed> {
    let microseconds = time_of_day(i64::from_be_bytes(exactly(raw)?))?;
    put_time(microseconds, out);
    Ok(())
}

pub(super) fn timetz(raw: &[u8], out: &mut BytesMut) -> Result<(), Malformed> {
    let mut reader = Reader(raw);
    let microseconds = time_of_day(i64::from_be_bytes(reader.take()?))?;
    let seconds_west = reader.take_i32()?;
    reader.end()?;
    put_time(microseconds, out);
    put_offset(seconds_west, out);
    Ok(())
}

pub(super) fn timestamp(raw: &[u8], out: &mut BytesMut) -> Result<(), Malformed> {
    put_timestamp(raw, b"", out)
}

pub(super) fn timestamptz(raw: &[u8], out: &mut BytesMut) -> Result<(), Malformed> {
    put_timestamp(raw, b"Z", out)
}

fn put_timestamp(raw: &[u8], zone: &[u8], out: &mut BytesMut) -> Result<(), Malformed> {
    match exactly(raw).map(i64::from_be_bytes)? {
        i64::MAX => out.extend_from_slice(b"infinity"),
        i64::MIN => out.extend_from_slice(b"-infinity"),
        microseconds => {
            let date = Date::from_days(microseconds.div_euclid(MICROSECONDS_OF_DAY));
            date.put(out);
            out.put_u8(b'T');
            put_time(microseconds.rem_euclid(MICROSECONDS_OF_DAY).unsigned_abs(), out);
            out.extend_from_slice(zone);
            date.put_era(out);
        }
    }
    Ok(())
}

/// A time of day; 24:00:00 is one.
fn time_of_day(microseconds: i64) -> Result<u64, Malformed> {
    match u64::try_from(microseconds) {
        Ok(inside) if microseconds <= MICROSECONDS_OF_DAY => Ok(inside),
        _ => Err(Malformed("a time is not within a day")),
    }
}

fn put_time(microseconds: u64, out: &mut BytesMut) {
    // All of them are less than 2^32, and less than 100.
    let seconds = (microseconds / 1_000_000) as u32;
    let pair = |value: u32| two_digits(value as u8);
    let ([a, b], [c, d], [e, f]) = (pair(seconds / 3600), pair(seconds / 60 % 60), pair(seconds % 60));
    out.extend_from_slice(&[a, b, b':', c, d, b':', e, f]);
    put_fraction((microseconds % 1_000_000) as u32, out);
}

fn put_offset(seconds_west: i32, out: &mut BytesMut) {
    let seconds = u64::from(seconds_west.unsigned_abs());
    out.put_u8(if seconds_west > 0 { b'-' } else { b'+' });
    put_padded(seconds / 3600, 2, out);
    out.put_u8(b':');
    put_padded(seconds / 60 % 60, 2, out);
    if !seconds.is_multiple_of(60) {
        out.put_u8(b':');
        put_padded(seconds % 60, 2, out);
    }
}

/// A day of the proleptic Gregorian calendar. PostgreSQL's dates go beyond what crate `time` can hold.
struct Date {
    /// The year, astronomically: 0 is 1 BC.
    year: i64,
    month: u8,
    day: u8,
}

impl Date {
    /// The day so many days after 2000-01-01. Years are counted from March here, so that a leap day ends one.
    fn from_days(days: i64) -> Self {
        let days = days + EPOCH;
        let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let (month, next_year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
        let small = |value: i64| u8::try_from(value).unwrap_or(u8::MAX);
        Self { year: year + era * 400 + next_year, month: small(month), day: small(day) }
    }

    fn put(&self, out: &mut BytesMut) {
        let year = if self.year > 0 { self.year } else { 1 - self.year };
        match u16::try_from(year) {
            Ok(year @ 0..=9999) => {
                let pair = |value: u16| two_digits(value as u8);
                let ([a, b], [c, d]) = (pair(year / 100), pair(year % 100));
                out.extend_from_slice(&[a, b, c, d]);
            }
            _ => put_padded(year.unsigned_abs(), 4, out),
        }
        let ([a, b], [c, d]) = (two_digits(self.month), two_digits(self.day));
        out.extend_from_slice(&[b'-', a, b, b'-', c, d]);
    }

    fn put_era(&self, out: &mut BytesMut) {
        if self.year <= 0 {
            out.extend_from_slice(b" BC");
        }
    }
}
