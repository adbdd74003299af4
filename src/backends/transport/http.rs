//! HTTP: requests with a bound on time and on the size of what comes back, and a key that goes
//! to one host only.
//!
//! With `clients`, all that names the client library. Does not know what is asked or answered.

use super::access::Access;
use super::access::Route;
use super::access::Shared;
use super::access::hidden;
use super::access::host_of;
use super::access::is_loopback;
use super::access::proxy_of;
use super::body::BodyReader;
use super::body::TooLarge;
use super::redaction::Redaction;
use super::reply::Reply;
use super::retry_after;
use super::secret::Secret;
use crate::failure::Class;
use crate::failure::Failure;
use bytes::Bytes;
use reqwest::Client;
use reqwest::Method;
use reqwest::RequestBuilder;
use reqwest::Response;
use reqwest::Url;
use reqwest::header::HeaderMap;
use reqwest::header::HeaderName;
use reqwest::header::HeaderValue;
use std::error::Error;
use std::time::Duration;
use std::time::Instant;
use std::time::SystemTime;

/// A request with everything that a recipe can say of one.
#[derive(Clone, Debug)]
pub struct OutgoingRequest<'a> {
    /// Such as `POST`.
    pub method: &'static str,
    /// With its query, if it has one.
    pub path: &'a str,
    /// What follows in the query.
    pub query: &'a [(String, String)],
    /// Names and values.
    pub headers: &'a [(String, String)],
    /// What the body is.
    pub content_type: &'a str,
    /// The header that carries the key; `authorization`, as a bearer token, where absent.
    pub key_header: Option<&'a str>,
    /// The body.
    pub body: Bytes,
}

