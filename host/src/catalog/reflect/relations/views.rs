use std::collections::{BTreeSet, HashMap};

use tokio_postgres::{Error, Row};

use super::{Reflected, visible};
use crate::catalog::{
    Oid, View,
    reflect::{
        references::{Reference, References, references},
        scope::Scope,
    },
};

pub(super) fn sql(scope: Scope) -> String {
    format!(
        "{visible}
SELECT c.oid, pg_get_viewdef(c.oid), r.ev_action::text,
       coalesce((SELECT bool_or(option_value::bool) FROM pg_options_to_table(c.reloptions) WHERE option_name = 'security_barrier'), false),
       coalesce((SELECT bool_or(option_value::bool) FROM pg_options_to_table(c.reloptions) WHERE option_name = 'security_invoker'), false)
FROM visible v
JOIN pg_class c ON c.oid = v.oid AND c.relkind IN ('v', 'm')
JOIN pg_rewrite r ON r.ev_class = c.oid AND r.rulename = '_RETURN'",
        visible = visible(scope),
    )
}

/// A view, and what its own query refers to.
pub(super) struct Decoded {
    view: View,
    pub(super) references: BTreeSet<Reference>,
}

pub(super) fn decode(rows: &[Row]) -> Result<HashMap<Oid, Decoded>, Error> {
    rows.iter()
        .map(|row| {
            let view = View {
                definition: row.try_get(1)?,
                security_barrier: row.try_get(3)?,
                security_invoker: row.try_get(4)?,
                ..View::default()
            };
            Ok((row.try_get(0)?, Decoded { view, references: references(row.try_get(2)?) }))
        })
        .collect()
}

/// Adds the views, with what they lead to.
pub(super) fn add(reflected: &mut Reflected, views: HashMap<Oid, Decoded>, references: &References) {
    for (oid, Decoded { mut view, references: its }) in views {
        if let Some(&position) = reflected.positions.get(&oid) {
            (view.reads, view.calls) = references.of(oid, &its);
            reflected.relations[position].view = Some(view);
        }
    }
}
