//! Responses that send back the request, secrets included.

use std::fmt::Write as _;

use super::request::Request;

/// Answers with the whole request as it came.
pub(crate) fn whole(request: &Request) -> Vec<u8> {
    let mut body = format!("POST {} HTTP/1.1\r\n", request.target);
    for (name, value) in &request.headers {
        let _ = write!(body, "{name}: {value}\r\n");
    }
    answer("500 Internal Server Error", &body)
}

/// Answers with the request as JSON, as httpbin does.
pub(crate) fn json(request: &Request) -> Vec<u8> {
    let headers: serde_json::Map<_, _> =
        request.headers.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    let body = serde_json::json!({ "url": request.target, "headers": headers });
    answer("410 Gone", &body.to_string())
}

/// Answers with the token of the header alone.
pub(crate) fn token(request: &Request) -> Vec<u8> {
    let header = request.the_header("x-auth");
    let token = header.split('"').nth(1).unwrap_or_default();
    answer("403 Forbidden", &format!("no such token: {token}"))
}

/// Redirects to a location that holds the request's secrets.
pub(crate) fn location(request: &Request) -> Vec<u8> {
    let location = format!(
        "https://elsewhere.example{}&x={}",
        request.target,
        request.the_header("authorization")
    );
    format!("HTTP/1.1 307 Elsewhere\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n").into()
}

fn answer(status: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into()
}
