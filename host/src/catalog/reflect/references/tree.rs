use std::collections::BTreeSet;

use super::Reference;
use crate::catalog::Oid;

/// What an expression or a query refers to by id, read from PostgreSQL's text of its node tree: `{OPEXPR :opno 96 :opfuncid 65
/// :args ({VAR …} {CONST …}) …}`.
///
/// It goes by the names of fields, which stay from version to version where those of nodes don't, and is no deeper for a deep
/// tree. A text that is no node tree gives whatever in it looks like a reference.
pub(in crate::catalog::reflect) fn references(tree: &str) -> BTreeSet<Reference> {
    let mut found = BTreeSet::new();
    let mut open: Vec<Node<'_>> = Vec::new();
    let mut is_value = false;
    let mut tokens = Tokens { rest: tree };
    while let Some(token) = tokens.next() {
        match token {
            "{" => open.push(Node { tag: tokens.next().unwrap_or_default(), ..Node::default() }),
            "}" => {
                if let Some(node) = open.pop() {
                    node.add_to(&mut found);
                    if let Some(parent) = open.last_mut() {
                        parent.add_child(node.ty());
                    }
                }
            }
            "(" | ")" => {}
            _ => {
                if let Some(node) = open.last_mut() {
                    // Where a value is due it is one, whatever it looks like: an alias may be `:funcid`.
                    match token.strip_prefix(':').filter(|_| !is_value) {
                        Some(field) => {
                            node.field = field;
                            is_value = true;
                            continue;
                        }
                        None => node.add_value(token),
                    }
                }
            }
        }
        is_value = false;
    }
    found
}

/// The output function of all arrays, `array_out(anyarray)`.
const ARRAY_OUT: Oid = 751;
/// What a set of columns counts from: `attnum` 0 is 7 in it.
const LOWEST_COLUMN: i16 = 7;
const BOOL: Oid = 16;
const INT4: Oid = 23;

/// The type of an expression.
#[derive(Clone, Copy)]
enum Type {
    Of(Oid),
    ArrayOf(Oid),
}

/// A node that is being read.
#[derive(Default)]
struct Node<'a> {
    /// What it is: `OPEXPR`.
    tag: &'a str,
    /// The field that is being read.
    field: &'a str,
    /// The numbers in fields that are looked at.
    numbers: Vec<(&'a str, u32)>,
    /// The type of what it takes, if that is a single expression.
    argument: Option<Type>,
}

