use super::change::ObjectKind;
use super::pairs::by_name;
use super::{Differ, ObjectRef, What};
use crate::catalog::{Extension, Schema};

impl Differ<'_> {
    pub(super) fn server_version(&mut self, old: u32, new: u32) {
        // 150018 is 15.18, and of another major version nothing but that is of interest.
        let shown = |version: u32| match self.same_major {
            true => format!("{}.{}", version / 10_000, version % 10_000),
            false => (version / 10_000).to_string(),
        };
        let (from, to) = (shown(old), shown(new));
        self.about(ObjectRef::new(ObjectKind::Server, "", "PostgreSQL")).text("version", from, to);
    }

    pub(super) fn settings(&mut self) {
        let (old, new) = (&self.old.contents.settings, &self.new.contents.settings);
        let names: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for name in names {
            let object = ObjectRef::new(ObjectKind::Setting, "", name);
            self.about(object).option("value", old.get(name).cloned(), new.get(name).cloned());
        }
    }

    pub(super) fn extensions(&mut self) {
        let (old, new) = (&self.old.contents.extensions, &self.new.contents.extensions);
        for (name, pair) in by_name(old, new, |its| &its.name) {
            let mut about = self.about(ObjectRef::new(ObjectKind::Extension, "", name));
            match pair {
                (Some(old), Some(new)) => {
                    let Extension { name: _, schema, version } = old;
                    about.text("version", version, &new.version);
                    about.text("schema", schema, &new.schema);
                }
                (None, Some(new)) => about.appeared(&new.version),
                _ => about.tell(What::Disappeared),
            }
        }
    }

    pub(super) fn schemas(&mut self) {
        let (old, new) = (&self.old.contents.schemas, &self.new.contents.schemas);
        for (name, pair) in by_name(old, new, |its| &its.name) {
            let mut about = self.about(ObjectRef::new(ObjectKind::Schema, "", name));
            match pair {
                (Some(old), Some(new)) => {
                    let Schema { name: _, owner, comment, hidden: _ } = old;
                    about.text("owner", owner, &new.owner);
                    about.option("comment", comment.clone(), new.comment.clone());
                }
                (None, Some(_)) => about.appeared(""),
                _ => about.tell(What::Disappeared),
            }
        }
    }
}
