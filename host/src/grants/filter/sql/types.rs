use callslip_ir::{QualifiedName, TypeName};
use sqlparser::ast::{ArrayElemTypeDef, DataType};

use super::{Problem, qualified, unsupported};

/// The type that is written. Which types there are the catalog knows.
pub(super) fn type_name(written: &DataType) -> Result<TypeName, Problem> {
    let refuse = || unsupported("this type", written);
    match written {
        DataType::Array(ArrayElemTypeDef::SquareBracket(element, None)) => {
            let element = type_name(element)?;
            // PostgreSQL does not tell the number of dimensions apart.
            Ok(TypeName { array: true, ..element })
        }
        DataType::Custom(name, modifiers) => {
            let modifiers = modifiers.iter().map(|its| its.to_string().parse().map_err(|_| refuse()));
            Ok(TypeName {
                name: qualified(name)?,
                modifiers: modifiers.collect::<Result<_, _>>()?,
                array: false,
            })
        }
        _ => spelt(&written.to_string()).ok_or_else(refuse),
    }
}

/// A type of SQL's own, whose modifiers may stand within its name: `timestamp(3) with time zone`.
fn spelt(written: &str) -> Option<TypeName> {
    let mut name = written.to_ascii_lowercase();
    let mut modifiers = Vec::new();
    if let Some(open) = name.find('(') {
        let close = open + name[open..].find(')')?;
        for modifier in name[open + 1..close].split(',') {
            modifiers.push(modifier.trim().parse().ok()?);
        }
        name.replace_range(open..=close, "");
    }
    let is_name = |word: &str| word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let words: Vec<&str> = name.split_whitespace().collect();
    (!words.is_empty() && words.iter().all(|word| is_name(word))).then(|| TypeName {
        name: QualifiedName::new(words.join(" ")),
        modifiers,
        array: false,
    })
}
