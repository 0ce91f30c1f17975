use std::fmt;

use minisign_verify::{Error, PublicKey as Key, Signature};

use super::Digest;
use crate::printable::printable;
use crate::{Code, select::Finding};

/// A public key of minisign, as its tool prints it: `RW…`.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    key: Key,
    text: String,
}

/// Which component a plugin's file must hold. It is checked before anything of the file is read as WebAssembly.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pin {
    /// This very one.
    pub sha256: Option<Digest>,
    /// One that was signed with the secret half of this key.
    pub public_key: Option<PublicKey>,
}

/// What a check has found out about a component.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    /// What its signer wrote into the signature, which covers it: at most 1,000 characters, none of them a control
    /// character. Nothing where no signature was asked for.
    pub trusted_comment: Option<String>,
}

impl PublicKey {
    /// Reads one as minisign writes it, without its comment.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        match Key::from_base64(text) {
            Ok(key) => Ok(Self { key, text: text.to_owned() }),
            Err(_) => {
                Err("it is no public key of minisign, which is one line that begins with RW".to_owned())
            }
        }
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Pin {
    /// Checks the bytes of a component. The signature is the text of its file; it is looked at only where there is a key.
    ///
    /// # Errors
    /// What was expected, and what was found: of [`Code::NotAsPinned`].
    pub fn check(&self, bytes: &[u8], signature: &str) -> Result<Provenance, Finding> {
        let mut provenance = Provenance::default();
        if let Some(pinned) = self.sha256 {
            let found = Digest::of(bytes);
            if found != pinned {
                let message =
                    format!("it is not the component that was pinned: its sha256 is {found}, not {pinned}");
                let help =
                    format!("put the pinned one back, or, if this one is meant, set sha256 = \"{found}\"");
                return Err(Finding::new(Code::NotAsPinned, message).with_help(help));
            }
        }
        if let Some(key) = &self.public_key {
            let signature = Signature::decode(signature).map_err(|error| refused(key, &error))?;
            // Not of the whole file but of its hash, which is what minisign has signed by default since 2021.
            key.key.verify(bytes, &signature, false).map_err(|error| refused(key, &error))?;
            provenance.trusted_comment = Some(printable(signature.trusted_comment(), 1000));
        }
        Ok(provenance)
    }
}

fn refused(key: &PublicKey, error: &Error) -> Finding {
    let why = match error {
        Error::InvalidSignature => "the signature is not of this component, or of this trusted comment",
        Error::UnexpectedKeyId => "the signature was made with another key",
        Error::UnexpectedAlgorithm | Error::UnsupportedAlgorithm | Error::UnsupportedLegacyMode => {
            "the signature is of a kind that is not taken: only prehashed Ed25519 is, which minisign has written since 0.10"
        }
        _ => "the signature's file is not one of minisign",
    };
    let message = format!("it is not signed with the pinned public_key {key}: {why}");
    Finding::new(Code::NotAsPinned, message)
        .with_help("sign it with `minisign -S`, or correct public_key, if another signer is meant")
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use minisign::KeyPair;

    use super::*;

    fn keys() -> (KeyPair, Pin) {
        let keys = KeyPair::generate_unencrypted_keypair().unwrap();
        let public_key = Some(PublicKey::parse(&keys.pk.to_base64()).unwrap());
        (keys, Pin { sha256: None, public_key })
    }

    fn signature(keys: &KeyPair, bytes: &[u8]) -> String {
        let comment = Some("hiring 1.2\u{202e}");
        minisign::sign(None, &keys.sk, Cursor::new(bytes), comment, None).unwrap().into_string()
    }

    fn message(pin: &Pin, bytes: &[u8], signature: &str) -> String {
        let finding = pin.check(bytes, signature).unwrap_err();
        assert_eq!(finding.code, Code::NotAsPinned);
        finding.to_string()
    }

    #[test]
    fn another_component_than_the_pinned_one_says_both_digests() {
        let pin = Pin { sha256: Some(Digest::of(b"one")), public_key: None };
        assert_eq!(pin.check(b"one", ""), Ok(Provenance::default()));
        let found = message(&pin, b"other", "");
        for digest in [Digest::of(b"one"), Digest::of(b"other")] {
            assert!(found.contains(&digest.to_string()), "{found}");
        }
    }

    #[test]
    fn a_signed_component_is_taken_with_its_trusted_comment() {
        let (keys, pin) = keys();
        let provenance = pin.check(b"component", &signature(&keys, b"component")).unwrap();
        assert_eq!(provenance.trusted_comment.unwrap(), "hiring 1.2\\u{202e}");
    }

    #[test]
    fn nothing_else_than_the_signature_of_this_component_is_taken() {
        let (keys, pin) = keys();
        let good = signature(&keys, b"component");
        assert!(message(&pin, b"componen", &good).contains("not of this component"));
        // What is said of it is covered, too.
        let forged = good.replace("hiring 1.2", "hiring 1.3");
        assert!(message(&pin, b"component", &forged).contains("trusted comment"));
        let (other, _) = self::keys();
        assert!(message(&pin, b"component", &signature(&other, b"component")).contains("another key"));
        assert!(message(&pin, b"component", "").contains("not one of minisign"));
        assert!(message(&pin, b"component", &good[..good.len() / 2]).contains("not one of minisign"));
        let key = pin.public_key.as_ref().unwrap().to_string();
        assert!(message(&pin, b"component", "é\n\n\n\n").contains(&key));
    }

    #[test]
    fn a_signature_of_the_old_kind_is_not_taken() {
        let (keys, pin) = keys();
        // The algorithm is named in the first bytes of the second line: `ED` is prehashed, `Ed` is not.
        let old = signature(&keys, b"component").replacen("\nRU", "\nRW", 1);
        assert!(old.contains("\nRW"));
        assert!(message(&pin, b"component", &old).contains("prehashed"));
    }

    #[test]
    fn both_must_hold_where_both_are_pinned() {
        let (keys, mut pin) = keys();
        pin.sha256 = Some(Digest::of(b"other"));
        assert!(message(&pin, b"component", &signature(&keys, b"component")).contains("sha256"));
        pin.sha256 = Some(Digest::of(b"component"));
        assert!(message(&pin, b"component", "").contains("public_key"));
        assert!(pin.check(b"component", &signature(&keys, b"component")).is_ok());
    }

    #[test]
    fn no_damage_of_a_signature_crashes_or_passes() {
        let (keys, pin) = keys();
        let good = signature(&keys, b"component");
        let untrusted = good.find('\n').unwrap();
        for at in 0..good.len() {
            let mut damaged = good.clone().into_bytes();
            damaged[at] ^= 1;
            if let Ok(damaged) = String::from_utf8(damaged) {
                let taken = pin.check(b"component", &damaged).is_ok();
                // The first line is a comment that nothing covers, and a line may end in several ways.
                assert!(!taken || at < untrusted || at == good.len() - 1, "{at}: {damaged}");
            }
        }
    }
}