/// A server, and the key for it.
#[derive(Clone, Debug)]
pub struct Server {
    client: Client,
    base: Url,
    shown: Option<String>,
    key: Option<Secret>,
    timeout: Duration,
    max_answer: usize,
    proxy: Option<String>,
    is_permitted: bool,
    shared: Shared,
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
        let told = access.told();
        // Paths are joined to it, so it must end as a folder does.
        let base = Url::parse(&format!("{}/", base.trim_end_matches('/')))
            .map_err(|error| refused(format!("`{told}` is not an address: {error}")))?;
        let host = base.host_str().unwrap_or_default();
        if !["http", "https"].contains(&base.scheme()) || host.is_empty() {
            return Err(refused(format!("`{told}` is not the address of a server")));
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(refused(format!(
                "`{told}` holds a user name or a password, which no address may; put it into a \
                 variable and name that with `api_key_env`"
            )));
        }
        let here = is_loopback(host);
        let trusted = here || access.allowed.iter().any(|name| name == host);
        if access.key.is_some() && !trusted {
            let own = access.key_host;
            if host != own {
                let host = access.shown_host().unwrap_or(host);
                return Err(refused(format!(
                    "the key for {own} is not sent to {host} unless you say `--allow-host {host}`"
                )));
            }
            if base.scheme() != "https" {
                return Err(refused(format!(
                    "the key is not sent to {own} without encryption"
                )));
            }
        }
        let proxy = if here { None } else { proxy_of(base.as_str()) };
        if let (Some(proxy), Some(_), "http") = (&proxy, &access.key, base.scheme()) {
            let host = access.shown_host().unwrap_or(host);
            return Err(refused(format!(
                "the key for {host} is not sent through the proxy {proxy} without encryption: use an \
                 address that begins with https, or name {host} in NO_PROXY"
            )));
        }
        let is_own = host == access.key_host && base.scheme() == "https";
        let is_permitted = trusted || is_own || !access.from_recipe;
        let client = access.shared.clients.to(here)?;
        let redaction = access.shared.redaction.and(access.key.as_ref());
        Ok(Self {
            client,
            base,
            shown: access.shown.clone(),
            key: access.key.clone(),
            timeout,
            max_answer: most,
            proxy,
            is_permitted,
            shared: Shared {
                redaction,
                ..access.shared.clone()
            },
        })
    }

    /// The host, as users know it.
    pub fn host(&self) -> String {
        let shown = self.shown.as_deref().and_then(host_of);
        let host = shown.or_else(|| self.base.host_str());
        host.unwrap_or_default().to_owned()
    }

    /// How it is reached.
    pub fn route(&self) -> Route {
        Route {
            host: self.host(),
            proxy: self.proxy.clone(),
            is_permitted: self.is_permitted,
        }
    }

    /// Takes the keys of the run out of what is told and kept of its answers.
    pub fn redaction(&self) -> &Redaction {
        &self.shared.redaction
    }

    /// Whether there is a key for it.
    pub fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// The address of `path` with `query`, to be shown.
    ///
    /// # Errors
    ///
    /// Of class `refused` where it is none, or another host's.
    pub fn address(&self, path: &str, query: &[(String, String)]) -> Result<String, Failure> {
        let url = self.url(path, query)?;
        let Some(shown) = &self.shown else {
            return Ok(url.into());
        };
        let path = url.as_str().strip_prefix(self.base.as_str());
        let shown = shown.trim_end_matches('/');
        Ok(format!("{shown}/{}", path.unwrap_or_default()))
    }

    /// `shown`, as which the address of `path` is shown; where that hides something, with a digest
    /// of the address, so that two of them are told apart.
    pub fn place(&self, path: &str, shown: String) -> String {
        match self.url(path, &[]) {
            Ok(url) if url.as_str() != shown => {
                let digest = blake3::hash(url.as_str().as_bytes()).to_hex();
                let (digest, _) = digest.split_at(16);
                format!("{shown} {digest}")
            }
            _ => shown,
        }
    }

    /// Sends a request as a recipe says.
    ///
    /// # Errors
    ///
    /// As [`Server::get`]; of class `refused` where a header is none.
    pub async fn send(&self, out: &OutgoingRequest<'_>) -> Result<Reply, Failure> {
        let refused = |what: &str| Failure::new(Class::Refused, format!("{what} cannot be sent"));
        let method = Method::from_bytes(out.method.as_bytes())
            .map_err(|_| refused(&format!("a request with the method {}", out.method)))?;
        let mut headers = HeaderMap::new();
        let name = |name: &str| {
            HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| refused(&format!("the header `{name}`")))
        };
        for (header, value) in out.headers {
            let value = HeaderValue::from_str(value)
                .map_err(|_| refused(&format!("the value of the header `{header}`")))?;
            headers.insert(name(header)?, value);
        }
        if let (Some(header), Some(Secret(key))) = (out.key_header, &self.key) {
            let mut value =
                HeaderValue::from_str(key).map_err(|_| refused("a key of more than one line"))?;
            value.set_sensitive(true);
            headers.insert(name(header)?, value);
        }
        let mut request = self
            .client
            .request(method, self.url(out.path, out.query)?)
            .headers(headers)
            .header("content-type", out.content_type)
            .body(out.body.clone());
        if let (None, Some(Secret(key))) = (out.key_header, &self.key) {
            request = request.bearer_auth(key);
        }
        self.receive(request, self.timeout).await
    }

    /// Asks for `path`.
    ///
    /// # Errors
    ///
    /// Of class `network` where no whole answer came, `bad-answer` where it is too large.
    pub async fn get(&self, path: &str) -> Result<Reply, Failure> {
        self.json(Method::GET, path, Bytes::new(), self.timeout)
            .await
    }

    /// Sends JSON to `path`.
    ///
    /// # Errors
    ///
    /// As [`Server::get`].
    pub async fn post(&self, path: &str, json: Bytes) -> Result<Reply, Failure> {
        self.json(Method::POST, path, json, self.timeout).await
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
        self.json(Method::POST, path, json, self.timeout + longer)
            .await
    }

    async fn json(
        &self,
        method: Method,
        path: &str,
        json: Bytes,
        timeout: Duration,
    ) -> Result<Reply, Failure> {
        let mut request = self.client.request(method, self.url(path, &[])?);
        if !json.is_empty() {
            request = request
                .header("content-type", "application/json")
                .body(json);
        }
        if let Some(Secret(key)) = &self.key {
            request = request.bearer_auth(key);
        }
        self.receive(request, timeout).await
    }

    // A path such as `//elsewhere` would lead to another host.
    fn url(&self, path: &str, query: &[(String, String)]) -> Result<Url, Failure> {
        let refused =
            |why: &str| Failure::new(Class::Refused, format!("`{path}` is not a path: {why}"));
        let mut url = self
            .base
            .join(path)
            .map_err(|error| refused(&error.to_string()))?;
        if url.origin() != self.base.origin() {
            return Err(refused("it names another host"));
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    async fn receive(&self, request: RequestBuilder, timeout: Duration) -> Result<Reply, Failure> {
        let sent = Instant::now();
        let response = request.timeout(timeout).send().await;
        let mut response = response.map_err(|error| self.network_failure(error))?;
        let status = response.status().as_u16();
        let header = |name| response.headers().get(name)?.to_str().ok();
        let asked = header("retry-after");
        let retry_after = asked.and_then(|text| retry_after::pause(text, SystemTime::now()));
        let location = header("location").and_then(|text| self.location(response.url(), text));
        let encoding = header("content-encoding").map(str::to_ascii_lowercase);
        let media_type = header("content-type").map(str::to_ascii_lowercase);
        let declared = response.content_length();
        let body = self.shared.bodies.read(self.max_answer, declared);
        let mut body = body.map_err(|error| self.too_large(&error))?;
        let left = timeout.saturating_sub(sent.elapsed());
        let read = tokio::time::timeout(left, self.read(&mut response, &mut body)).await;
        read.unwrap_or_else(|_| Err(self.failure("no answer in time")))?;
        let (body, held) = body.finish();
        let (host, seconds) = (self.host(), sent.elapsed().as_secs_f64());
        tracing::debug!(host, status, bytes = body.len(), seconds, "reply");
        Ok(Reply {
            status,
            retry_after,
            location,
            media_type,
            encoding: encoding.filter(|name| name != "identity"),
            body,
            redaction: self.shared.redaction.clone(),
            _held: held,
        })
    }

    async fn read(&self, from: &mut Response, body: &mut BodyReader) -> Result<(), Failure> {
        let failed = |error| self.network_failure(error);
        while let Some(part) = from.chunk().await.map_err(failed)? {
            let pushed = body.push(&part).await;
            pushed.map_err(|error| self.too_large(&error))?;
        }
        Ok(())
    }

    fn too_large(&self, TooLarge: &TooLarge) -> Failure {
        let (host, most) = (self.host(), self.max_answer);
        let message = format!("{host} answers with more than {most} bytes");
        Failure::new(Class::BadAnswer, message)
    }

    // Where a redirect leads, without what may be a secret.
    fn location(&self, from: &Url, text: &str) -> Option<String> {
        let mut url = from.join(text).ok()?;
        url.set_query(None);
        url.set_fragment(None);
        // Fails for addresses that can have neither.
        url.set_username("").ok()?;
        url.set_password(None).ok()?;
        let location = self.redaction().text(url.as_str());
        Some(match &self.shown {
            Some(shown) => hidden(&location, self.base.as_str(), shown),
            None => location,
        })
    }

    // Without its address, which may hold what is not for logs; the innermost cause says most.
    fn network_failure(&self, error: reqwest::Error) -> Failure {
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
        self.failure(&what)
    }

    // What went wrong on the way.
    fn failure(&self, what: &str) -> Failure {
        let shown = self.shown.as_deref().and_then(host_of);
        let port = self.base.port().filter(|_| shown.is_none());
        let port = port.map(|port| format!(":{port}"));
        let place = self.host() + &port.unwrap_or_default();
        Failure::new(Class::Network, format!("{place}: {what}"))
    }
}

#[cfg(test)]
mod tests;
