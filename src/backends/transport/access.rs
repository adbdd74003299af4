//! Access: the address of a server, the key for it, and who may get what.

use super::body::BodyBudget;
use super::clients::Clients;
use super::redaction::Redaction;
use super::secret::Secret;
use hyper_util::client::proxy::matcher::Matcher;
use std::net::IpAddr;

/// What a server is reached with.
#[derive(Clone, Debug)]
pub struct Access {
    /// The address that paths are joined to.
    pub base: String,
    /// How that address is shown, where it holds what is not shown.
    pub shown: Option<String>,
    /// The key for it, if it needs one.
    pub key: Option<Secret>,
    /// The host that the key is for.
    pub key_host: &'static str,
    /// Hosts that may get what is sent and the key, because the user said so.
    pub allowed: Vec<String>,
    /// Whether the address is the recipe's, and not the user's own or that of a service.
    pub from_recipe: bool,
    /// What all servers of a run share.
    pub shared: Shared,
}

/// What all servers of a run share.
#[derive(Clone, Debug, Default)]
pub struct Shared {
    /// Takes their keys out of what is told and kept.
    pub redaction: Redaction,
    /// The memory for the bodies of their answers.
    pub bodies: BodyBudget,
    /// What connections are made with.
    pub clients: Clients,
}

impl Access {
    // The address as it may be told: no password, and nothing that is not shown.
    pub(super) fn told(&self) -> &str {
        match &self.shown {
            Some(shown) => shown,
            None if self.base.contains('@') => "the address",
            None => &self.base,
        }
    }

    pub(super) fn shown_host(&self) -> Option<&str> {
        self.shown.as_deref().and_then(host_of)
    }
}

/// `text` without the parts of `address` that `template`, as which that address is shown, hides.
pub(in crate::backends) fn hidden(text: &str, address: &str, template: &str) -> String {
    let parts = address.split(['/', '?', '&', '=', ':', '.', '@']);
    let unseen = parts.filter(|part| !part.is_empty() && !template.contains(*part));
    unseen.fold(text.to_owned(), |text, part| text.replace(part, "(hidden)"))
}

// The host in an address that is shown as a template; `None` where it is written out there.
pub(super) fn host_of(template: &str) -> Option<&str> {
    let begin = template.find("://").map_or(0, |at| at + 3);
    let mut depth = 0_usize;
    let rest = template.get(begin..)?;
    let end = rest.find(|letter: char| {
        match letter {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && "/?#".contains(letter)
    });
    let host = rest.get(..end.unwrap_or(rest.len()))?;
    host.contains(['{', '}']).then_some(host)
}

/// How a server is reached, and whether it may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The host, as it is shown.
    pub host: String,
    /// The host of the proxy that everything goes through.
    pub proxy: Option<String>,
    /// Whether it is this machine, the host of the service itself, or one that the user allows or
    /// names.
    pub is_permitted: bool,
}

/// Whether `host`, as it stands in an address, is this machine.
pub fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The host of the proxy through which the settings of this machine lead to `address`.
pub(super) fn proxy_of(address: &str) -> Option<String> {
    let proxy = Matcher::from_system().intercept(&address.parse().ok()?)?;
    let host = proxy.uri().host().unwrap_or("of no name");
    let port = proxy.uri().port_u16().map(|port| format!(":{port}"));
    Some(format!("{host}{}", port.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::hidden;

    #[test]
    fn what_a_template_hides_is_hidden_elsewhere_too() {
        let (address, template) = (
            "https://a.example/s3cret/v1/",
            "https://a.example/{{ env.X }}/v1",
        );
        for (text, wanted) in [
            (
                "https://b.example/s3cret/v1/x",
                "https://b.example/(hidden)/v1/x",
            ),
            ("https://a.example/v1/x", "https://a.example/v1/x"),
        ] {
            assert_eq!(hidden(text, address, template), wanted);
        }
        let host = hidden(
            "https://s3cret.example/v2",
            "https://s3cret.example",
            "{{ env.X }}",
        );
        assert!(!host.contains("s3cret"), "{host}");
    }
}
