use std::collections::BTreeMap;

use callslip_ir::snapshot::quoted;

use super::change::ObjectKind;
use super::side::Side;
use super::ty::written_name;
use super::{Differ, ObjectRef, What};
use crate::catalog::modifier::with_modifier;
use crate::catalog::{Attribute, Column, ColumnPrivileges, Generated, Identity, Relation};

/// The newer names of a relation's columns that probably have one, by the older ones.
pub(super) type Renamed<'a> = BTreeMap<&'a str, &'a str>;

impl<'a> Differ<'a> {
    pub(super) fn columns(
        &mut self,
        object: &ObjectRef,
        old: &'a Relation,
        new: &'a Relation,
    ) -> Renamed<'a> {
        let hidden = (self.old.hidden(old), self.new.hidden(new));
        let is_hidden = |of: &[&Attribute], name: &str| of.iter().any(|its| its.name == name);
        // What the login may not read any more was not renamed.
        let gone: Vec<&Column> = old.columns.iter().filter(|its| !is_hidden(&hidden.1, &its.name)).collect();
        let made: Vec<&Column> = new.columns.iter().filter(|its| !is_hidden(&hidden.0, &its.name)).collect();
        let renamed = self.renamed_columns(&gone, &made);
        let name = |its: &'a Column| its.name.as_str();
        let of_old = |its| renamed.get(name(its)).copied().unwrap_or(name(its));
        let pairs = super::pairs::pairs(&old.columns, &new.columns, of_old, name);
        // As people read a table: in the order of its columns, those that are new last.
        for old_column in &old.columns {
            let column = object.part(ObjectKind::Column, &old_column.name);
            match pairs.get(of_old(old_column)) {
                Some((_, Some(new_column))) => {
                    if renamed.contains_key(name(old_column)) {
                        let to = quoted(&new_column.name).into_owned();
                        self.about(column.clone()).tell(What::Renamed { to });
                    }
                    self.column(column, old_column, new_column);
                }
                _ if is_hidden(&hidden.1, &old_column.name) => {
                    self.about(column).is(What::READABLE, true, false);
                }
                _ => self.about(column).tell(What::Disappeared),
            }
        }
        for new_column in &new.columns {
            if let Some((None, _)) = pairs.get(name(new_column)) {
                let column = object.part(ObjectKind::Column, &new_column.name);
                if is_hidden(&hidden.0, &new_column.name) {
                    self.about(column).is(What::READABLE, false, true);
                } else {
                    let as_ = self.described(new_column);
                    self.about(column).appeared(as_);
                }
            }
        }
        let orders: (Vec<String>, Vec<String>) = (
            old.columns.iter().map(|its| of_old(its).to_owned()).collect(),
            new.columns.iter().map(|its| name(its).to_owned()).collect(),
        );
        self.about(object.clone()).order(What::COLUMN_ORDER, &orders.0, &orders.1);
        renamed
    }

    fn column(&mut self, object: ObjectRef, old: &Column, new: &Column) {
        let Column {
            // What it is found by.
            name: _,
            ty: _,
            type_modifier,
            dimensions,
            collation,
            nullable,
            default,
            identity,
            generated,
            privileges,
            comment,
        } = old;
        let types = (written_type(&self.old, old), written_type(&self.new, new));
        let all = self.all;
        let mut about = self.about(object);
        let is_same_type = types.0 == types.1;
        about.text(What::TYPE, types.0, types.1);
        if is_same_type {
            about.text(What::TYPE_MODIFIER, type_modifier.to_string(), new.type_modifier.to_string());
        }
        about.is("nullable", *nullable, new.nullable);
        if all {
            about.text("number of dimensions", dimensions.to_string(), new.dimensions.to_string());
            about.option("collation", written_name(collation), written_name(&new.collation));
            about.option("default", default.clone(), new.default.clone());
            about.option("identity", identity.map(self::identity), new.identity.map(self::identity));
            about.option("generation", generated.map(self::generated), new.generated.map(self::generated));
            let ColumnPrivileges { select, insert, update, references } = *privileges;
            let now = new.privileges;
            about.is(What::READABLE, select, now.select);
            about.is("writable in new rows", insert, now.insert);
            about.is("writable", update, now.update);
            about.is("open to foreign keys", references, now.references);
        }
        about.option("comment", comment.clone(), new.comment.clone());
    }

    /// Columns that are gone with those that came in their place, between the same others, and of the same type.
    fn renamed_columns(&self, old: &[&'a Column], new: &[&'a Column]) -> Renamed<'a> {
        let name = |its: &&'a Column| its.name.as_str();
        let pairs = super::pairs::pairs(old, new, name, name);
        let is_common =
            |its: &&Column| pairs.get(its.name.as_str()).is_some_and(|(a, b)| a.is_some() && b.is_some());
        let gaps = |columns: &[&'a Column]| -> BTreeMap<&'a str, Vec<&'a Column>> {
            let mut gaps: BTreeMap<_, Vec<_>> = BTreeMap::new();
            let mut before = "";
            for &column in columns {
                match is_common(&column) {
                    true => before = &column.name,
                    false => gaps.entry(before).or_default().push(column),
                }
            }
            gaps
        };
        let mut made = gaps(new);
        let mut renamed = Renamed::new();
        for (before, gone) in gaps(old) {
            let Some(made) = made.get_mut(before) else { continue };
            for column in gone {
                let is_alike = |its: &&Column| {
                    self.old.ty(column.ty) == self.new.ty(its.ty) && column.type_modifier == its.type_modifier
                };
                if let Some(at) = made.iter().position(is_alike) {
                    renamed.insert(&column.name, &made.remove(at).name);
                }
            }
        }
        renamed
    }

    /// `int8, nullable, default 0`.
    fn described(&self, column: &Column) -> String {
        let mut words = vec![written_type(&self.new, column)];
        words.extend(column.nullable.then(|| "nullable".to_owned()));
        words.extend(column.generated.map(generated));
        words.extend(column.identity.map(identity));
        if let (Some(default), None) = (&column.default, column.generated) {
            words.push(format!("default {default}"));
        }
        words.join(", ")
    }
}

fn written_type(side: &Side<'_>, column: &Column) -> String {
    with_modifier(side.ty(column.ty), column.type_modifier)
}

fn identity(identity: Identity) -> String {
    match identity {
        Identity::Always => "GENERATED ALWAYS AS IDENTITY",
        Identity::ByDefault => "GENERATED BY DEFAULT AS IDENTITY",
    }
    .to_owned()
}

fn generated(generated: Generated) -> String {
    match generated {
        Generated::Stored => "GENERATED, STORED",
        Generated::Virtual => "GENERATED, VIRTUAL",
    }
    .to_owned()
}
