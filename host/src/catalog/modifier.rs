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
        _ => name,
    }
}
