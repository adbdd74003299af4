//! Replies: what came back from a server, and what keeps it from being an answer.

use super::body::Held;
use super::redaction::Redaction;
use crate::failure::Class;
use crate::failure::Failure;
use bytes::Bytes;
use std::borrow::Cow;
use std::time::Duration;

/// Bytes of a body that are looked at by what does not parse it.
const MOST_BYTES: usize = 256 << 10;

/// An answer, whatever its status.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// How long the server asks to be left alone.
    pub retry_after: Option<Duration>,
    /// The address that the server redirects to, without a query, user or key.
    pub location: Option<String>,
    /// The content type, in lower case.
    pub media_type: Option<String>,
    /// The content encoding, in lower case, where the body has one.
    pub encoding: Option<String>,
    /// The whole body, as it came: a key may be in it.
    pub body: Bytes,
    /// Takes the keys of the run out of what is told of it.
    pub redaction: Redaction,
    // Until it is parsed.
    pub(in crate::backends) _held: Held,
}

impl Reply {
    /// Why a redirect of `host` is no answer: none is followed, since it could lead a key elsewhere.
    pub(in crate::backends) fn redirect(&self, host: &str) -> Option<Failure> {
        if !(300..400).contains(&self.status) {
            return None;
        }
        let message = match &self.location {
            Some(location) => {
                let location = self.redaction.excerpt(location);
                format!(
                    "{host} redirects to {location}: put that address into the recipe (HTTP {})",
                    self.status
                )
            }
            None => format!(
                "{host} redirects (HTTP {}) and does not say where",
                self.status
            ),
        };
        Some(Failure::new(Class::Refused, message))
    }

    /// Whether it is a stream of server-sent events, as the HTML standard defines them.
    pub(in crate::backends) fn is_event_stream(&self) -> bool {
        let typed = self.media_type.as_deref();
        typed.is_some_and(|media_type| media_type.starts_with("text/event-stream"))
            || has_events(&self.body)
    }

    // How it is compressed. No request asks for that.
    fn compression(&self) -> Option<&str> {
        let named = self.encoding.as_deref();
        named.or_else(|| self.body.starts_with(b"\x1f\x8b").then_some("gzip"))
    }

    /// The beginning of what it says, as it came: to be understood, not to be told.
    pub(in crate::backends) fn text(&self) -> Cow<'_, str> {
        let body = self.body.trim_ascii_start();
        String::from_utf8_lossy(body.get(..MOST_BYTES).unwrap_or(body))
    }

    /// What it says, on one line and without keys.
    pub(crate) fn excerpt(&self) -> String {
        let text = std::str::from_utf8(&self.body);
        let is_plain = text.is_ok_and(|text| !text.contains('\0'));
        match self.compression() {
            Some(name) if !is_plain => format!(
                "a body with `Content-Encoding: {}`, which was not asked for",
                self.redaction.excerpt(name)
            ),
            _ => self.redaction.excerpt(&self.text()),
        }
    }

    /// What follows the words that a server answers, if it says anything: a colon and an excerpt.
    pub(crate) fn said(&self) -> String {
        match self.excerpt() {
            nothing if nothing.is_empty() => nothing,
            said => format!(": {said}"),
        }
    }
}

fn has_events(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    let mut lines = text.lines().filter(|line| !line.is_empty());
    let fields = ["data:", "event:", "id:", "retry:", ":"];
    let is_field = |line: &str| fields.iter().any(|field| line.starts_with(field));
    let has_data = text.lines().any(|line| line.starts_with("data:"));
    has_data && lines.all(is_field)
}

#[cfg(test)]
mod tests {
    use super::Reply;
    use crate::failure::Class;

    fn reply(body: &'static [u8]) -> Reply {
        Reply {
            status: 200,
            body: body.into(),
            ..Reply::default()
        }
    }

    #[test]
    fn events_are_told_from_text() {
        for events in [
            "data: {\"text\": \"a\"}\n\ndata: [DONE]\n\n",
            "event: delta\r\ndata: a\r\n\r\n",
            ": ping\n\nid: 1\ndata:a\n",
        ] {
            assert!(reply(events.as_bytes()).is_event_stream(), "{events}");
        }
        for text in ["", "Hi.", "data: a\nHi.", "id: 1", "{\"text\": \"data:\"}"] {
            assert!(!reply(text.as_bytes()).is_event_stream(), "{text}");
        }
        let typed = Reply {
            media_type: Some("text/event-stream; charset=utf-8".to_owned()),
            ..reply(b"Hi.")
        };
        assert!(typed.is_event_stream());
    }

    #[test]
    fn a_compressed_body_is_named() {
        let named = |encoding: Option<&str>, body| {
            let encoding = encoding.map(str::to_owned);
            Reply {
                encoding,
                ..reply(body)
            }
            .said()
        };
        let gzip = ": a body with `Content-Encoding: gzip`, which was not asked for";
        assert_eq!(named(Some("gzip"), b"\x1f\x8b\x08\x00"), gzip);
        assert_eq!(named(None, b"\x1f\x8b\x08\x00"), gzip);
        assert_eq!(named(Some("br"), b"\x0b\xff"), gzip.replace("gzip", "br"));
        assert_eq!(named(Some("gzip"), b"Hi."), ": Hi.");
        assert_eq!(named(None, b" \n"), "");
    }

    #[test]
    fn a_redirect_is_refused_and_says_where_to() {
        let redirect = |status, location: Option<String>| {
            let reply = Reply {
                status,
                location,
                ..reply(b"")
            };
            reply.redirect("a.example")
        };
        let to = "https://b.example/v1".to_owned();
        let failure = redirect(307, Some(to)).unwrap();
        assert_eq!(failure.class, Class::Refused);
        assert_eq!(
            failure.message,
            "a.example redirects to https://b.example/v1: put that address into the recipe \
             (HTTP 307)"
        );
        let long = redirect(301, Some("x".repeat(5000))).unwrap();
        assert!(long.message.len() < 300, "{long}");
        let nowhere = redirect(304, None).unwrap();
        assert!(nowhere.message.ends_with("does not say where"), "{nowhere}");
        assert_eq!(redirect(200, None), None);
    }
}
