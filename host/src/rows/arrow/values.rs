use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Float32Builder,
    Float64Builder, Int16Builder, Int32Builder, Int64Builder, IntervalMonthDayNanoBuilder, ListArray,
    StringBuilder, Time64MicrosecondBuilder, TimestampMicrosecondBuilder, UInt32Builder,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, FieldRef, IntervalMonthDayNano, IntervalUnit, TimeUnit};
use arrow::error::ArrowError;
use bytes::BytesMut;

use crate::catalog::Oid;
use crate::rows::error::Malformed;
use crate::rows::types::{Reader, ScalarType, array, exactly, numeric, string};

/// Values of one type as they are gathered, chosen once a column.
pub(super) enum Values {
    Bool(BooleanBuilder),
    Int16(Int16Builder),
    Int32(Int32Builder),
    Int64(Int64Builder),
    UInt32(UInt32Builder),
    Float32(Float32Builder),
    Float64(Float64Builder),
    Decimal {
        values: Decimal128Builder,
        precision: u8,
        scale: i8,
    },
    Date(Date32Builder),
    Time(Time64MicrosecondBuilder),
    Timestamp {
        values: TimestampMicrosecondBuilder,
        data_type: DataType,
    },
    Interval(IntervalMonthDayNanoBuilder),
    Binary(BinaryBuilder),
    /// What is a text already.
    Utf8(StringBuilder),
    /// What is written as text.
    Text {
        values: StringBuilder,
        scalar: ScalarType,
        text: BytesMut,
    },
    List(Box<List>),
}

/// Lists of values.
pub(super) struct List {
    /// The type of their elements in PostgreSQL.
    element: Oid,
    field: FieldRef,
    items: Values,
    count: i32,
    /// Where each list ends.
    ends: Vec<i32>,
    valid: Vec<bool>,
}

/// The days, and the microseconds, from 1970 to PostgreSQL's epoch, 2000-01-01.
const EPOCH_DAYS: i32 = 10_957;
const EPOCH_MICROSECONDS: i64 = 946_684_800_000_000;

const DAY_MICROSECONDS: i64 = 86_400_000_000;

const TOO_MUCH_TEXT: Malformed = Malformed("a row has more text than a batch of Arrow can have");

impl Values {
    /// Values of a type, of which a `numeric` may be declared with a precision and a scale.
    pub fn new(scalar: ScalarType, digits: Option<(u8, i8)>) -> Self {
        match (scalar, digits) {
            (ScalarType::Bool, _) => Self::Bool(BooleanBuilder::new()),
            (ScalarType::Int2, _) => Self::Int16(Int16Builder::new()),
            (ScalarType::Int4, _) => Self::Int32(Int32Builder::new()),
            (ScalarType::Int8, _) => Self::Int64(Int64Builder::new()),
            (ScalarType::Oid, _) => Self::UInt32(UInt32Builder::new()),
            (ScalarType::Float4, _) => Self::Float32(Float32Builder::new()),
            (ScalarType::Float8, _) => Self::Float64(Float64Builder::new()),
            (ScalarType::Numeric, Some((precision, scale))) => {
                let values = Decimal128Builder::new().with_data_type(DataType::Decimal128(precision, scale));
                Self::Decimal { values, precision, scale }
            }
            (ScalarType::Date, _) => Self::Date(Date32Builder::new()),
            (ScalarType::Time, _) => Self::Time(Time64MicrosecondBuilder::new()),
            (ScalarType::Timestamp, _) => Self::timestamp(None),
            (ScalarType::Timestamptz, _) => Self::timestamp(Some("UTC".into())),
            (ScalarType::Interval, _) => Self::Interval(IntervalMonthDayNanoBuilder::new()),
            (ScalarType::Bytea, _) => Self::Binary(BinaryBuilder::new()),
            (ScalarType::Text, _) => Self::Utf8(StringBuilder::new()),
            (
                ScalarType::Numeric
                | ScalarType::Int8AsString
                | ScalarType::NumericAsString
                | ScalarType::Char
                | ScalarType::Timetz
                | ScalarType::Uuid
                | ScalarType::Json
                | ScalarType::JsonOnOneLine
                | ScalarType::Jsonb
                | ScalarType::Network
                | ScalarType::Macaddr
                | ScalarType::Macaddr8,
                _,
            ) => Self::Text { values: StringBuilder::new(), scalar, text: BytesMut::new() },
        }
    }

