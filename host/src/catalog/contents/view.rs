use std::collections::BTreeSet;

use super::{ObjectName, Signature};

/// What a view or materialized view is made of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// Its query, as SQL (`pg_get_viewdef`).
    pub definition: String,
    /// Whether its own conditions come before those of the query around it (`security_barrier`).
    pub security_barrier: bool,
    /// Whether what it reads is read with the rights of who reads it, and not of its owner (`security_invoker`, from
    /// PostgreSQL 15 on).
    pub security_invoker: bool,
    /// The relations that it reads, those of the views that it reads too, system catalogs included, whether or not the login may
    /// read them. Who reads a materialized view reads that alone.
    pub reads: BTreeSet<ObjectName>,
    /// The functions that it calls, whether or not the login may: those that are written, those behind operators, sorting,
    /// grouping and casts (those through text, and the checks of domains, too), those of virtual columns, those in the defaults of arguments, and those that the
    /// views which it reads call. Of an aggregate it is the aggregate itself. What a function calls in its turn is not known, nor
    /// what the policies of a table call; and what has a syntax of its own, such as `CURRENT_USER` and `JSON_OBJECT`, is no
    /// function.
    pub calls: BTreeSet<Signature>,
}