impl Node<'_> {
    fn add_value(&mut self, token: &str) {
        let is_wanted = is_type(self.tag, self.field)
            || matches!(
                self.field,
                "funcid"
                    | "opno"
                    | "opfuncid"
                    | "opnos"
                    | "aggfnoid"
                    | "winfnoid"
                    | "tsmhandler"
                    | "startInRangeFunc"
                    | "endInRangeFunc"
                    | "eqop"
                    | "sortop"
                    | "cycle_mark_neop"
                    | "coltypes"
                    | "rtekind"
                    | "relid"
                    | "selectedCols"
                    | "subLinkType"
                    | "op"
            );
        if is_wanted && let Ok(number) = token.parse() {
            self.numbers.push((self.field, number));
        }
    }

    fn add_child(&mut self, ty: Option<Type>) {
        match self.field {
            "arg" | "expr" | "subselect" | "formatted_expr" | "returning" => self.argument = ty,
            // A query that gives a value has one column.
            "targetList" if self.argument.is_none() => self.argument = ty,
            _ => {}
        }
    }

    fn number(&self, field: &str) -> Option<u32> {
        self.numbers.iter().find(|(its, _)| *its == field).map(|(_, number)| *number)
    }

    /// Its type, if it is an expression.
    fn ty(&self) -> Option<Type> {
        let own = self.numbers.iter().find(|(field, _)| is_type(self.tag, field));
        match (self.tag, self.number("subLinkType"), self.number("op")) {
            ("SUBLINK", Some(4), _) => self.argument,
            ("SUBLINK", Some(6), _) => match self.argument? {
                Type::Of(element) => Some(Type::ArrayOf(element)),
                array @ Type::ArrayOf(_) => Some(array),
            },
            ("SUBLINK" | "BOOLEXPR" | "NULLTEST" | "BOOLEANTEST" | "SCALARARRAYOPEXPR" | "ROWCOMPARE", ..)
            | ("ROWCOMPAREEXPR" | "JSONISPREDICATE", ..)
            // IS DOCUMENT
            | ("XMLEXPR", _, Some(7)) => Some(Type::Of(BOOL)),
            ("GROUPINGFUNC", ..) => Some(Type::Of(INT4)),
            _ => own.map(|(_, ty)| Type::Of(*ty)).or(self.argument),
        }
    }

    fn add_to(&self, found: &mut BTreeSet<Reference>) {
        for &(field, oid) in self.numbers.iter().filter(|(_, oid)| *oid != 0) {
            found.extend(match field {
                "funcid" | "opfuncid" | "aggfnoid" | "winfnoid" | "tsmhandler" | "startInRangeFunc"
                | "endInRangeFunc" => Some(Reference::Function(oid)),
                "opno" if self.number("opfuncid").unwrap_or(0) == 0 => Some(Reference::Operator(oid)),
                "opnos" | "eqop" | "sortop" | "cycle_mark_neop" => Some(Reference::Operator(oid)),
                "minmaxtype" => Some(Reference::Order(oid)),
                // XMLTABLE, JSON_TABLE; VALUES and a WITH query have their types alone there.
                "coltypes" if self.tag == "TABLEFUNC" => Some(Reference::Input(oid)),
                "relid" if self.number("rtekind") == Some(0) => Some(Reference::Relation(oid)),
                // From PostgreSQL 16 on; only since 18 a column may be computed when it is read.
                "selectedCols" if self.tag == "RTEPERMISSIONINFO" => {
                    let number = i16::try_from(oid).ok().map(|member| member - LOWEST_COLUMN);
                    number.zip(self.number("relid")).map(|(number, relid)| Reference::Column(relid, number))
                }
                "resulttype" if self.tag == "COERCEVIAIO" => Some(Reference::Input(oid)),
                "resulttype" if self.tag == "COERCETODOMAIN" => Some(Reference::Domain(oid)),
                _ => None,
            });
        }
        match (self.tag, self.argument) {
            ("COERCEVIAIO", Some(Type::Of(ty))) => found.extend([Reference::Output(ty)]),
            ("COERCEVIAIO", Some(Type::ArrayOf(element))) => {
                found.extend([Reference::Function(ARRAY_OUT), Reference::Output(element)]);
            }
            // JSON_VALUE and its like, which end with what they return.
            ("JSONEXPR", Some(Type::Of(ty))) => found.extend([Reference::Input(ty)]),
            _ => {}
        }
    }
}

/// Whether a field of a node is the type of its value.
fn is_type(tag: &str, field: &str) -> bool {
    match field {
        "vartype" | "consttype" | "paramtype" | "aggtype" | "wintype" | "funcresulttype" | "opresulttype"
        | "refrestype" | "resulttype" | "casetype" | "coalescetype" | "minmaxtype" | "array_typeid"
        | "row_typeid" | "typeId" | "typid" => true,
        "type" => matches!(tag, "SQLVALUEFUNCTION" | "XMLEXPR"),
        _ => false,
    }
}

