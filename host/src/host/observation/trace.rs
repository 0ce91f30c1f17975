use std::fmt;
use std::sync::Arc;

/// A place in a distributed trace, as W3C's *Trace Context* has it: the trace, and the span of it that something is a part of.
///
/// ```
/// let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
/// let context = callslip::TraceContext::parse(parent, None).unwrap();
/// assert!(context.is_sampled());
/// assert_eq!(context.to_string(), parent);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: u128,
    span_id: u64,
    sampled: bool,
    state: Option<Arc<str>>,
}

/// How long the header `tracestate` is at most. A longer one is not handed on; the trace goes on without.
const STATE_BYTES: usize = 512;

impl TraceContext {
    /// A trace that begins here, with the first of its spans. Neither id may be zero.
    pub fn new(trace_id: u128, span_id: u64, sampled: bool) -> Self {
        Self { trace_id, span_id, sampled, state: None }
    }

    /// Reads the headers `traceparent` and `tracestate`. Nothing, if the first is not of the form that W3C gives it: then a trace
    /// begins anew, as W3C wants it.
    pub fn parse(parent: &str, state: Option<&str>) -> Option<Self> {
        let (version, rest) = parent.split_at_checked(2)?;
        let rest = rest.strip_prefix('-')?;
        let (trace_id, rest) = rest.split_at_checked(32)?;
        let (span_id, rest) = rest.strip_prefix('-')?.split_at_checked(16)?;
        let (flags, rest) = rest.strip_prefix('-')?.split_at_checked(2)?;
        let version = hexadecimal(version)?;
        // A newer version may say more, after another hyphen. The version 255 is none.
        let is_known = version == 0 && rest.is_empty();
        if !is_known && (version == 0 || version == 0xff || !(rest.is_empty() || rest.starts_with('-'))) {
            return None;
        }
        let (trace_id, span_id) = (hexadecimal(trace_id)?, hexadecimal(span_id)?);
        let sampled = hexadecimal(flags)? & 1 == 1;
        if trace_id == 0 || span_id == 0 {
            return None;
        }
        let is_printable = |state: &&str| state.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        let state =
            state.filter(|state| !state.is_empty() && state.len() <= STATE_BYTES).filter(is_printable);
        Some(Self { trace_id, span_id: u64::try_from(span_id).ok()?, sampled, state: state.map(Arc::from) })
    }

    /// Another span of the same trace.
    #[must_use]
    pub fn with_span(&self, span_id: u64) -> Self {
        Self { span_id, ..self.clone() }
    }

    /// The trace's id.
    pub fn trace_id(&self) -> u128 {
        self.trace_id
    }

    /// The span's id.
    pub fn span_id(&self) -> u64 {
        self.span_id
    }

    /// Whether who began the trace keeps it, so that spans of it are worth sending.
    pub fn is_sampled(&self) -> bool {
        self.sampled
    }

    /// What the systems that take part in the trace hand on, as the header `tracestate` had it.
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }
}

/// A number of hexadecimal digits in lower case, as W3C wants them.
fn hexadecimal(digits: &str) -> Option<u128> {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    digits.bytes().all(is_digit).then(|| u128::from_str_radix(digits, 16).ok())?
}

impl fmt::Display for TraceContext {
    /// As the header `traceparent`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.span_id, u8::from(self.sampled))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const SPAN: &str = "b7ad6b7169203331";

    #[test]
    fn a_parent_is_read_and_written() {
        for (flags, sampled) in [("00", false), ("01", true)] {
            let text = format!("00-{TRACE}-{SPAN}-{flags}");
            let context = TraceContext::parse(&text, Some("vendor=1")).unwrap();
            assert_eq!((context.is_sampled(), context.state()), (sampled, Some("vendor=1")));
            assert_eq!(context.to_string(), text);
            assert_eq!(format!("{:032x}", context.trace_id()), TRACE);
            let child = context.with_span(1);
            assert_eq!((child.trace_id(), child.span_id()), (context.trace_id(), 1));
            assert_eq!((child.state(), child.is_sampled()), (Some("vendor=1"), sampled));
        }
    }

    #[test]
    fn a_newer_version_may_say_more() {
        assert!(TraceContext::parse(&format!("cc-{TRACE}-{SPAN}-01-what-the-future-has"), None).is_some());
        assert!(TraceContext::parse(&format!("cc-{TRACE}-{SPAN}-01"), None).is_some());
        assert!(TraceContext::parse(&format!("cc-{TRACE}-{SPAN}-01.more"), None).is_none());
    }

    #[test]
    fn what_is_no_parent_is_none() {
        let (no_trace, no_span) = ("0".repeat(32), "0".repeat(16));
        for wrong in [
            String::new(),
            "00".to_owned(),
            format!("00-{TRACE}-{SPAN}"),
            format!("00-{TRACE}-{SPAN}-0"),
            format!("00-{TRACE}-{SPAN}-01-more"),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            format!("00-{no_trace}-{SPAN}-01"),
            format!("00-{TRACE}-{no_span}-01"),
            format!("00-{TRACE}-+7ad6b716920333-01"),
            format!("00 {TRACE} {SPAN} 01"),
            format!("00-é{}-{SPAN}-01", &TRACE[2..]),
        ] {
            assert_eq!(TraceContext::parse(&wrong, None), None, "{wrong}");
        }
    }

    #[test]
    fn a_state_that_is_too_long_or_not_text_is_not_handed_on() {
        let parent = format!("00-{TRACE}-{SPAN}-01");
        for state in ["", "a=\n", &"x".repeat(513)] {
            assert_eq!(TraceContext::parse(&parent, Some(state)).unwrap().state(), None);
        }
    }
}