    fn timestamp(zone: Option<Arc<str>>) -> Self {
        let data_type = DataType::Timestamp(TimeUnit::Microsecond, zone);
        let values = TimestampMicrosecondBuilder::new().with_data_type(data_type.clone());
        Self::Timestamp { values, data_type }
    }

    /// Lists of such values.
    pub fn list(element: Oid, items: Self) -> Self {
        let field = Arc::new(Field::new_list_field(items.data_type(), true));
        Self::List(Box::new(List { element, field, items, count: 0, ends: Vec::new(), valid: Vec::new() }))
    }

    pub fn data_type(&self) -> DataType {
        match self {
            Self::Bool(_) => DataType::Boolean,
            Self::Int16(_) => DataType::Int16,
            Self::Int32(_) => DataType::Int32,
            Self::Int64(_) => DataType::Int64,
            Self::UInt32(_) => DataType::UInt32,
            Self::Float32(_) => DataType::Float32,
            Self::Float64(_) => DataType::Float64,
            Self::Decimal { precision, scale, .. } => DataType::Decimal128(*precision, *scale),
            Self::Date(_) => DataType::Date32,
            Self::Time(_) => DataType::Time64(TimeUnit::Microsecond),
            Self::Timestamp { data_type, .. } => data_type.clone(),
            Self::Interval(_) => DataType::Interval(IntervalUnit::MonthDayNano),
            Self::Binary(_) => DataType::Binary,
            Self::Utf8(_) | Self::Text { .. } => DataType::Utf8,
            Self::List(list) => DataType::List(list.field.clone()),
        }
    }

    /// Adds a value in PostgreSQL's binary form, or null.
    pub fn push(&mut self, raw: Option<&[u8]>) -> Result<(), Malformed> {
        match self {
            Self::Bool(values) => values.append_option(raw.map(bool).transpose()?),
            Self::Int16(values) => {
                values.append_option(raw.map(exactly).transpose()?.map(i16::from_be_bytes));
            }
            Self::Int32(values) => {
                values.append_option(raw.map(exactly).transpose()?.map(i32::from_be_bytes));
            }
            Self::Int64(values) => {
                values.append_option(raw.map(exactly).transpose()?.map(i64::from_be_bytes));
            }
            Self::UInt32(values) => {
                values.append_option(raw.map(exactly).transpose()?.map(u32::from_be_bytes));
            }
            Self::Float32(values) => {
                values.append_option(raw.map(exactly).transpose()?.map(f32::from_be_bytes));
            }
            Self::Float64(values) => {
                values.append_option(raw.map(exactly).transpose()?.map(f64::from_be_bytes));
            }
            Self::Decimal { values, precision, scale } => {
                let unscaled = |raw| numeric::unscaled(raw, *precision, *scale);
                values.append_option(raw.map(unscaled).transpose()?);
            }
            Self::Date(values) => values.append_option(raw.map(date).transpose()?),
            Self::Time(values) => values.append_option(raw.map(time).transpose()?),
            Self::Timestamp { values, .. } => values.append_option(raw.map(timestamp).transpose()?),
            Self::Interval(values) => values.append_option(raw.map(interval).transpose()?),
            Self::Binary(values) => {
                has_room(values.values_slice(), raw)?;
                values.append_option(raw);
            }
            Self::Utf8(values) => {
                has_room(values.values_slice(), raw)?;
                values.append_option(raw.map(string::utf8).transpose()?);
            }
            Self::Text { values, .. } if raw.is_none() => values.append_null(),
            Self::Text { values, scalar, text } => {
                text.clear();
                scalar.text(raw.unwrap_or_default(), text)?;
                has_room(values.values_slice(), Some(text))?;
                values.append_value(string::utf8(text)?);
            }
            Self::List(list) => list.push(raw)?,
        }
        Ok(())
    }

