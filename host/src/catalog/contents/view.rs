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
    /// The relations that it reads, those of the views that it reads too, system catalogs included.
    pub reads: BTreeSet<ObjectName>,
    /// The functions that it calls, also those behind operators and casts, those in the defaults of arguments, and those that the
    /// views which it reads call. What a function calls in its turn is not known, nor what an aggregate is made of.
    pub calls: BTreeSet<Signature>,
}
