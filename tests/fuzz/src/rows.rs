//! Values in PostgreSQL's binary protocol, of any of the types that are decoded, as a server sends them that may be another than
//! it seems. Whatever they are, a row is refused in words, or
//!
//! - its JSON is JSON, with a value for each column;
//! - what serde sees of it is the same;
//! - every other format has it too, but for what a type of Arrow can't hold;
//! - its cells hold nothing that a terminal would obey.

#![no_main]

#[path = "told.rs"]
mod told;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};

use bytes::BytesMut;
use callslip::loan::ResultColumn;
use callslip::rows::{
    Format, JsonReply, JsonRows, Numbers, ReplyWriter, RowError, RowShape, StatementRows, TextCells,
    is_decoded,
};
use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::runtime::Runtime;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, NoTls, Row};

use told::{assert_printable, assert_told};

struct Server {
    runtime: Runtime,
    client: Client,
    answer: Arc<Mutex<Answer>>,
}

/// What the server sends next.
#[derive(Default)]
struct Answer {
    description: Vec<u8>,
    rows: Vec<u8>,
}

/// A row's values as their JSON.
type Texts = BTreeMap<String, Box<RawValue>>;

/// The types that are decoded.
static TYPES: LazyLock<Vec<Type>> =
    LazyLock::new(|| (1..10_000).filter(|oid| is_decoded(*oid)).filter_map(Type::from_oid).collect());

static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let runtime = Runtime::new().expect("a runtime");
    let answer = Arc::<Mutex<Answer>>::default();
    let (ours, its) = tokio::io::duplex(1 << 20);
    let client = runtime.block_on(async {
        tokio::spawn(serve(its, Arc::clone(&answer)));
        let connected = tokio_postgres::Config::new().user("fuzz").connect_raw(ours, NoTls).await;
        let (client, connection) = connected.expect("a connection");
        tokio::spawn(connection);
        client
    });
    Server { runtime, client, answer }
});

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind], (body.len() as u32 + 4).to_be_bytes().as_slice(), body].concat()
}

/// As much of a PostgreSQL as a query needs.
async fn serve(mut stream: DuplexStream, answer: Arc<Mutex<Answer>>) -> std::io::Result<()> {
    let length = stream.read_u32().await?;
    stream.read_exact(&mut vec![0; length as usize - 4]).await?;
    stream.write_all(&[message(b'R', &[0; 4]), message(b'Z', b"I")].concat()).await?;
    loop {
        let kind = stream.read_u8().await?;
        let length = stream.read_u32().await?;
        stream.read_exact(&mut vec![0; length as usize - 4]).await?;
        let reply = {
            let answer = answer.lock().expect("nobody panics here");
            match kind {
                b'P' => message(b'1', b""),
                b'D' => [message(b't', &[0; 2]), answer.description.clone()].concat(),
                b'B' => message(b'2', b""),
                b'E' => [answer.rows.clone(), message(b'C', b"SELECT 1\0")].concat(),
                b'S' => message(b'Z', b"I"),
                b'C' => message(b'3', b""),
                _ => Vec::new(),
            }
        };
        stream.write_all(&reply).await?;
    }
}

fn described(columns: &[ResultColumn]) -> Vec<u8> {
    let mut body = (columns.len() as u16).to_be_bytes().to_vec();
    for column in columns {
        body.extend_from_slice(column.name.as_bytes());
        body.extend_from_slice(&[0; 7]);
        body.extend_from_slice(&column.type_oid.to_be_bytes());
        // Neither a length nor a modifier; in binary.
        body.extend_from_slice(&[255, 255, 255, 255, 255, 255, 0, 1]);
    }
    message(b'T', &body)
}

/// A row of what is left of the bytes: before each value there is its length, or 255 for null.
fn row(columns: usize, data: &mut &[u8]) -> Vec<u8> {
    let mut body = (columns as u16).to_be_bytes().to_vec();
    for _ in 0..columns {
        let (length, rest) = data.split_first().map_or((255, *data), |(length, rest)| (*length, rest));
        if length == 255 {
            body.extend_from_slice(&(-1_i32).to_be_bytes());
            *data = rest;
        } else {
            let (value, rest) = rest.split_at(rest.len().min(length.into()));
            body.extend_from_slice(&(value.len() as u32).to_be_bytes());
            body.extend_from_slice(value);
            *data = rest;
        }
    }
    message(b'D', &body)
}

