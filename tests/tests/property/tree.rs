use std::fmt;

/// A statement as a tree, in which a description and what PostgreSQL's parser reads can be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// The construct with its names, keywords and flags.
    pub head: String,
    /// What it is made of, in the order of SQL.
    pub parts: Vec<Tree>,
}

/// How a type is written after the slot that a parameter reads, and after a cast.
pub const TYPE: &str = " as ";
/// What the head of a cast begins with.
pub const CAST: &str = "cast as ";

impl Tree {
    pub fn new(head: impl Into<String>, parts: Vec<Self>) -> Self {
        Self { head: head.into(), parts }
    }

    pub fn leaf(head: impl Into<String>) -> Self {
        Self::new(head, Vec::new())
    }

    /// A part that may be missing.
    pub fn optional(head: &str, part: Option<Self>) -> Self {
        Self::new(head, part.into_iter().collect())
    }

    /// AND and OR of a list are the same however their operands are grouped.
    pub fn associative(head: &str, parts: Vec<Self>) -> Self {
        let mut flat = Vec::with_capacity(parts.len());
        for part in parts {
            if part.head == head { flat.extend(part.parts) } else { flat.push(part) }
        }
        match <[Self; 1]>::try_from(flat) {
            Ok([only]) => only,
            Err(several) => Self::new(head, several),
        }
    }

    /// Where what was parsed differs from what was described, as the way there and both sides.
    ///
    /// Beyond equality this much is allowed:
    /// - a cast around an expression for which the description has none: the host writes out what PostgreSQL would convert;
    /// - any type of a parameter whose slot has none of its own;
    /// - either way to write a row, unless the description's tree says which.
    pub fn difference(described: &Self, parsed: &Self) -> Result<(), String> {
        Self::differ(described, parsed, &mut Vec::new())
    }

    fn differ<'t>(described: &'t Self, parsed: &'t Self, way: &mut Vec<&'t str>) -> Result<(), String> {
        // One cast and not more: what is inside must be what was described.
        let parsed = match parsed.parts.as_slice() {
            [inner]
                if parsed.head.starts_with(CAST)
                    && !same_head(&described.head, &parsed.head)
                    && same_head(&described.head, &inner.head)
                    && is_expression(&described.head) =>
            {
                inner
            }
            _ => parsed,
        };
        let differs = if !same_head(&described.head, &parsed.head) {
            "other constructs".to_owned()
        } else if described.parts.len() != parsed.parts.len() {
            format!("{} parts were described and {} parsed", described.parts.len(), parsed.parts.len())
        } else {
            way.push(&described.head);
            for (described, parsed) in described.parts.iter().zip(&parsed.parts) {
                Self::differ(described, parsed, way)?;
            }
            way.pop();
            return Ok(());
        };
        let way = way.join(" / ");
        Err(format!("at {way}: {differs}\ndescribed: {described}\nparsed:    {parsed}"))
    }
}

fn same_head(described: &str, parsed: &str) -> bool {
    if described == parsed {
        return true;
    }
    match parsed.strip_prefix(described) {
        Some(rest) if described.starts_with("slot ") => rest.starts_with(TYPE),
        // What has no name is given one by the host.
        Some(rest) if described == "item" => rest.starts_with(" \""),
        Some(rest) if described == "row" => matches!(rest, " explicit" | " implicit"),
        _ => false,
    }
}

/// Whether a part is an expression: only around one may the host write a cast.
fn is_expression(head: &str) -> bool {
    const STRUCTURE: &[&str] = &[
        "query",
        "select",
        "values",
        "union",
        "intersect",
        "except",
        "with",
        "cte",
        "item",
        "items",
        "from",
        "where",
        "group by",
        "having",
        "windows",
        "window",
        "order by",
        "order",
        "limit",
        "offset",
        "table",
        "subquery",
        "functions",
        "join",
        "alias",
        "on",
        "using",
        "natural",
        "distinct",
        "arguments",
        "filter",
        "over",
        "partition by",
        "frame",
        "within group",
        "rollup",
        "cube",
        "sets",
        "empty set",
        "when",
        "else",
        "operand",
        "search",
        "cycle",
    ];
    let word = head.split('"').next().unwrap_or(head).trim_end();
    !STRUCTURE.contains(&word)
}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.parts.is_empty() {
            return write!(f, "[{}]", self.head);
        }
        write!(f, "[{}:", self.head)?;
        for part in &self.parts {
            write!(f, " {part}")?;
        }
        f.write_str("]")
    }
}
