use std::sync::Arc;

use callslip_ir::encoding::encode;
use callslip_ir::{Binding, Description, Domain, Node, Parameter, Presence, Scalar, SlotId};
use sha2::{Digest as _, Sha256};

use super::{Prover, ValueSource};
use crate::Code;
use crate::plugin::{PlannedStatement, Shape};
use crate::printable::printable;
use crate::select::{self, Context, Finding, Page};

/// The most rows of a page: it is gathered before any of it is sent.
const MOST_ROWS: i64 = 10_000;

/// A page whose list was verified.
pub(super) struct PageOf {
    pub page: Page,
    pub size: ValueSource,
    pub digest: [u8; 32],
}

/// What is run for a statement, as far as it differs from what the plugin has described.
pub(super) struct PagedStatement {
    pub planned: Arc<PlannedStatement>,
    pub verified: select::Verified,
    pub of: PageOf,
}

impl Prover<'_> {
    /// Makes a page of a list that was verified, and verifies that.
    pub(super) fn paged(
        &self,
        list: &PlannedStatement,
        verified: &select::Verified,
        shape: &Shape,
        context: Context<'_>,
    ) -> Result<PagedStatement, Vec<Finding>> {
        let is_behind_a_cursor = shape.parameters.iter().any(|choice| {
            let chosen = |its: &&Parameter| its.name == choice.parameter;
            self.query.parameters.iter().find(chosen).is_some_and(|its| its.ty.domain == Domain::Cursor)
        });
        let page = select::page(&list.description, verified, context.catalog, is_behind_a_cursor)?;
        let size = self.size(list, page.size).map_err(|finding| vec![finding])?;
        let verified = select::verify(&page.description, context)?;
        let mut planned = list.clone();
        planned.description = Arc::new(page.description.clone());
        // The slots of the cursor come after it, and are bound to nothing of the plugin's.
        planned.bindings.push(Binding::Constant(Some("1".to_owned())));
        // The statement is another one than that of the first page.
        if is_behind_a_cursor {
            planned.shape.extend_from_slice(b"behind a cursor");
        }
        let of = PageOf { page, size, digest: digest(list) };
        Ok(PagedStatement { planned: Arc::new(planned), verified, of })
    }

    /// Where the number of rows comes from, which has to be one.
    fn size(&self, list: &PlannedStatement, slot: SlotId) -> Result<ValueSource, Finding> {
        let is_one = |text: &str| text.parse::<i64>().is_ok_and(|rows| (1..=MOST_ROWS).contains(&rows));
        let message = match list.bindings.get(slot.0 as usize) {
            Some(Binding::Parameter(name)) => {
                let named = |its: &&Parameter| its.name == *name;
                let declared = self.query.parameters.iter().find(named);
                if declared.is_some_and(|its| is_number(its) && is_in(its, is_one)) {
                    return Ok(ValueSource::Parameter(name.clone()));
                }
                let name = printable(name, 63);
                format!(
                    "how many rows a page has is the parameter \"{name}\", which is no whole number from 1 to at most {MOST_ROWS}, \
                     or may be missing"
                )
            }
            Some(Binding::Constant(Some(text))) if is_one(text) => {
                return Ok(ValueSource::Constant(Some(text.clone())));
            }
            _ => format!("how many rows a page has is no parameter, and no constant from 1 to {MOST_ROWS}"),
        };
        let place = select::place_of_slot(&list.description, slot);
        Err(Finding::new(Code::InvalidBinding, message).at(place))
    }
}

fn is_number(parameter: &Parameter) -> bool {
    let is_whole = matches!(parameter.ty.domain, Domain::Scalar(Scalar::Int2 | Scalar::Int4 | Scalar::Int8));
    is_whole && !parameter.ty.array && !parameter.ty.nullable && parameter.presence != Presence::Optional
}

fn is_in(parameter: &Parameter, is_one: impl Fn(&str) -> bool) -> bool {
    let Some(range) = &parameter.range else { return false };
    [&range.min, &range.max].into_iter().all(|end| end.as_deref().is_some_and(&is_one))
}

/// The digest of what the plugin described, wherever in its source that stands.
fn digest(list: &PlannedStatement) -> [u8; 32] {
    let Description { slots, nodes, .. } = &*list.description;
    let nodes = nodes.iter().map(|node| Node { kind: node.kind.clone(), place: None }).collect();
    let description = Description { slots: slots.clone(), files: Vec::new(), nodes };
    let shape = encode(&description);
    let length = (shape.len() as u64).to_be_bytes();
    Sha256::new()
        .chain_update(length)
        .chain_update(shape)
        .chain_update(encode(&list.bindings))
        .finalize()
        .into()
}
