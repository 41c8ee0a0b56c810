//! `git http-backend` behind a web server that is just large enough for `git push`.

use std::io::{self, BufReader, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use super::repository::path_with_hooks;
use super::request::Request;
use super::server::Server;

/// Serves the repositories of a folder to one user, who needs no password.
pub(crate) struct SmartHttp(Server);

impl SmartHttp {
    pub(crate) fn new(root: &Path, remote_user: &str) -> Self {
        let backend = Backend { root: root.to_owned(), remote_user: remote_user.to_owned() };
        Self(Server::new(move |stream| {
            // A client may close its connection at any moment.
            let _ = backend.serve(stream);
        }))
    }

    /// The URL of a repository.
    pub(crate) fn url(&self, name: &str) -> String {
        self.0.url(&format!("/{name}"))
    }
}

struct Backend {
    root: PathBuf,
    remote_user: String,
}

impl Backend {
    /// Answers one request and closes the connection.
    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        let mut stream = BufReader::new(stream);
        let Some(request) = Request::read(&mut stream)? else {
            return Ok(());
        };
        let answer = self.run(&request)?;
        let head_end = answer
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .expect("a CGI program writes a head");
        let (head, body) = (&answer[..head_end], &answer[head_end + 4..]);
        let head = String::from_utf8_lossy(head);
        let (status, head): (Vec<&str>, Vec<&str>) =
            head.lines().partition(|line| line.starts_with("Status: "));
        let status = status.first().map_or("200 OK", |line| &line["Status: ".len()..]);
        write!(
            stream.get_mut(),
            "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n{}\r\n\r\n",
            body.len(),
            head.join("\r\n")
        )?;
        stream.get_mut().write_all(body)
    }

    /// With only what a web server sets in the environment: no HOME, no USER.
    fn run(&self, request: &Request) -> io::Result<Vec<u8>> {
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let mut backend = Command::new("git")
            .arg("http-backend")
            .env_clear()
            .env("PATH", path_with_hooks())
            // The machine's own configuration is not the test's.
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_PROJECT_ROOT", &self.root)
            .env("GIT_HTTP_EXPORT_ALL", "1")
            .env("GATEWAY_INTERFACE", "CGI/1.1")
            .env("REQUEST_METHOD", &request.method)
            .env("PATH_INFO", path)
            .env("QUERY_STRING", query)
            .env("CONTENT_TYPE", request.header("content-type").unwrap_or_default())
            .env("CONTENT_LENGTH", request.body.len().to_string())
            .env("GIT_PROTOCOL", request.header("git-protocol").unwrap_or_default())
            .env("REMOTE_ADDR", "127.0.0.1")
            .env("REMOTE_USER", &self.remote_user)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut stdin = backend.stdin.take().expect("standard input is piped");
        let body = request.body.clone();
        let writing = thread::spawn(move || stdin.write_all(&body));
        let answered = backend.wait_with_output()?;
        // It may end without reading everything.
        let _ = writing.join();
        assert!(answered.status.success(), "git http-backend: {}", answered.status);
        Ok(answered.stdout)
    }
}
