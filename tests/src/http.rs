//! The least of HTTP that the tests need.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Status and body of an answer.
#[derive(Debug)]
pub struct HttpAnswer {
    /// Such as 200.
    pub status: u16,
    /// What follows the headers.
    pub body: String,
}

/// GETs a path from 127.0.0.1.
///
/// # Panics
/// If nothing answers there, or not in HTTP.
pub async fn get(port: u16, path: &str) -> HttpAnswer {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.expect("an HTTP listener");
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sending a request");
    let mut text = String::new();
    stream.read_to_string(&mut text).await.expect("an answer");
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split_whitespace().nth(1).and_then(|status| status.parse().ok());
    HttpAnswer { status: status.unwrap_or_else(|| panic!("not HTTP: {head}")), body: body.to_owned() }
}