/// What PostgreSQL reads a node tree as: brackets and braces, and what stands between these and spaces.
struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        self.rest = self.rest.trim_start_matches([' ', '\n', '\t']);
        let mut escaped = false;
        let end = self.rest.find(|c| {
            let ends = !escaped && matches!(c, ' ' | '\n' | '\t' | '(' | ')' | '{' | '}');
            escaped = !escaped && c == '\\';
            ends
        });
        let (token, rest) = match end {
            // One of the brackets, which are tokens by themselves.
            Some(0) => self.rest.split_at(1),
            Some(end) => self.rest.split_at(end),
            None => (self.rest, ""),
        };
        self.rest = rest;
        (!token.is_empty()).then_some(token)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        Reference::{Domain, Function, Input, Operator, Order, Output, Relation},
        references,
    };

    fn of(tree: &str) -> Vec<super::Reference> {
        references(tree).into_iter().collect()
    }

    #[test]
    fn functions_and_operators_are_found_wherever_they_stand() {
        let call = "{FUNCEXPR :funcid 318 :funcresulttype 700 :args ({OPEXPR :opno 96 :opfuncid 65 :opresulttype 16} \
                    {OPEXPR :opno 97 :opfuncid 0 :opresulttype 16}) :location -1}";
        assert_eq!(of(call), [Function(65), Function(318), Operator(97)]);
        assert_eq!(of("({ROWCOMPAREEXPR :opnos (o 97 664) :largs <>})"), [Operator(97), Operator(664)]);
        assert_eq!(of("{SORTGROUPCLAUSE :eqop 96 :sortop 0}"), [Operator(96)]);
        assert_eq!(of("{MINMAX :minmaxtype 25 :args <>}"), [Order(25)]);
        assert_eq!(of("{RTE :rtekind 5 :values_lists <> :coltypes (o 23 25)}"), []);
        assert_eq!(of("{RTE :rtekind 4 :tablefunc {TABLEFUNC :coltypes (o 25)}}"), [Input(25)]);
    }

    #[test]
    fn relations_are_those_of_plain_entries_alone() {
        let entries = "(({RTE :rtekind 0 :relid 1259 :relkind r} {RTE :rtekind 1 :relid 5} {RTEPERMISSIONINFO :relid 7}))";
        assert_eq!(of(entries), [Relation(1259)]);
    }

    #[test]
    fn a_conversion_through_text_calls_the_functions_of_both_types() {
        let nested = "{COERCETODOMAIN :arg {COERCEVIAIO :arg {COERCEVIAIO :arg {VAR :vartype 23 :varlevelsup 0} \
                      :resulttype 25} :resulttype 20} :resulttype 16390}";
        assert_eq!(of(nested), [Input(20), Input(25), Output(23), Output(25), Domain(16390)]);
        // What has a type of another node's.
        let collated =
            "{COERCEVIAIO :arg {COLLATEEXPR :arg {CONST :consttype 1043} :collOid 100} :resulttype 23}";
        assert_eq!(of(collated), [Input(23), Output(1043)]);
        let of_list = "{COERCEVIAIO :arg {SUBLINK :subLinkType 6 :subselect {QUERY :targetList ({TARGETENTRY :expr \
                       {VAR :vartype 600}} {TARGETENTRY :expr {VAR :vartype 1}})}} :resulttype 25}";
        assert_eq!(of(of_list), [Function(751), Input(25), Output(600)]);
        let of_test = "{COERCEVIAIO :arg {SUBLINK :subLinkType 0 :subselect <>} :resulttype 25}";
        assert_eq!(of(of_test), [Input(25), Output(16)]);
    }

    #[test]
    fn names_are_never_taken_for_fields_or_nodes() {
        for name in [":funcid", "1259", "\\{FUNCEXPR\\ :funcid\\ 1", "\"\\)\\}\\(", "\\\\", "é\\ :opno"] {
            let tree = format!("{{ALIAS :aliasname {name} :colnames (\":funcid\" \"7\") :next 1}}");
            assert_eq!(of(&tree), [], "{tree}");
        }
    }

    #[test]
    fn no_text_is_too_odd_or_too_deep() {
        for odd in [
            "",
            "{",
            "}",
            "}}",
            "(",
            "\\",
            "{A :funcid",
            "{A :funcid }",
            ":funcid 5",
            "{ :relid {",
            "{A :funcid 99999999999}",
        ] {
            assert_eq!(of(odd), [], "{odd}");
        }
        let deep = format!("{}{{FUNCEXPR :funcid 5}}{}", "{A :arg ".repeat(200_000), "}".repeat(200_000));
        assert_eq!(of(&deep), [Function(5)]);
    }
}
