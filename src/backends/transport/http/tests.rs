//! Where a key may go, and that it is never printed.

use super::Access;
use super::Secret;
use super::Server;
use super::Shared;
use std::time::Duration;

fn server(base: &str, allowed: &[&str]) -> Result<Server, String> {
    let access = Access {
        base: base.to_owned(),
        shown: None,
        key: Some(Secret::new("very-secret")),
        key_host: "api.runpod.ai",
        allowed: allowed.iter().map(|&host| host.to_owned()).collect(),
        from_recipe: true,
        shared: Shared::default(),
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
        "http://api.runpod.ai/v2",
        "http://127.0.0.1.example.org",
        "https://localhost.example.org",
    ] {
        let message = server(astray, &["api.example.org"]).unwrap_err();
        assert!(message.contains("is not sent to"), "{astray}: {message}");
    }
    assert!(server("http://gpu.example.org:8000", &["gpu.example.org"]).is_ok());
    for named in [
        "https://api.runpod.ai@example.org/v2",
        "https://user:hunter2@api.runpod.ai/v2",
        "http://:hunter2@127.0.0.1:8000",
        "http://hunter2@127.0.0.1:8000",
    ] {
        let message = server(named, &["example.org"]).unwrap_err();
        assert!(message.contains("`api_key_env`"), "{named}: {message}");
        assert!(!message.contains("hunter2"), "{named}: {message}");
    }
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