    /// The values, of which none are left.
    pub fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        Ok(match self {
            Self::Bool(values) => Arc::new(values.finish()),
            Self::Int16(values) => Arc::new(values.finish()),
            Self::Int32(values) => Arc::new(values.finish()),
            Self::Int64(values) => Arc::new(values.finish()),
            Self::UInt32(values) => Arc::new(values.finish()),
            Self::Float32(values) => Arc::new(values.finish()),
            Self::Float64(values) => Arc::new(values.finish()),
            Self::Decimal { values, .. } => Arc::new(values.finish()),
            Self::Date(values) => Arc::new(values.finish()),
            Self::Time(values) => Arc::new(values.finish()),
            Self::Timestamp { values, .. } => Arc::new(values.finish()),
            Self::Interval(values) => Arc::new(values.finish()),
            Self::Binary(values) => Arc::new(values.finish()),
            Self::Utf8(values) | Self::Text { values, .. } => Arc::new(values.finish()),
            Self::List(list) => list.finish()?,
        })
    }
}

impl List {
    fn push(&mut self, raw: Option<&[u8]>) -> Result<(), Malformed> {
        if let Some(raw) = raw {
            let (items, count) = (&mut self.items, &mut self.count);
            array::each(raw, self.element, |item| {
                *count = count.checked_add(1).ok_or(TOO_MUCH_TEXT)?;
                items.push(item)
            })?;
        }
        self.ends.push(self.count);
        self.valid.push(raw.is_some());
        Ok(())
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let mut offsets = vec![0];
        offsets.append(&mut self.ends);
        let valid = NullBuffer::from(std::mem::take(&mut self.valid));
        self.count = 0;
        let offsets = OffsetBuffer::new(offsets.into());
        let list = ListArray::try_new(self.field.clone(), offsets, self.items.finish()?, Some(valid))?;
        Ok(Arc::new(list))
    }
}

/// Whether the ends of values are still numbers of 32 bits.
fn has_room(values: &[u8], more: Option<&[u8]>) -> Result<(), Malformed> {
    match values.len().saturating_add(more.map_or(0, <[u8]>::len)) <= i32::MAX as usize {
        true => Ok(()),
        false => Err(TOO_MUCH_TEXT),
    }
}

fn bool(raw: &[u8]) -> Result<bool, Malformed> {
    match exactly(raw)? {
        [0] => Ok(false),
        [1] => Ok(true),
        _ => Err(Malformed("a bool is neither 0 nor 1")),
    }
}

/// Days from 1970. Infinity is the largest number and minus infinity the smallest, as in PostgreSQL's own form; no other date is.
fn date(raw: &[u8]) -> Result<i32, Malformed> {
    match exactly(raw).map(i32::from_be_bytes)? {
        infinity @ (i32::MAX | i32::MIN) => Ok(infinity),
        days => days
            .checked_add(EPOCH_DAYS)
            .filter(|days| *days != i32::MAX)
            .ok_or(Malformed("a date is later than Arrow's last; cast it to text")),
    }
}

fn time(raw: &[u8]) -> Result<i64, Malformed> {
    match exactly(raw).map(i64::from_be_bytes)? {
        inside @ 0..DAY_MICROSECONDS => Ok(inside),
        DAY_MICROSECONDS => Err(Malformed("24:00:00 is no time of Arrow's; cast it to text")),
        _ => Err(Malformed("a time is not within a day")),
    }
}

/// Microseconds from 1970, infinity as in dates.
fn timestamp(raw: &[u8]) -> Result<i64, Malformed> {
    match exactly(raw).map(i64::from_be_bytes)? {
        infinity @ (i64::MAX | i64::MIN) => Ok(infinity),
        microseconds => microseconds
            .checked_add(EPOCH_MICROSECONDS)
            .filter(|microseconds| *microseconds != i64::MAX)
            .ok_or(Malformed("a timestamp is later than Arrow's last; cast it to text")),
    }
}

/// Months, days and nanoseconds. Infinity is all three of them at their largest.
fn interval(raw: &[u8]) -> Result<IntervalMonthDayNano, Malformed> {
    let mut reader = Reader::new(raw);
    let microseconds = i64::from_be_bytes(reader.take()?);
    let days = reader.take_i32()?;
    let months = reader.take_i32()?;
    reader.end()?;
    let nanoseconds = match (microseconds, days, months) {
        // PostgreSQL 17.
        (i64::MAX, i32::MAX, i32::MAX) | (i64::MIN, i32::MIN, i32::MIN) => microseconds,
        _ => microseconds
            .checked_mul(1000)
            .ok_or(Malformed("an interval has more hours than Arrow's can have; cast it to text"))?,
    };
    Ok(IntervalMonthDayNano::new(months, days, nanoseconds))
}
