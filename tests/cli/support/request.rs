//! One HTTP request, kept whole.

use std::io::{self, BufRead};
use std::time::Instant;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    /// In order, names as they were spelled.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// When its last byte was read.
    pub(crate) at: Instant,
}

impl Request {
    /// Reads one request; none at a connection that ends before one is whole.
    pub(crate) fn read(stream: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut lines = Vec::new();
        loop {
            let mut line = Vec::new();
            if stream.read_until(b'\n', &mut line)? == 0 {
                return Ok(None);
            }
            let line = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
            if line.is_empty() {
                break;
            }
            lines.push(line);
        }
        let Some((first, rest)) = lines.split_first() else {
            return Ok(None);
        };
        let mut words = first.split(' ');
        let mut word = || words.next().unwrap_or_default().to_owned();
        let mut request = Self {
            method: word(),
            target: word(),
            headers: rest
                .iter()
                .map(|line| line.split_once(':').unwrap_or((line, "")))
                .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
                .collect(),
            body: Vec::new(),
            at: Instant::now(),
        };
        // A chunked body is not read: a delivery never has one.
        let length = request.header("content-length").map_or(0, |length| {
            length.parse().unwrap_or_else(|_| panic!("content-length: {length} is no number"))
        });
        request.body = vec![0; length];
        if stream.read_exact(&mut request.body).is_err() {
            return Ok(None);
        }
        request.at = Instant::now();
        Ok(Some(request))
    }

    /// The value of a header, whatever the case of its name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The value of a header that must be there.
    #[track_caller]
    pub(crate) fn the_header(&self, name: &str) -> &str {
        self.header(name).unwrap_or_else(|| panic!("no {name} among {:#?}", self.headers))
    }

    /// How often a header was sent.
    pub(crate) fn count(&self, name: &str) -> usize {
        self.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).count()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("the body is not JSON: {error}\n{}", self.text()))
    }
}
