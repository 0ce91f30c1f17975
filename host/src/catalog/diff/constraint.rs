use super::change::ObjectKind;
use super::column::Renamed;
use super::pairs::by_name;
use super::side::list;
use super::{Differ, ObjectRef, What};
use crate::catalog::{Check, Exclusion, ForeignKey, Index, ReferentialAction, UniqueKey};

impl Differ<'_> {
    pub(super) fn unique_keys(
        &mut self,
        of: &ObjectRef,
        (old, new): (&[UniqueKey], &[UniqueKey]),
        renamed: &Renamed<'_>,
    ) {
        let all = self.all;
        for (name, pair) in by_name(old, new, |its| &its.name) {
            let mut about = self.about(of.part(ObjectKind::UniqueKey, name));
            match pair {
                (Some(old), Some(new)) => {
                    let UniqueKey {
                        name: _,
                        primary,
                        partial,
                        deferrable,
                        without_overlaps,
                        nulls_not_distinct,
                        columns,
                    } = old;
                    about.is("the primary key", *primary, new.primary);
                    about.is("unique in part only", *partial, new.partial);
                    if all {
                        about.is("deferrable", *deferrable, new.deferrable);
                        about.is("without overlaps", *without_overlaps, new.without_overlaps);
                        about.is(
                            "one that takes two nulls as the same",
                            *nulls_not_distinct,
                            new.nulls_not_distinct,
                        );
                    }
                    about.text("list of columns", list(&now_named(columns, renamed)), list(&new.columns));
                }
                (None, Some(new)) => {
                    let what = if new.primary { "the primary key" } else { "unique" };
                    about.appeared(format!("{what} ({})", list(&new.columns)));
                }
                _ => about.tell(What::Disappeared),
            }
        }
    }

    pub(super) fn foreign_keys(
        &mut self,
        of: &ObjectRef,
        (old, new): (&[ForeignKey], &[ForeignKey]),
        renamed: &Renamed<'_>,
    ) {
        let all = self.all;
        for (name, pair) in by_name(old, new, |its| &its.name) {
            let of_old = pair.0.map(|its| self.old.relation(its.target));
            let of_new = pair.1.map(|its| self.new.relation(its.target));
            let mut about = self.about(of.part(ObjectKind::ForeignKey, name));
            match pair {
                (Some(old), Some(new)) => {
                    let ForeignKey {
                        name: _,
                        columns,
                        target: _,
                        target_columns,
                        on_update,
                        on_delete,
                        deferrable,
                        validated,
                        period,
                    } = old;
                    about.text("list of columns", list(&now_named(columns, renamed)), list(&new.columns));
                    about.option("target", of_old, of_new);
                    about.text("list of target columns", list(target_columns), list(&new.target_columns));
                    if all {
                        about.text("action on update", action(*on_update), action(new.on_update));
                        about.text("action on delete", action(*on_delete), action(new.on_delete));
                        about.is("deferrable", *deferrable, new.deferrable);
                        about.is("valid for all rows", *validated, new.validated);
                        about.is("one with a period", *period, new.period);
                    }
                }
                (None, Some(new)) => {
                    let target = of_new.unwrap_or_default();
                    about.appeared(format!("({}) to {target}", list(&new.columns)));
                }
                _ => about.tell(What::Disappeared),
            }
        }
    }

    pub(super) fn checks(&mut self, of: &ObjectRef, old: &[Check], new: &[Check]) {
        for (name, pair) in by_name(old, new, |its| &its.name) {
            let mut about = self.about(of.part(ObjectKind::Check, name));
            match pair {
                (Some(old), Some(new)) => {
                    let Check { name: _, expression, validated } = old;
                    about.text("expression", expression, &new.expression);
                    about.is("valid for all values", *validated, new.validated);
                }
                (None, Some(new)) => about.appeared(&new.expression),
                _ => about.tell(What::Disappeared),
            }
        }
    }

    pub(super) fn exclusions(&mut self, of: &ObjectRef, old: &[Exclusion], new: &[Exclusion]) {
        for (name, pair) in by_name(old, new, |its| &its.name) {
            let mut about = self.about(of.part(ObjectKind::Exclusion, name));
            match pair {
                (Some(old), Some(new)) => {
                    let Exclusion { name: _, definition } = old;
                    about.text("definition", definition, &new.definition);
                }
                (None, Some(new)) => about.appeared(&new.definition),
                _ => about.tell(What::Disappeared),
            }
        }
    }

    pub(super) fn indexes(
        &mut self,
        of: &ObjectRef,
        (old, new): (&[Index], &[Index]),
        renamed: &Renamed<'_>,
    ) {
        for (name, pair) in by_name(old, new, |its| &its.name) {
            let mut about = self.about(of.part(ObjectKind::Index, name));
            match pair {
                (Some(old), Some(new)) => {
                    let Index { name: _, method, unique, valid, keys, included, predicate } = old;
                    about.text("method", method, &new.method);
                    about.is("unique", *unique, new.unique);
                    about.is("complete", *valid, new.valid);
                    // Keys are SQL already.
                    let keys = now_named(keys, renamed);
                    if keys != new.keys {
                        about.text("list of keys", keys.join(", "), new.keys.join(", "));
                    }
                    let included = now_named(included, renamed);
                    about.option(
                        "list of included columns",
                        Some(list(&included)),
                        Some(list(&new.included)),
                    );
                    about.option("predicate", predicate.clone(), new.predicate.clone());
                }
                (None, Some(new)) => about.appeared(format!("{} ({})", new.method, new.keys.join(", "))),
                _ => about.tell(What::Disappeared),
            }
        }
    }
}

/// The names of columns, those that were probably renamed as they are now: a key goes along with its columns.
fn now_named(columns: &[String], renamed: &Renamed<'_>) -> Vec<String> {
    let named =
        |column: &String| renamed.get(column.as_str()).map_or(column.clone(), |now| (*now).to_owned());
    columns.iter().map(named).collect()
}

fn action(action: ReferentialAction) -> &'static str {
    match action {
        ReferentialAction::NoAction => "NO ACTION",
        ReferentialAction::Restrict => "RESTRICT",
        ReferentialAction::Cascade => "CASCADE",
        ReferentialAction::SetNull => "SET NULL",
        ReferentialAction::SetDefault => "SET DEFAULT",
    }
}
