use std::collections::BTreeMap;

use callslip_ir::QualifiedName;

use super::written::{self, Relations};
use super::{GrantSettings, MissingGrant};

impl GrantSettings {
    /// Adds the least that would do of what is missing, and says whether there was anything to add.
    pub fn add(&mut self, missing: &[MissingGrant]) -> bool {
        let mut added = false;
        for its in missing {
            let list = match its.list {
                "relations" => &mut self.relations,
                "functions" => &mut self.functions,
                "operators" => &mut self.operators,
                "casts" => &mut self.casts,
                "types" => &mut self.types,
                _ => continue,
            };
            if !list.contains(&its.least) {
                list.push(its.least.clone());
                added = true;
            }
        }
        added
    }

    /// The same with each relation once, with all its columns, and each list in order.
    pub fn gathered(mut self) -> Self {
        let mut columns: BTreeMap<String, Option<Vec<String>>> = BTreeMap::new();
        let mut others = Vec::new();
        for grant in self.relations {
            match written::relations(&grant) {
                Ok(Relations::One(QualifiedName { schema, name }, its)) => {
                    let name = match schema {
                        Some(schema) => written::name(&schema, &name),
                        None => written::quoted(&name).into_owned(),
                    };
                    let gathered = columns.entry(name).or_insert_with(|| Some(Vec::new()));
                    *gathered = gathered.take().zip(its).map(|(mut gathered, its)| {
                        gathered.extend(its);
                        gathered
                    });
                }
                Ok(Relations::Like { .. }) | Err(_) => others.push(grant),
            }
        }
        let told = |(name, columns): (String, Option<Vec<String>>)| match columns {
            None => name,
            Some(mut columns) => {
                columns.sort_unstable();
                columns.dedup();
                let columns: Vec<_> = columns.iter().map(|column| written::quoted(column)).collect();
                format!("{name}({})", columns.join(", "))
            }
        };
        others.extend(columns.into_iter().map(told));
        self.relations = others;
        for list in
            [&mut self.relations, &mut self.functions, &mut self.operators, &mut self.casts, &mut self.types]
        {
            list.sort_unstable();
            list.dedup();
        }
        self
    }

    /// The grants as a configuration has them, a line for each list that is not empty; each grant on a line of its own where
    /// they are several. It ends with a line's end, if there are any.
    pub fn to_toml(&self) -> String {
        let Self { relations, functions, operators, casts, types } = self;
        let mut text = String::new();
        for (name, list) in [
            ("relations", relations),
            ("functions", functions),
            ("operators", operators),
            ("casts", casts),
            ("types", types),
        ] {
            let quoted: Vec<String> = list.iter().map(|grant| super::missing::in_quotes(grant)).collect();
            match quoted.as_slice() {
                [] => {}
                [one] => text.push_str(&format!("{name} = [{one}]\n")),
                several => text.push_str(&format!("{name} = [\n    {},\n]\n", several.join(",\n    "))),
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_relation_is_told_once_with_all_its_columns() {
        let relations = ["b", "a.t()", "a.t(\"x y\")", "a.t(c, b)", "a.u(d)", "a.u", "r.*", "b(c)"];
        let settings = GrantSettings {
            relations: relations.map(str::to_owned).into(),
            functions: ["f(int4)", "f(int4)", "e"].map(str::to_owned).into(),
            ..GrantSettings::default()
        };
        let gathered = settings.gathered();
        assert_eq!(gathered.relations, ["a.t(b, c, \"x y\")", "a.u", "b", "r.*"]);
        assert_eq!(gathered.functions, ["e", "f(int4)"]);
        let text = gathered.to_toml();
        assert_eq!(
            text,
            "relations = [\n    \"a.t(b, c, \\\"x y\\\")\",\n    \"a.u\",\n    \"b\",\n    \"r.*\",\n]\nfunctions = [\n    \"e\",\n    \
             \"f(int4)\",\n]\n"
        );
        #[cfg(feature = "host")]
        assert_eq!(toml::from_str::<GrantSettings>(&text).unwrap(), gathered);
        assert_eq!(GrantSettings::default().to_toml(), "");
    }

    #[test]
    fn what_is_there_is_not_added_again() {
        let missing = MissingGrant { list: "functions", written: "f".into(), least: "f(int4)".into() };
        let mut settings = GrantSettings::default();
        assert!(settings.add(std::slice::from_ref(&missing)));
        assert!(!settings.add(&[missing]));
        assert_eq!(settings.functions, ["f(int4)"]);
    }
}
