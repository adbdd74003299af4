//! HTTP: requests with a bound on time and on the size of what comes back, and a key that goes
//! to one host only.
//!
//! The one file that names the client library. Does not know what is asked or answered.

use crate::failure::Class;
use crate::failure::Failure;
use bytes::Bytes;
use bytes::BytesMut;
use reqwest::Client;
use reqwest::Method;
use reqwest::RequestBuilder;
use reqwest::Url;
use reqwest::multipart::Form;
use reqwest::multipart::Part;
use reqwest::redirect::Policy;
use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls_platform_verifier::BuilderVerifierExt;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use std::time::SystemTime;

/// A key. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A key with this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// An answer, whatever its status.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// How long the server asks to be left alone.
    pub retry_after: Option<Duration>,
    /// The whole body.
    pub body: Bytes,
}

/// A file in a form.
#[derive(Clone, Debug)]
pub struct File {
    /// The field of the form.
    pub field: &'static str,
    /// Its name.
    pub name: String,
    /// What it is, such as `audio/flac`.
    pub media_type: String,
    /// What is in it.
    pub bytes: Bytes,
}

/// What a server is reached with.
#[derive(Clone, Debug)]
pub struct Access {
    /// The address that paths are joined to.
    pub base: String,
    /// The key for it, if it needs one.
    pub key: Option<Secret>,
    /// The host that the key is for.
    pub key_host: &'static str,
    /// Hosts that may get the key besides, because the user said so.
    pub allowed: Vec<String>,
}

/// A server, and the key for it.
#[derive(Clone, Debug)]
pub struct Server {
    client: Client,
    base: Url,
    key: Option<Secret>,
    timeout: Duration,
    most: usize,
}

impl Server {
    /// The server of `access`, which answers a request within `timeout` and with at most `most`
    /// bytes. The key goes to its own host, to this machine and to hosts that are allowed; for
    /// another it is refused here, before anything is sent.
    ///
    /// # Errors
    ///
    /// Of class `refused` where the address is none, or the key would go astray.
    pub fn new(access: &Access, timeout: Duration, most: usize) -> Result<Self, Failure> {
        let refused = |why: String| Failure::new(Class::Refused, why);
        let base = &access.base;
        // Paths are joined to it, so it must end as a folder does.
        let base = Url::parse(&format!("{}/", base.trim_end_matches('/')))
            .map_err(|error| refused(format!("`{base}` is not an address: {error}")))?;
        let host = base.host_str().unwrap_or_default();
        if !["http", "https"].contains(&base.scheme()) || host.is_empty() {
            return Err(refused(format!("`{base}` is not the address of a server")));
        }
        let trusted = is_loopback(&base) || access.allowed.iter().any(|name| name == host);
        if access.key.is_some() && !trusted {
            let own = access.key_host;
            if host != own {
                return Err(refused(format!(
                    "the key for {own} is not sent to {host} unless you say `--allow-host {host}`"
                )));
            }
            if base.scheme() != "https" {
                return Err(refused(format!(
                    "the key is not sent to {host} without encryption"
                )));
            }
        }
        let client = tls()
            .map_err(|error| refused(format!("no encrypted connections can be made: {error}")))
            .and_then(|tls| {
                Client::builder()
                    .tls_backend_preconfigured(tls)
                    // A redirect could lead a key elsewhere.
                    .redirect(Policy::none())
                    .build()
                    .map_err(|error| refused(format!("no connections can be made: {error}")))
            })?;
        Ok(Self {
            client,
            base,
            key: access.key.clone(),
            timeout,
            most,
        })
    }

    /// The host, as users know it.
    pub fn host(&self) -> String {
        self.base.host_str().unwrap_or_default().to_owned()
    }

    /// Asks for `path`.
    ///
    /// # Errors
    ///
    /// Of class `network` where no whole answer came, `bad-answer` where it is too large.
    pub async fn get(&self, path: &str) -> Result<Reply, Failure> {
        self.send(Method::GET, path, Bytes::new(), self.timeout)
            .await
    }

    /// Sends JSON to `path`.
    ///
    /// # Errors
    ///
    /// As [`Server::get`].
    pub async fn post(&self, path: &str, json: Bytes) -> Result<Reply, Failure> {
        self.send(Method::POST, path, json, self.timeout).await
    }

    /// Sends JSON to `path`, where the server takes its time: `longer` than usual.
    ///
    /// # Errors
    ///
    /// As [`Server::get`].
    pub async fn post_and_wait(
        &self,
        path: &str,
        json: Bytes,
        longer: Duration,
    ) -> Result<Reply, Failure> {
        self.send(Method::POST, path, json, self.timeout + longer)
            .await
    }

