use tokio_postgres::{Error, Row};

use super::{
    character,
    scope::{Scope, join_extension},
};
use crate::catalog::{Attribute, Function, FunctionKind, Oid, Parallel, Volatility};

const USABLE: &str = "has_schema_privilege(n.oid, 'USAGE') AND has_function_privilege(p.oid, 'EXECUTE')";

// A cast runs its function by id: who may execute it may use the cast, also where its schema is closed, and nothing is left
// of whose grant it needs without it.
pub(super) fn functions(scope: Scope) -> String {
    format!(
        "
SELECT p.oid, n.nspname, p.proname, p.prokind, g.aggkind, g.aggnumdirectargs, p.proargtypes::oid[], p.proargnames,
       p.proargmodes, p.pronargdefaults, nullif(p.provariadic, 0), p.prorettype, p.proretset, p.provolatile, p.prosecdef,
       p.proallargtypes, p.proisstrict, p.proleakproof, p.proparallel, l.lanname,
       CASE WHEN n.nspname <> 'pg_catalog' THEN pg_get_userbyid(p.proowner) END, extension.extname, d.description,
       NOT coalesce({usable}, false)
FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
JOIN pg_language l ON l.oid = p.prolang
LEFT JOIN pg_aggregate g ON g.aggfnoid = p.oid
LEFT JOIN pg_description d
  ON d.classoid = 'pg_proc'::regclass AND d.objoid = p.oid AND d.objsubid = 0 AND n.nspname <> 'pg_catalog'
{extension}
WHERE p.prokind IN ('f', 'a', 'w')
  AND (n.nspname = 'pg_catalog' OR left(n.nspname, 3) <> 'pg_')
  AND {shown}
ORDER BY n.nspname, p.proname, p.oid",
        extension = join_extension("pg_proc", "p.oid"),
        usable = USABLE,
        shown = scope.visible(&format!(
            "({USABLE} OR EXISTS (SELECT FROM pg_cast c WHERE c.castfunc = p.oid))"
        )),
    )
}

pub(super) fn decode(rows: &[Row]) -> Result<Vec<Function>, Error> {
    rows.iter().map(function).collect()
}

fn function(row: &Row) -> Result<Function, Error> {
    let (names, modes) = (row.try_get::<_, Option<Vec<String>>>(7)?, row.try_get::<_, Option<Vec<i8>>>(8)?);
    let types = row.try_get::<_, Option<Vec<Oid>>>(15)?;
    Ok(Function {
        oid: row.try_get(0)?,
        schema: row.try_get(1)?,
        name: row.try_get(2)?,
        kind: match (character(row, 3)?, row.try_get::<_, Option<i8>>(4)?.map(i8::cast_unsigned)) {
            ('a', Some(b'o' | b'h')) => FunctionKind::OrderedSet {
                direct: row.try_get::<_, Option<i16>>(5)?.unwrap_or(0).cast_unsigned(),
            },
            ('a', _) => FunctionKind::Aggregate,
            ('w', _) => FunctionKind::Window,
            _ => FunctionKind::Function,
        },
        arguments: row.try_get(6)?,
        columns: output_columns(names.as_deref(), modes.as_deref(), types),
        argument_names: input_names(names, modes),
        defaults: row.try_get::<_, i16>(9)?.cast_unsigned(),
        variadic: row.try_get(10)?,
        returns: row.try_get(11)?,
        returns_set: row.try_get(12)?,
        volatility: match character(row, 13)? {
            'i' => Volatility::Immutable,
            's' => Volatility::Stable,
            _ => Volatility::Volatile,
        },
        security_definer: row.try_get(14)?,
        strict: row.try_get(16)?,
        leakproof: row.try_get(17)?,
        parallel: match character(row, 18)? {
            's' => Parallel::Safe,
            'r' => Parallel::Restricted,
            _ => Parallel::Unsafe,
        },
        language: row.try_get(19)?,
        owner: row.try_get::<_, Option<_>>(20)?.unwrap_or_default(),
        extension: row.try_get(21)?,
        comment: row.try_get(22)?,
        hidden: row.try_get(23)?,
    })
}

/// The names of the input arguments among all (`proargnames`); without modes (`proargmodes`) all are input.
fn input_names(names: Option<Vec<String>>, modes: Option<Vec<i8>>) -> Vec<String> {
    let mut names = names.unwrap_or_default();
    if let Some(modes) = modes {
        let is_input = |mode: &i8| matches!(mode.cast_unsigned(), b'i' | b'b' | b'v');
        names =
            names.into_iter().zip(&modes).filter(|(_, mode)| is_input(mode)).map(|(name, _)| name).collect();
    }
    if names.iter().all(String::is_empty) {
        names.clear();
    }
    names
}

/// The output arguments among all (`proallargtypes`), which are told apart from the others only where there are some.
fn output_columns(names: Option<&[String]>, modes: Option<&[i8]>, types: Option<Vec<Oid>>) -> Vec<Attribute> {
    let all = types.unwrap_or_default().into_iter().zip(modes.unwrap_or_default()).enumerate();
    let outputs = all.filter(|(_, (_, mode))| matches!(mode.cast_unsigned(), b'o' | b'b' | b't'));
    let mut columns: Vec<Attribute> = outputs
        .map(|(position, (ty, _))| Attribute {
            name: names.and_then(|names| names.get(position)).cloned().unwrap_or_default(),
            ty,
            type_modifier: -1,
        })
        .collect();
    if columns.len() > 1 {
        for (position, column) in columns.iter_mut().enumerate().filter(|(_, column)| column.name.is_empty())
        {
            column.name = format!("column{}", position + 1);
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::{input_names, output_columns};

    fn named(names: &[&str], modes: Option<&str>) -> Vec<String> {
        let modes = modes.map(|modes| modes.bytes().map(u8::cast_signed).collect());
        input_names(Some(names.iter().map(ToString::to_string).collect()), modes)
    }

    #[test]
    fn names_are_those_of_input_arguments() {
        assert_eq!(input_names(None, None), [""; 0]);
        assert_eq!(named(&["a", ""], None), ["a", ""]);
        assert_eq!(named(&["", "b", "c", "d", "e", "f"], Some("iobvti")), ["", "c", "d", "f"]);
        assert_eq!(named(&["", "total"], Some("io")), [""; 0]);
    }

    #[test]
    fn columns_are_output_arguments_named_as_postgresql_names_them() {
        let columns = |names: Option<&[&str]>, modes: &str| -> Vec<(String, u32)> {
            let names = names.map(|names| names.iter().map(ToString::to_string).collect::<Vec<_>>());
            let modes: Vec<_> = modes.bytes().map(u8::cast_signed).collect();
            let types = (20..).take(modes.len()).collect();
            let columns = output_columns(names.as_deref(), Some(&modes), Some(types));
            columns.into_iter().map(|column| (column.name, column.ty)).collect()
        };
        assert_eq!(output_columns(None, None, None), []);
        let named = columns(Some(&["a", "b", "", "d", "e"]), "iobvt");
        assert_eq!(named, [("b".into(), 21), ("column2".into(), 22), ("e".into(), 24)]);
        assert_eq!(columns(None, "io"), [(String::new(), 21)]);
    }
}
