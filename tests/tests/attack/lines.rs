//! What is known that a plugin can try: the lines of the two tables. Each has to have an attack, and each attack a line.

/// A line of a table.
pub struct Line {
    /// `containment`, of components, or `dangers`, of descriptions.
    pub table: &'static str,
    /// Its name, which attacks give.
    pub id: &'static str,
}

const fn containment(id: &'static str) -> Line {
    Line { table: "containment", id }
}

const fn danger(id: &'static str) -> Line {
    Line { table: "dangers", id }
}

/// Both tables, in their order.
pub const LINES: &[Line] = &[
    containment("infinite loop"),
    containment("looping start function"),
    containment("allocation bomb"),
    containment("recursion"),
    containment("answer over the limit"),
    containment("too many statements"),
    containment("lying list lengths"),
    containment("panic"),
    containment("forged log lines"),
    containment("garbage, newer and huge shapes"),
    containment("forbidden features"),
    containment("slow to compile"),
    containment("too many instances, tables and memories"),
    containment("forbidden imports"),
    containment("start function that traps"),
    containment("wrong world"),
    containment("no component at all"),
    containment("huge manifest"),
    containment("lying manifests"),
    containment("holds an async thread"),
    containment("remembers the call before"),
    containment("keeps trapping"),
    containment("not the pinned component"),
    containment("a forged compiled component"),
    containment("the same bytes under fewer grants"),
    danger("what READ ONLY blocks"),
    danger("writes that READ ONLY lets pass"),
    danger("writes of the server"),
    danger("files"),
    danger("waits and locks"),
    danger("ends the sessions of others"),
    danger("other rights and settings"),
    danger("SQL or a table in a string"),
    danger("network"),
    danger("looks at what was not granted"),
    danger("values in errors"),
    danger("ungranted told from missing"),
    danger("row-filter bypass"),
    danger("another caller's rows"),
    danger("a login that may do more"),
    danger("views"),
    danger("shadowed names"),
    danger("SQL in a name"),
    danger("the borrowed transaction"),
    danger("a query that outlives its client"),
    danger("explosion"),
    danger("can't be interrupted"),
    danger("slow to interrupt"),
    danger("more rows than allowed"),
    danger("more bytes than allowed"),
    danger("more cost than allowed"),
    danger("more calls at once"),
    danger("more of the database's time"),
];
