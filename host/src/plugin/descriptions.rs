use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use callslip_ir::Description;

use super::{CallError, call::decode};

/// The descriptions of a plugin that were read lately, by their encoded form. An open query says for most values what it said
/// for others, and to read it again takes as long as a quarter of its plan.
#[derive(Default)]
pub(super) struct Descriptions(Mutex<Read>);

#[derive(Default)]
struct Read {
    by_bytes: HashMap<Box<[u8]>, Arc<Description>>,
    bytes: usize,
}

/// The bytes of all that are kept, as they are read: some twenty usual descriptions.
const KEPT_BYTES: usize = 1 << 20;

impl Descriptions {
    /// Reads a description, unless it was read already.
    ///
    /// # Errors
    /// The bytes are none; `what` says of what.
    pub(super) fn read(
        &self,
        bytes: &[u8],
        what: impl FnOnce() -> String,
    ) -> Result<Arc<Description>, CallError> {
        // A thread that panicked while it held the lock left whole descriptions behind.
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(description) = known().by_bytes.get(bytes) {
            return Ok(Arc::clone(description));
        }
        let description: Arc<Description> = Arc::new(decode(bytes, what)?);
        known().keep(bytes, &description);
        Ok(description)
    }
}

impl Read {
    fn keep(&mut self, bytes: &[u8], description: &Arc<Description>) {
        // It takes many times the memory of its encoded form: its nodes, and the lists and texts in them.
        let taken = size_of_val(description.nodes.as_slice()) + 5 * bytes.len();
        // One that is large is rare, and must not drive out all others.
        if taken > KEPT_BYTES / 4 {
            return;
        }
        if self.bytes + taken > KEPT_BYTES {
            *self = Self::default();
        }
        if self.by_bytes.insert(bytes.into(), Arc::clone(description)).is_none() {
            self.bytes += taken;
        }
    }
}

#[cfg(test)]
mod tests {
    use callslip_ir::encoding;

    use super::*;

    /// Descriptions of no nodes, which differ in how long the name of their file is.
    fn encoded(length: usize) -> Vec<u8> {
        encoding::encode(&Description {
            slots: Vec::new(),
            files: vec!["f".repeat(length)],
            nodes: Vec::new(),
        })
    }

    #[test]
    fn what_was_read_is_not_read_again() {
        let known = Descriptions::default();
        let [one, other] = [encoded(3), encoded(4)];
        let read = |bytes: &[u8]| known.read(bytes, String::new).unwrap();
        let first = read(&one);
        assert!(Arc::ptr_eq(&first, &read(&one)));
        assert_eq!(*read(&other), encoding::decode(&other).unwrap());
        assert!(Arc::ptr_eq(&first, &read(&one)));
        assert!(known.read(b"no description", || "it".into()).is_err());
        assert!(known.read(b"no description", || "it".into()).is_err());
    }

    #[test]
    fn what_is_kept_has_a_bound() {
        let known = Descriptions::default();
        for length in 0..4_000 {
            known.read(&encoded(length), String::new).unwrap();
            assert!(known.0.lock().unwrap().bytes <= KEPT_BYTES);
        }
        let large = encoded(KEPT_BYTES);
        known.read(&large, String::new).unwrap();
        assert!(!known.0.lock().unwrap().by_bytes.contains_key(large.as_slice()));
    }
}