    /// Sends a form with `fields` and a file to `path`.
    ///
    /// # Errors
    ///
    /// As [`Server::get`].
    pub async fn post_form(
        &self,
        path: &str,
        fields: Vec<(&'static str, String)>,
        file: File,
    ) -> Result<Reply, Failure> {
        let length = file.bytes.len() as u64;
        let part = Part::stream_with_length(file.bytes, length)
            .file_name(file.name)
            .mime_str(&file.media_type)
            .map_err(|error| self.broken(error))?;
        let fields = fields.into_iter();
        let form = fields.fold(Form::new(), |form, (name, value)| form.text(name, value));
        let request = self.request(Method::POST, path, self.timeout)?;
        self.exchange(request.multipart(form.part(file.field, part)))
            .await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        json: Bytes,
        timeout: Duration,
    ) -> Result<Reply, Failure> {
        let mut request = self.request(method, path, timeout)?;
        if !json.is_empty() {
            request = request
                .header("content-type", "application/json")
                .body(json);
        }
        self.exchange(request).await
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        timeout: Duration,
    ) -> Result<RequestBuilder, Failure> {
        let url = self.base.join(path).map_err(|error| {
            Failure::new(Class::Refused, format!("`{path}` is not a path: {error}"))
        })?;
        Ok(self.client.request(method, url).timeout(timeout))
    }

    async fn exchange(&self, mut request: RequestBuilder) -> Result<Reply, Failure> {
        if let Some(Secret(key)) = &self.key {
            request = request.bearer_auth(key);
        }
        let mut response = request.send().await.map_err(|error| self.broken(error))?;
        let status = response.status().as_u16();
        let asked = response.headers().get("retry-after");
        let retry_after = asked
            .and_then(|value| value.to_str().ok())
            .and_then(|text| pause(text, SystemTime::now()));
        let mut body = BytesMut::new();
        while let Some(part) = response.chunk().await.map_err(|error| self.broken(error))? {
            if body.len() + part.len() > self.most {
                let message = format!("{} answers with more than {} bytes", self.host(), self.most);
                return Err(Failure::new(Class::BadAnswer, message));
            }
            body.extend_from_slice(&part);
        }
        let body = match &self.key {
            Some(Secret(key)) => without(body.freeze(), key.as_bytes()),
            None => body.freeze(),
        };
        Ok(Reply {
            status,
            retry_after,
            body,
        })
    }

    // Without its address, which may hold what is not for logs; the innermost cause says most.
    fn broken(&self, error: reqwest::Error) -> Failure {
        let error = error.without_url();
        let mut cause: &dyn Error = &error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        let what = if error.is_timeout() {
            "no answer in time".to_owned()
        } else {
            cause.to_string()
        };
        Failure::new(Class::Network, format!("{}: {what}", self.host()))
    }
}

// A server may say the key that it was sent, and what it says is told to the user.
fn without(body: Bytes, key: &[u8]) -> Bytes {
    let at = |body: &[u8]| body.windows(key.len()).position(|part| part == key);
    if key.is_empty() || at(&body).is_none() {
        return body;
    }
    let (mut kept, mut rest) = (BytesMut::new(), &*body);
    while let Some(at) = at(rest) {
        let (before, after) = rest.split_at(at);
        kept.extend_from_slice(before);
        kept.extend_from_slice(b"(the key)");
        rest = after.get(key.len()..).unwrap_or_default();
    }
    kept.extend_from_slice(rest);
    kept.freeze()
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
}

// `Retry-After` is a number of seconds or a date.
fn pause(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    match text.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => {
            let date = httpdate::parse_http_date(text).ok()?;
            Some(date.duration_since(now).unwrap_or_default())
        }
    }
}

fn tls() -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()?
        .with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::Access;
    use super::Secret;
    use super::Server;
    use super::pause;
    use super::without;
    use bytes::Bytes;
    use std::time::Duration;
    use std::time::SystemTime;

    fn server(base: &str, allowed: &[&str]) -> Result<Server, String> {
        let access = Access {
            base: base.to_owned(),
            key: Some(Secret::new("very-secret")),
            key_host: "api.runpod.ai",
            allowed: allowed.iter().map(|&host| host.to_owned()).collect(),
        };
        Server::new(&access, Duration::from_secs(1), 1000).map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_key_goes_to_its_own_host_and_to_this_machine() {
        for right in [
            "https://api.runpod.ai/v2",
            "http://127.0.0.1:8000/v2/",
            "http://[::1]:8000",
        ] {
            assert!(server(right, &[]).is_ok(), "{right}");
        }
        for astray in [
            "https://api.runpod.ai.example.org/v2",
            "https://example.org/v2",
            "https://api.runpod.ai@example.org/v2",
            "http://api.runpod.ai/v2",
            "http://127.0.0.1.example.org",
            "https://localhost.example.org",
        ] {
            let message = server(astray, &["api.example.org"]).unwrap_err();
            assert!(message.contains("is not sent to"), "{astray}: {message}");
        }
        assert!(server("http://gpu.example.org:8000", &["gpu.example.org"]).is_ok());
        for none in ["api.runpod.ai", "file:///etc/passwd", ""] {
            let message = server(none, &[]).unwrap_err();
            assert!(message.contains("is not"), "{none}: {message}");
        }
    }

    #[test]
    fn a_key_is_never_printed() {
        let server = server("https://api.runpod.ai/v2", &[]).unwrap();
        assert!(!format!("{server:?}").contains("very-secret"));
    }

    #[test]
    fn a_key_that_a_server_says_is_struck_out() {
        let said = |text: &'static str| without(Bytes::from_static(text.as_bytes()), b"abc");
        assert_eq!(said("no abc, abcabc?"), "no (the key), (the key)(the key)?");
        assert_eq!(said("ab"), "ab");
        assert_eq!(said(""), "");
    }

    #[test]
    fn a_pause_is_asked_for_in_seconds_or_to_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let asked = |text| pause(text, now).map(|pause| pause.as_secs());
        assert_eq!(asked("7"), Some(7));
        assert_eq!(asked("Sun, 06 Nov 1994 08:49:47 GMT"), Some(10));
        assert_eq!(asked("Sun, 06 Nov 1994 08:00:00 GMT"), Some(0));
        assert_eq!(asked("soon"), None);
        assert_eq!(asked("-1"), None);
    }
}
