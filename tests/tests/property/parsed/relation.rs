use pg_query::NodeEnum;
use pg_query::protobuf::{
    Alias, CollateClause, ColumnDef, JoinExpr, JoinType, Node, RangeFunction, RangeSubselect,
    RangeTableSample, RangeVar,
};

use super::expression::type_head;
use super::{Read, Reader, Tree, qualified, quoted, strings, unexpected};

pub(super) fn alias(alias: &Option<Alias>) -> Read {
    match alias {
        None => Ok(Tree::leaf("alias none")),
        Some(Alias { aliasname, colnames }) => {
            Ok(Tree::leaf(format!("alias {aliasname:?} {:?}", strings(colnames)?)))
        }
    }
}

impl Reader<'_> {
    pub(super) fn relation(&mut self, node: Option<&Node>) -> Read {
        match node.and_then(|node| node.node.as_ref()) {
            Some(NodeEnum::RangeVar(table)) => table_tree(table),
            Some(NodeEnum::RangeTableSample(sample)) => self.sample(sample),
            Some(NodeEnum::RangeSubselect(subquery)) => {
                let RangeSubselect { lateral, subquery, alias: its } = subquery.as_ref();
                let head = if *lateral { "subquery lateral" } else { "subquery" };
                Ok(Tree::new(head, vec![self.query(subquery.as_deref())?, alias(its)?]))
            }
            Some(NodeEnum::RangeFunction(functions)) => self.functions(functions),
            Some(NodeEnum::JoinExpr(join)) => self.join(join),
            Some(NodeEnum::JsonTable(table)) => self.json_table(table),
            other => unexpected("a relation", &other),
        }
    }

    fn sample(&mut self, sample: &RangeTableSample) -> Read {
        let RangeTableSample { relation, method, args, repeatable, location: _ } = sample;
        let table = self.relation(relation.as_deref())?;
        let head = format!("table sample {}", qualified(method)?);
        let arguments = Tree::new("arguments", self.expressions(args)?);
        Ok(Tree::new(head, vec![table, arguments, self.optional("operand seed", repeatable.as_deref())?]))
    }

    fn functions(&mut self, functions: &RangeFunction) -> Read {
        let RangeFunction { lateral, ordinality, is_rowsfrom, functions: calls, alias: its, coldeflist } =
            functions;
        let mut parts = Vec::new();
        for call in calls {
            let Some(NodeEnum::List(list)) = &call.node else { return unexpected("a function", call) };
            let [function, definitions] = list.items.as_slice() else {
                return unexpected("a function", list);
            };
            let definitions = match &definitions.node {
                None => Vec::new(),
                Some(NodeEnum::List(list)) => definitions_of(&list.items)?,
                other => return unexpected("column definitions", other),
            };
            parts.push(Tree::new(
                "functions call",
                vec![self.expression(Some(function))?, Tree::new("arguments columns", definitions)],
            ));
        }
        // The definitions of the columns of a single function stand behind its alias.
        if let [single] = parts.as_mut_slice()
            && !is_rowsfrom
        {
            single.parts[1].parts.extend(definitions_of(coldeflist)?);
        } else if !coldeflist.is_empty() {
            return unexpected("column definitions", coldeflist);
        }
        let head = format!("functions lateral={lateral} ordinality={ordinality}");
        parts.push(alias(its)?);
        Ok(Tree::new(head, parts))
    }

    fn join(&mut self, join: &JoinExpr) -> Read {
        let JoinExpr {
            jointype,
            is_natural,
            larg,
            rarg,
            using_clause,
            join_using_alias,
            quals,
            alias: its,
            rtindex: _,
        } = join;
        let kind = match JoinType::try_from(*jointype) {
            Ok(JoinType::JoinInner) => "inner",
            Ok(JoinType::JoinLeft) => "left",
            Ok(JoinType::JoinRight) => "right",
            Ok(JoinType::JoinFull) => "full",
            other => return unexpected("a join", &other),
        };
        let (left, right) = (self.relation(larg.as_deref())?, self.relation(rarg.as_deref())?);
        let using = strings(using_clause)?;
        let condition = match (is_natural, using.as_slice(), quals, join_using_alias) {
            (false, [], None, None) => Tree::leaf("on nothing"),
            (true, [], None, None) => Tree::leaf("natural"),
            (false, [], Some(condition), None) => Tree::new("on", vec![self.expression(Some(condition))?]),
            (false, [_, ..], None, its) => {
                Tree::new("using", vec![Tree::leaf(format!("using {using:?}")), alias(its)?])
            }
            other => return unexpected("the condition of a join", &other),
        };
        Ok(Tree::new(format!("join {kind:?}"), vec![left, right, condition, alias(its)?]))
    }
}

fn table_tree(table: &RangeVar) -> Read {
    let RangeVar { catalogname, schemaname, relname, inh, relpersistence, alias: its, location: _ } = table;
    if !catalogname.is_empty() || relpersistence != "p" {
        return unexpected("a table", table);
    }
    let name = match schemaname.as_str() {
        "" => quoted([relname.as_str()]),
        schema => quoted([schema, relname]),
    };
    Ok(Tree::new(format!("table {}{name}", if *inh { "" } else { "only " }), vec![alias(its)?]))
}

fn definitions_of(nodes: &[Node]) -> Result<Vec<Tree>, String> {
    nodes
        .iter()
        .map(|node| match &node.node {
            Some(NodeEnum::ColumnDef(definition)) => definition_tree(definition),
            other => unexpected("a column definition", other),
        })
        .collect()
}

fn definition_tree(definition: &ColumnDef) -> Read {
    let ColumnDef {
        colname,
        type_name,
        compression,
        inhcount: _,
        is_local: _,
        is_not_null,
        is_from_type,
        storage,
        storage_name,
        raw_default,
        cooked_default,
        identity,
        identity_sequence,
        generated,
        coll_clause,
        coll_oid: _,
        constraints,
        fdwoptions,
        location: _,
    } = definition;
    let plain = [compression, storage, storage_name, identity, generated].iter().all(|text| text.is_empty())
        && !is_not_null
        && !is_from_type
        && raw_default.is_none()
        && cooked_default.is_none()
        && identity_sequence.is_none()
        && constraints.is_empty()
        && fdwoptions.is_empty();
    let (true, Some(ty)) = (plain, type_name) else { return unexpected("a column definition", definition) };
    let collation = match coll_clause.as_deref() {
        None => String::new(),
        Some(CollateClause { arg: None, collname, location: _ }) => {
            format!(" collate {}", qualified(collname)?)
        }
        other => return unexpected("a collation", &other),
    };
    Ok(Tree::leaf(format!("column {colname:?}{}{collation}", type_head(ty)?)))
}
