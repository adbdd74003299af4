//! Who may ask: whoever has the key, or where there is none, programs of this machine.

use crate::serve::http::refusal::Refusal;
use axum::http::HeaderMap;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::Uri;
use axum::http::header::AUTHORIZATION;
use axum::http::header::HOST;
use axum::http::header::ORIGIN;
use std::net::IpAddr;

/// Who is answered.
#[derive(Clone, Debug)]
pub(super) enum Access {
    /// Whoever has the key of this digest. Digests are compared in constant time.
    Key(blake3::Hash),
    /// Programs of this machine, and no page in a browser: a page of a stranger's may send requests
    /// to this machine, and by a name of its own that leads here even read the answers.
    Local,
    /// Everyone who reaches it.
    Anyone,
}

impl Access {
    /// Whoever has `key`.
    pub(super) fn key(key: &str) -> Self {
        Self::Key(blake3::hash(key.as_bytes()))
    }

    /// Nothing, where a request may be answered.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        match self {
            Self::Anyone => Ok(()),
            Self::Key(digest) => {
                let given = headers.get(AUTHORIZATION);
                let given = given.map(HeaderValue::as_bytes);
                let given = given.unwrap_or_default();
                let given = given.strip_prefix(b"Bearer ").unwrap_or(given);
                let is_key = blake3::hash(given) == *digest;
                is_key.then_some(()).ok_or_else(|| {
                    let why = "the key is not the one of this server; it is expected as \
                               `Authorization: Bearer KEY`";
                    Refusal::new(StatusCode::UNAUTHORIZED, why)
                })
            }
            Self::Local => {
                let is_local = headers
                    .get(HOST)
                    .is_none_or(|host| is_local(host.as_bytes()));
                let is_program = headers.get(ORIGIN).is_none();
                (is_local && is_program).then_some(()).ok_or_else(|| {
                    let why = "without a key this server answers programs that ask it as localhost \
                               or by its address, and no web page; see --api-key-env";
                    Refusal::new(StatusCode::FORBIDDEN, why)
                })
            }
        }
    }
}

// Whether the host of a request is a name that leads nowhere else.
fn is_local(host: &[u8]) -> bool {
    let Some(uri) = std::str::from_utf8(host)
        .ok()
        .and_then(|it| it.parse::<Uri>().ok())
    else {
        return false;
    };
    let host = uri.host().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::Access;
    use axum::http::HeaderMap;
    use axum::http::HeaderName;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let line = |&(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), value.parse().unwrap())
        };
        lines.iter().map(line).collect()
    }

    #[test]
    fn the_key_is_known_with_and_without_its_scheme() {
        let access = Access::key("secret");
        for (value, is_known) in [
            ("Bearer secret", true),
            ("secret", true),
            ("Bearer secre", false),
            ("Bearer secret2", false),
            ("Bearer ", false),
            ("", false),
        ] {
            let checked = access.check(&headers(&[("authorization", value)]));
            assert_eq!(checked.is_ok(), is_known, "{value}");
        }
        assert!(access.check(&HeaderMap::new()).is_err());
    }

    #[test]
    fn without_a_key_no_page_and_no_other_name_is_answered() {
        for host in [
            "localhost:8000",
            "LOCALHOST",
            "127.0.0.1:8000",
            "[::1]:8000",
            "10.0.0.7",
        ] {
            assert!(
                Access::Local.check(&headers(&[("host", host)])).is_ok(),
                "{host}"
            );
        }
        for host in ["evil.example", "localhost.evil.example:8000", "a b", ""] {
            assert!(
                Access::Local.check(&headers(&[("host", host)])).is_err(),
                "{host}"
            );
        }
        let page = [
            ("host", "localhost:8000"),
            ("origin", "https://evil.example"),
        ];
        assert!(Access::Local.check(&headers(&page)).is_err());
        assert!(Access::Anyone.check(&headers(&page)).is_ok());
    }
}
