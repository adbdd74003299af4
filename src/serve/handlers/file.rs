//! A file that stands in a job as base64.
//!
//! A URL is refused: what a job names is not fetched, since it would be fetched from where this machine
//! is, with what this machine may reach.

use crate::serve::job::JobError;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::GeneralPurpose;
use base64::engine::GeneralPurposeConfig;
use bytes::Bytes;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Whether a text is an address of something rather than the thing in base64, which has no colon.
pub(super) fn is_address(text: &str) -> bool {
    let start = text.trim_start();
    !start.starts_with("data:") && start.find("://").is_some_and(|at| at < 32)
}

/// The file in `text`, which sentences call `name`. `data:image/png;base64,` may stand before it, and
/// white space within it.
pub(super) fn decoded(text: &str, name: &str) -> Result<Bytes, JobError> {
    if is_address(text) {
        return Err(JobError(format!(
            "{name} is an address, and nothing is fetched from addresses here: send the file itself, \
             in base64"
        )));
    }
    let text = text.trim();
    let content = match text.strip_prefix("data:") {
        None => text,
        Some(rest) => rest
            .split_once(";base64,")
            .map(|it| it.1)
            .ok_or_else(|| JobError(format!("{name} is a data URL that is not in base64")))?,
    };
    let wrong = |error| JobError(format!("{name} is not base64: {error}"));
    let decoded = match content.bytes().any(|letter| letter.is_ascii_whitespace()) {
        false => BASE64.decode(content),
        true => {
            let letters = content.bytes().filter(|it| !it.is_ascii_whitespace());
            BASE64.decode(letters.collect::<Vec<u8>>())
        }
    };
    let decoded = decoded.map_err(wrong)?;
    match decoded.is_empty() {
        true => Err(JobError(format!("{name} is empty (0 bytes)"))),
        false => Ok(decoded.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn files_are_read_as_people_write_base64() {
        let read = |text| decoded(text, "`image`").map_err(|error| error.0);
        for text in [
            "Zm9v",
            "data:image/png;base64,Zm9v",
            " Zm\r\n9v\n",
            "data:;base64,Zm9v",
        ] {
            assert_eq!(read(text).as_deref(), Ok(&b"foo"[..]), "{text}");
        }
        // With and without what fills it up.
        for text in ["Zm8=", "Zm8", "Zm9="] {
            assert_eq!(read(text).as_deref(), Ok(&b"fo"[..]), "{text}");
        }
        for (text, told) in [
            ("", "`image` is empty (0 bytes)"),
            ("data:image/png;base64,", "`image` is empty (0 bytes)"),
            (
                "data:image/png,abc",
                "`image` is a data URL that is not in base64",
            ),
            (
                "not base64!",
                "`image` is not base64: Invalid symbol 33, offset 9.",
            ),
            ("Zm9vY", "`image` is not base64: "),
            ("https://a.b/c.jpg", "`image` is an address"),
            ("file:///etc/passwd", "`image` is an address"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.starts_with(told), "{text}: {error}");
        }
    }
}
