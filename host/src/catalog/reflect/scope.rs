use super::Visibility;

/// What is read, and of which server: what the text of a statement depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope {
    /// `server_version_num`.
    pub(super) server_version: u32,
    pub(super) visibility: Visibility,
}

impl Scope {
    /// A condition on what the login may use; where everything is read, one that always holds.
    pub(super) fn visible(self, condition: &str) -> &str {
        match self.visibility {
            Visibility::Readable => condition,
            Visibility::Everything => "true",
        }
    }

    /// An expression for servers from that version on (`server_version_num`), and another for older ones.
    pub(super) fn since<'a>(self, version: u32, expression: &'a str, otherwise: &'a str) -> &'a str {
        if self.server_version >= version { expression } else { otherwise }
    }
}

/// Joins the extension that an object of a system catalog is of, as `extension.extname`.
pub(super) fn join_extension(catalog: &str, oid: &str) -> String {
    join_extension_of(&format!("'{catalog}'::regclass"), oid)
}

/// The same where an expression gives the id of the system catalog.
pub(super) fn join_extension_of(class: &str, oid: &str) -> String {
    format!(
        "LEFT JOIN pg_depend membership
           ON membership.classid = {class} AND membership.objid = {oid} AND membership.objsubid = 0
           AND membership.refclassid = 'pg_extension'::regclass AND membership.deptype = 'e'
         LEFT JOIN pg_extension extension ON extension.oid = membership.refobjid"
    )
}
