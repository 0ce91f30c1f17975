use callslip_ir::TypeName;

/// Reads a type as an author writes it: `int4`, `numeric(10,2)`, `timestamp(3) with time zone`, `text[]`.
///
/// # Panics
/// If what is in the parentheses is not whole numbers.
#[track_caller]
pub fn parse_type(written: &str) -> TypeName {
    let Some((before, rest)) = written.split_once('(') else { return TypeName::parse(written.trim()) };
    let Some((modifiers, after)) = rest.split_once(')') else { not_a_type(written) };
    let mut ty = TypeName::parse(&[before.trim_end(), after.trim_end()].concat());
    for modifier in modifiers.split(',') {
        let Ok(modifier) = modifier.trim().parse() else { not_a_type(written) };
        ty.modifiers.push(modifier);
    }
    ty
}

#[track_caller]
fn not_a_type(written: &str) -> ! {
    panic!("`{written}` is not a type: write it like `numeric(10,2)`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modifiers_are_read_wherever_they_stand() {
        for (written, read) in [
            ("int4", "int4"),
            ("numeric(10, 2)", "numeric(10,2)"),
            ("varchar(3)[]", "varchar(3)[]"),
            ("audit.level", "audit.level"),
        ] {
            assert_eq!(parse_type(written).to_string(), read);
        }
        let ty = parse_type("timestamp(3) with time zone");
        assert_eq!((ty.name.name.as_str(), ty.modifiers), ("timestamp with time zone", vec![3]));
    }

    #[test]
    #[should_panic(expected = "`numeric(a)` is not a type")]
    fn other_modifiers_are_refused() {
        parse_type("numeric(a)");
    }
}
