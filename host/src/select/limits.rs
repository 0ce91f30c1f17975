/// How large a description may be. Whatever is over a limit is refused before anything else looks at it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Nodes of one description.
    pub nodes: usize,
    /// How deep nodes may nest. Verifying, lowering and printing recurse to this depth, which a thread with a
    /// stack of 2 MiB must bear even in a build without optimisation, a quarter of it being for who calls.
    pub depth: usize,
    /// Slots of one description.
    pub slots: usize,
    /// Columns of one select list; PostgreSQL's own limit is 1,664 (`MaxTupleAttributeNumber`).
    pub columns: usize,
    /// Bytes of the SQL text.
    pub sql_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { nodes: 5_000, depth: 100, slots: 1_000, columns: 1_600, sql_bytes: 1 << 20 }
    }
}

/// The bytes of an identifier that PostgreSQL keeps (`NAMEDATALEN - 1`); it cuts longer ones in silence.
pub const IDENTIFIER_BYTES: usize = 63;