fn check(columns: &Arc<[ResultColumn]>, rows: Vec<Row>) {
    let has_json = columns.iter().any(|its| {
        [Type::JSON, Type::JSONB, Type::JSON_ARRAY, Type::JSONB_ARRAY]
            .iter()
            .any(|ty| ty.oid() == its.type_oid)
    });
    let shape = Arc::new(RowShape::new("q".into(), Arc::clone(columns)).expect("types that are decoded"));
    let mut cells = TextCells::new(columns).expect("types that are decoded");
    for (number, row) in rows.into_iter().enumerate() {
        let mut reply = JsonReply::single(
            JsonRows::new(columns, true, Numbers::AsNumbers).expect("types that are decoded"),
        );
        let mut out = BytesMut::new();
        reply.begin(&mut out);
        let written = reply.row(&row, &mut out).map_err(|error| assert_told(&error.to_string()));
        reply.end_statement(None, &mut out);
        for format in Format::ALL {
            for numbers in [Numbers::AsNumbers, Numbers::AsStrings] {
                let other = reply_in(*format, numbers, columns, &row)
                    .map_err(|error| assert_told(&error.to_string()));
                // What PostgreSQL says is JSON is not read again, and Arrow can't hold every value.
                let may_differ = has_json || (*format == Format::Arrow && other.is_err());
                assert!(may_differ || other.is_ok() == written.is_ok(), "{format}");
            }
        }
        match cells.cells(&row) {
            Ok(cells) => cells.iter().flatten().for_each(|cell| assert_printable(cell)),
            // A JSON that is none is found by whoever reads it.
            Err(error) => assert!(written.is_err() || has_json, "{error}"),
        }
        // As texts: a number may have more digits than others can count.
        let json = serde_json::from_slice::<Option<Texts>>(&out);
        let seen = shape.row(row, number as u64).and_then(|row| row.to::<Texts>());
        match (written, json, seen) {
            (Ok(()), Ok(Some(json)), Ok(seen)) => {
                assert_eq!(json.len(), columns.len());
                let texts = |its: &Texts| its.values().map(|its| its.get().to_owned()).collect::<Vec<_>>();
                assert_eq!(texts(&seen), texts(&json));
            }
            (Err(()), Ok(None), Err(_)) => {}
            // What PostgreSQL says is JSON is not read again.
            (_, json, seen) => {
                assert!(has_json, "{json:?}, {seen:?}: {:?}", String::from_utf8_lossy(&out));
            }
        }
    }
}

fn reply_in(
    format: Format,
    numbers: Numbers,
    columns: &[ResultColumn],
    row: &Row,
) -> Result<BytesMut, RowError> {
    let rows = StatementRows::new("", columns);
    let mut writer = ReplyWriter::new(format, numbers, &[rows])?;
    let mut out = BytesMut::new();
    writer.begin(&mut out)?;
    writer.row(row, &mut out)?;
    writer.end_statement(None, &mut out)?;
    Ok(out)
}

fuzz_target!(|data: &[u8]| {
    let [count, data @ ..] = data else { return };
    let Some((types, mut data)) = data.split_at_checked(usize::from(count % 3) + 1) else { return };
    let column = |(index, ty): (usize, &u8)| {
        let ty = &TYPES[usize::from(*ty) % TYPES.len()];
        ResultColumn {
            name: format!("c{index}"),
            type_oid: ty.oid(),
            type_name: ty.name().to_owned(),
            // A `numeric(10,2)` for the first.
            type_modifier: if index == 0 { 655_366 } else { -1 },
        }
    };
    let columns: Arc<[ResultColumn]> = types.iter().enumerate().map(column).collect();
    let mut rows = Vec::new();
    for _ in 0..4 {
        rows.extend(row(columns.len(), &mut data));
    }
    let server = &*SERVER;
    *server.answer.lock().expect("nobody panics here") = Answer { description: described(&columns), rows };
    let rows = server.runtime.block_on(server.client.query_typed("", &[])).expect("rows");
    check(&columns, rows);
});
