//! The addresses of a control plane. They are templates and opaque: names in them are replaced, and
//! their query goes on; nothing else of them is read.

/// Where the jobs are taken, in the address that RunPod gives.
const TAKE: &str = "/job-take/";

/// An address in which names may stand for what differs from call to call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressTemplate {
    /// Scheme, host and port.
    pub(super) origin: String,
    path: String,
}

impl AddressTemplate {
    /// The address that `text` is.
    ///
    /// # Errors
    ///
    /// Why it is none. What it is, is not told.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err("it does not begin with https://");
        };
        if !["http", "https"].contains(&scheme) {
            return Err("it does not begin with https://");
        }
        if rest.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
            return Err("there is a space in it");
        }
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (host, path) = rest.split_at(end);
        if host.is_empty() || host.contains('$') {
            return Err("it names no host");
        }
        let (path, _) = path.split_once('#').unwrap_or((path, ""));
        let path = match path.starts_with('/') {
            true => path.to_owned(),
            false => format!("/{path}"),
        };
        let origin = format!("{scheme}://{host}");
        Ok(Self { origin, path })
    }

    /// The host alone, in small letters.
    pub(super) fn host(&self) -> String {
        let host = self.origin.split_once("://").map_or("", |(_, host)| host);
        let is_port = |text: &str| text.bytes().all(|letter| letter.is_ascii_digit());
        match host.rsplit_once(':') {
            Some((host, port)) if is_port(port) => host.to_ascii_lowercase(),
            _ => host.to_ascii_lowercase(),
        }
    }

    /// The same with `value` wherever `name` stands.
    #[must_use]
    pub(super) fn with(&self, name: &str, value: &str) -> Self {
        Self {
            origin: self.origin.clone(),
            path: self.path.replace(name, value),
        }
    }

    /// Where another call of the same worker goes, such as `/job-stop/`; `None` where the address has
    /// not the form by which that is known.
    pub(super) fn sibling(&self, call: &str) -> Option<Self> {
        let path = self.path.replacen(TAKE, call, 1);
        let origin = self.origin.clone();
        (path != self.path).then_some(Self { origin, path })
    }

    /// Path and query, with `more` at the end of the query.
    pub(super) fn path(&self, more: &[(&str, &str)]) -> String {
        let mut path = self.path.clone();
        for (name, value) in more {
            path.push(if path.contains('?') { '&' } else { '?' });
            path.push_str(&format!("{name}={value}"));
        }
        path
    }
}

/// Whether `id` can stand in an address as it is, and leads nowhere else.
pub(super) fn is_plain(id: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.~".contains(letter);
    id.starts_with(|letter: char| letter.is_ascii_alphanumeric())
        && id.len() <= 200
        && id.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::AddressTemplate;
    use super::is_plain;

    #[test]
    fn names_are_replaced_and_the_query_goes_on() {
        let given = "https://api.example/v2/ep/job-take/$ID?gpu=NVIDIA+RTX+4090";
        let take = AddressTemplate::parse(given).unwrap().with("$ID", "w1");
        assert_eq!(take.origin, "https://api.example");
        assert_eq!(
            take.path(&[("job_in_progress", "0")]),
            "/v2/ep/job-take/w1?gpu=NVIDIA+RTX+4090&job_in_progress=0"
        );
        let batch = take.sibling("/job-take-batch/").unwrap();
        assert_eq!(
            batch.path(&[("batch_size", "2"), ("job_in_progress", "1")]),
            "/v2/ep/job-take-batch/w1?gpu=NVIDIA+RTX+4090&batch_size=2&job_in_progress=1"
        );
        let other = AddressTemplate::parse("http://127.0.0.1:1/jobs").unwrap();
        assert_eq!(other.sibling("/job-stop/"), None);
        assert_eq!(other.path(&[("a", "1"), ("b", "2")]), "/jobs?a=1&b=2");
        for (text, host) in [
            ("https://API.example/x", "api.example"),
            ("http://127.0.0.1:80/x", "127.0.0.1"),
            ("http://[::1]:80/x", "[::1]"),
            ("http://[::1]/x", "[::1]"),
        ] {
            assert_eq!(AddressTemplate::parse(text).unwrap().host(), host);
        }
        let bare = AddressTemplate::parse("http://a.example?x=1#there").unwrap();
        assert_eq!(bare.path(&[]), "/?x=1");
    }

    #[test]
    fn what_is_no_address_is_told_without_its_text() {
        for text in [
            "",
            "none",
            "ftp://a/b",
            "https:///b",
            "https://$ID/b",
            "https://a/b c",
            "//a/b",
        ] {
            assert!(AddressTemplate::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_id_leads_nowhere_else() {
        for id in ["eaebd6e7-6a92-u1", "sync-7.a~b_c", "7"] {
            assert!(is_plain(id), "{id}");
        }
        let long = "x".repeat(201);
        for id in [
            "", ".", "..", "../x", "a/b", "a?b", "a&b", "a b", "\u{fc}", &long,
        ] {
            assert!(!is_plain(id), "{id}");
        }
    }
}
