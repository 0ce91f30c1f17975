/// A type's name with what a type modifier (`pg_attribute.atttypmod`) says: `varchar(40)`, `numeric(10,2)[]`. Of other types
/// than PostgreSQL's usual ones, whose modifiers only their own functions can read, it is the name alone.
pub(crate) fn with_modifier(name: String, modifier: i32) -> String {
    let (base, array) = match name.strip_suffix("[]") {
        Some(base) => (base, "[]"),
        None => (name.as_str(), ""),
    };
    match base {
        _ if modifier < 0 => name,
        // The header of four bytes is counted in.
        "varchar" | "bpchar" => format!("{base}({}){array}", modifier - 4),
        // The scale has 11 bits and a sign.
        "numeric" => {
            let (precision, scale) = ((modifier - 4) >> 16, ((((modifier - 4) & 0x7ff) ^ 1024) - 1024));
            format!("{base}({precision},{scale}){array}")
        }
        "bit" | "varbit" | "time" | "timetz" | "timestamp" | "timestamptz" => {
            format!("{base}({modifier}){array}")
        }
        "interval" => format!("{base}{}{array}", interval(modifier)),
        _ => name,
    }
}

/// The fields that an interval is cut to, and its fractional digits: ` day to second(3)`. All of either are all bits.
fn interval(modifier: i32) -> String {
    const ALL_FIELDS: i32 = 0x7fff;
    const ALL_DIGITS: i32 = 0xffff;
    let (fields, digits) = ((modifier >> 16) & ALL_FIELDS, modifier & ALL_DIGITS);
    let named = [("year", 2), ("month", 1), ("day", 3), ("hour", 10), ("minute", 11), ("second", 12)];
    let mut named = named.iter().filter(|(_, bit)| fields != ALL_FIELDS && fields & (1 << bit) != 0);
    let mut written = match (named.next(), named.next_back()) {
        (Some((first, _)), Some((last, _))) => format!(" {first} to {last}"),
        (Some((only, _)), None) => format!(" {only}"),
        (None, _) => String::new(),
    };
    if digits != ALL_DIGITS {
        written.push_str(&format!("({digits})"));
    }
    written
}

#[cfg(test)]
mod tests {
    use super::with_modifier;

    #[test]
    fn a_modifier_is_written_as_in_sql() {
        // As PostgreSQL's format_type() writes the same modifiers.
        for (name, modifier, written) in [
            ("varchar", 44, "varchar(40)"),
            ("bpchar[]", 5, "bpchar(1)[]"),
            ("numeric", 655_366, "numeric(10,2)"),
            ("numeric", 329_729, "numeric(5,-3)"),
            ("timestamptz", 3, "timestamptz(3)"),
            ("interval", 0x7fff_0003, "interval(3)"),
            ("interval", 0x0006_ffff, "interval year to month"),
            ("interval", 0x1c08_0002, "interval day to second(2)"),
            ("interval[]", 0x0400_ffff, "interval hour[]"),
            ("int4", -1, "int4"),
            ("app.point", 7, "app.point"),
        ] {
            assert_eq!(with_modifier(name.to_owned(), modifier), written);
        }
    }
}
