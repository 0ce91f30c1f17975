//! What is too large is refused before it costs anything, however it is too large; and what is just not too large is read in
//! no time.

use std::time::{Duration, Instant};

use callslip::{Code, plugin};
use callslip_ir::{Description, encoding};
use callslip_tests::{Verifier, heavy, oversized};

/// How long a description may take that is refused.
const REFUSED: Duration = Duration::from_millis(50);
/// How long one may take that is just within the limits, in a build without optimisation.
const ACCEPTED: Duration = Duration::from_millis(500);

/// The shortest of a few times: how long it takes, and not how long it waits for a processor.
fn shortest<T>(mut work: impl FnMut() -> T) -> (Duration, T) {
    let mut once = || {
        let started = Instant::now();
        let result = work();
        (started.elapsed(), result)
    };
    let mut best = once();
    for _ in 0..4 {
        let next = once();
        if next.0 < best.0 {
            best = next;
        }
    }
    best
}

/// What the host does with a shape, from its bytes to the finding.
fn refuse(verifier: &Verifier, bytes: &[u8]) -> Code {
    if bytes.len() > plugin::Limits::default().shape_bytes {
        return Code::PluginOutputTooLarge;
    }
    match encoding::decode::<Description>(bytes) {
        Err(_) => Code::MalformedDescription,
        Ok(description) => verifier.print(&description).expect_err("it is refused")[0].code,
    }
}

#[tokio::test]
async fn what_is_too_large_is_refused_at_once() {
    let verifier = Verifier::new().await;
    for (what, description) in oversized() {
        let (postcard, json) = (encoding::encode(&description), encoding::encode_json(&description));
        for bytes in [postcard, json.expect("JSON")] {
            let (took, code) = shortest(|| refuse(&verifier, &bytes));
            println!("{what}, {} bytes: {took:?}, {code}", bytes.len());
            let expected = match what {
                "shares nodes" => Code::InvalidStructure,
                _ if bytes.len() > plugin::Limits::default().shape_bytes => Code::PluginOutputTooLarge,
                _ => Code::DescriptionTooLarge,
            };
            assert_eq!(code, expected, "{what}");
            assert!(took < REFUSED, "{what}: {took:?}");
        }
    }
}

#[tokio::test]
async fn what_is_just_within_the_limits_is_read_in_no_time() {
    let verifier = Verifier::new().await;
    let mut slow = Vec::new();
    for (what, verifies, description) in heavy() {
        let bytes = encoding::encode(&description);
        assert!(bytes.len() < plugin::Limits::default().shape_bytes, "{what}: {} bytes", bytes.len());
        let (took, result) = shortest(|| {
            let description: Description = encoding::decode(&bytes).expect("it was encoded");
            verifier.print(&description)
        });
        println!("{what}, {} nodes: {took:?}", description.nodes.len());
        match (verifies, result) {
            (true, Err(findings)) => panic!("{what}: {}", findings[0]),
            (false, Ok(_)) => panic!("{what} verifies"),
            (false, Err(findings)) => assert!(findings[0].code != Code::DescriptionTooLarge, "{what}"),
            (true, Ok(_)) => {}
        }
        if took >= ACCEPTED {
            slow.push((what, took));
        }
    }
    assert!(slow.is_empty(), "{slow:?}");
}
